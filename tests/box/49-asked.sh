#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
#
# What is not remembered is asked of the owner, without FUSE (sharedpc/cache/direct.c):
# on a mount with nocache all of it, elsewhere what has changed, and what is open for
# writing. It is as true, and as allowed, as by FUSE: the states that prog/coherent makes,
# also with the owner counting nothing, which fools whoever remembers (control: the
# mount beside it); and the matrix of prog/rights.

. "$(dirname "$0")/coherent.sh"

P=/usr/lib/ccluster/tests/rights
D=$SHARED/asked
ASKED=/tmp/asked
OUT=/tmp/asked.$$
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

restore() {
	coherent_forget
	coherent_end
	on "$a" umount -l $ASKED
	on boot rm -rf $D
	rm -rf $OUT
} >/dev/null 2>&1
trap restore EXIT
mkdir -p $OUT

# mounted: with nocache.
mounted() { check "mount" on "$a" sh -c "mkdir -p $ASKED; mount -t ccfs -o nocache boot:$SHARED $ASKED"; }

# asks LINE N CMD...: CMD on $a asks at least N times of that kind, each without FUSE.
asks() {
	local line=$1 n=$2 before ask direct

	shift 2
	before=($(counter "$a" names "$line") $(counter "$a" names direct))
	check "$line" on "$a" "$@"
	ask=$(($(counter "$a" names "$line") - before[0]))
	direct=$(($(counter "$a" names direct) - before[1]))
	echo "$line: $ask asked, in all $direct without FUSE"
	[ "$ask" -ge "$n" ] && [ "$direct" -ge "$n" ] || fail "$line: fewer than $n"
}

dmesg_mark
mounted
on "$a" grep -q " $ASKED fuse.ccfs .*names=asked" /proc/mounts || fail "not as with nocache"
check "files" on boot sh -ec "rm -rf $D; mkdir -p $D/d; echo 1 >$D/d/f; $P make $D/rights"

# One message for each component, one for the attributes.
stats='import os, sys
for i in range(100):
	os.stat(sys.argv[1])'
asks name-ask 300 python3 -c "$stats" $ASKED/asked/d/f
asks attr-ask 100 python3 -c "$stats" $ASKED/asked/d/f
refuses "No such file" on "$a" stat $ASKED/asked/d/none

# Who may.
for what in look use; do
	for caller in root user other mixed; do
		on boot $P $what $D/rights $caller
	done >$OUT/want
	for caller in root user other mixed; do
		on "$a" $P $what $ASKED/asked/rights $caller
	done >$OUT/got
	[ -s $OUT/got ] && cmp -s $OUT/want $OUT/got || fail "$what: (<: the owner)
$(diff $OUT/want $OUT/got | head -n 20)"
done

# Who may not look into a directory does not spoil it for who uses it.
check "a mount" on "$a" sh -ec "mkdir -p $ASKED/asked/private/sub/x; chmod 700 $ASKED/asked/private
	mount --bind /tmp $ASKED/asked/private/sub/x"
for i in 1 2 3; do
	refuses "Permission denied" on "$a" setpriv --reuid=1234 --regid=1234 --clear-groups \
		stat $ASKED/asked/private/sub
done
check "it is there" on "$a" mountpoint -q $ASKED/asked/private/sub/x
check "unmounted" on "$a" umount $ASKED/asked/private/sub/x

# What the VFS looks at by itself: links of others in a sticky directory, set-id bits.
check "a link" on boot sh -ec "mkdir -m 1777 $D/tmp; ln -s ../d/f $D/tmp/evil
	chown -h 1234:1234 $D/tmp/evil"
sysctl=$(on "$a" cat /proc/sys/fs/protected_symlinks)
check "protected" on "$a" sh -c 'echo 1 >/proc/sys/fs/protected_symlinks; echo 3 >/proc/sys/vm/drop_caches'
for look in true "ls -l $ASKED/asked" "stat $ASKED/asked/tmp" "touch $ASKED/asked/tmp/x"; do
	check "$look" on "$a" sh -c "$look"
	refuses "Permission denied" on "$a" cat $ASKED/asked/tmp/evil
done
check "not sticky" on boot chmod 777 $D/tmp
check "followed" on "$a" cat $ASKED/asked/tmp/evil
check "as it was" on "$a" sh -c "echo $sysctl >/proc/sys/fs/protected_symlinks"

# How long: of a file that the owner writes to a copy takes all that fstat says.
copies='import os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
g = os.open(sys.argv[2], os.O_RDWR | os.O_CREAT | os.O_TRUNC)
for i in range(20):
	os.pwrite(g, b"x", 100000 + i)	# its own size is for FUSE to know
	assert os.fstat(g).st_size == 100001 + i
size = 0
while size < 1 << 16:
	size = os.fstat(f).st_size
	assert os.lseek(f, 0, os.SEEK_END) >= size
os.lseek(f, 0, os.SEEK_SET)
os.ftruncate(g, 0)
n = os.copy_file_range(f, g, 1 << 20, 0, 0)
assert n >= size, (n, size)
assert os.fstat(g).st_size == n, os.fstat(g)'
grows='import os, sys, time
f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
for i in range(300):
	os.pwrite(f, b"x" * 512, i * 512)
	time.sleep(0.02)'
for dir in $ASKED $SHARED; do
	check "a file" on boot sh -c "rm -f $D/log; echo >$D/log"
	on boot python3 -c "$grows" $D/log & writer=$!
	asks attr-ask 10 python3 -c "$copies" $dir/asked/log $dir/asked/copy
	wait $writer || fail "the writer: $?"
done

# What is removed is gone as on a local file system.
removes='import errno, os, stat, sys
os.chdir(sys.argv[1])
def fails(error, call, *args):
	try:
		call(*args)
	except OSError as e:
		assert e.errno == error, e
		return
	sys.exit("it succeeded")
os.makedirs("rm/sub")
os.chdir("rm")
open("a", "w").write("text")
os.link("a", "b")
os.link("a", "sub/c")
f = os.open("a", os.O_RDONLY)
os.unlink("a")
assert os.fstat(f).st_nlink == 2 and os.stat("b").st_nlink == 2
os.unlink("b")
fails(errno.ENOENT, os.unlink, "b")
fails(errno.ENOTEMPTY, os.rmdir, "sub")
fails(errno.EISDIR, os.unlink, "sub")
fails(errno.ENOTDIR, os.rmdir, "sub/c")
before = os.stat("sub").st_mtime_ns
os.unlink("sub/c")
assert os.stat("sub").st_mtime_ns > before
assert os.fstat(f).st_nlink == 0 and os.read(f, 9) == b"text"
os.close(f)
d = os.open("sub", os.O_RDONLY)
links = os.stat(".").st_nlink
os.rmdir("sub")
assert os.stat(".").st_nlink == links - 1 and os.fstat(d).st_nlink == 0 and not os.listdir(d)
for i in range(500):
	os.close(os.open("f%d" % i, os.O_WRONLY | os.O_CREAT))
for entry in os.scandir("."):	# removed while it is read
	os.unlink(entry.name)
assert not os.listdir(".")
os.mkdir("sticky")
os.chmod("sticky", 0o1777)
open("sticky/roots", "w").close()
os.mkdir("shut")
open("shut/f", "w").close()
if not os.fork():
	os.setgid(1234), os.setuid(1234)
	fails(errno.EPERM, os.unlink, "sticky/roots")
	fails(errno.EACCES, os.unlink, "shut/f")
	open("sticky/mine", "w").close()
	os.unlink("sticky/mine")
	os._exit(0)
assert os.wait()[1] == 0'
for dir in $ASKED $SHARED; do
	direct=$(counter "$a" names direct)
	check "removed in $dir" on "$a" python3 -c "$removes" $dir/asked
	n=$(($(counter "$a" names direct) - direct))
	[ "$n" -gt 500 ] || fail "removed in $dir: only $n without FUSE"
	check "nothing else was" on boot sh -c "cd $D/rm && [ \"\$(find . | wc -l)\" = 5 ]"
	check "the rest" on "$a" rm -r $dir/asked/rm
done
on boot test ! -e $D/rm || fail "rm -r has left something"

# States that never were.
coherent_begin
coherent 36 "boot $SHARED" "$a $ASKED" "$b" || fail "changed on the owner: $said"
KINDS=create,unlink,rename,chmod,write,mkdir,rmdir,acl
coherent 8 "$b" "$a $ASKED" "boot $SHARED" || fail "changed on $b: $said"
COUNTING=off
coherent 8 "boot $SHARED" "$a $ASKED" || fail "nobody counts, and nobody remembers: $said"
coherent 8 "boot $SHARED" "$a"
rc=$?
COUNTING=on KINDS=
coherent_forget
[ $rc = 1 ] || fail "nobody counts, and who remembers sees nothing old: status $rc: $said"

# Without ccfs there is no way round FUSE.
check "killed" on "$a" pkill -KILL -f "mount.ccfs.*$ASKED"
refuses "not connected" on "$a" stat $ASKED/asked/d/f
check "unmounted" on "$a" umount $ASKED
mounted
check "stat" on "$a" stat $ASKED/asked/d/f
check "unmounted again" on "$a" umount $ASKED
dmesg_clean
echo "asked of the owner, and as true and as allowed"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
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

# States that never were.
coherent_begin
coherent 36 "boot $SHARED" "$a $ASKED" "$b" || fail "changed on the owner: $said"
coherent 36 "$b" "$a $ASKED" "boot $SHARED" || fail "changed on $b: $said"
COUNTING=off
coherent 36 "boot $SHARED" "$a $ASKED" || fail "nobody counts, and nobody remembers: $said"
coherent 36 "boot $SHARED" "$a"
rc=$?
COUNTING=on
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

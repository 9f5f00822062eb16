#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# Mounts come and go as any: by /etc/fstab with everybody's options, which /proc/mounts shows;
# not while they are in use, unless lazily (umount -l: who uses it goes on, and nothing is left
# after him) or by force (umount -f: who waits for an owner that says nothing gets an error
# instead). The control: without force he goes on waiting.

. "$(dirname "$0")/lib.sh"

D=/srv/shared/unmount
M=/tmp/unmount
read -ra clients < <(clients)
a=${clients[0]}
out=$(mktemp -d)
proxy=

restore() {
	[ -z "$proxy" ] || on boot kill -CONT "$proxy"
	on "$a" sh -c "pkill -f unmount-[a-z]*.py; umount -l $M; umount -l $M; sed -i '\\|$M|d' /etc/fstab; rmdir $M; rm -f /tmp/unmount-use.py"
	on boot rm -rf $D
	wait
	rm -rf "$out"
} >/dev/null 2>&1
trap restore EXIT

ccfs_there() { on "$a" pgrep -f "^/sbin/mount.ccfs boot:/srv/shared $M" >/dev/null; }
ccfs_gone() { ! ccfs_there; }
said() { grep -q "$1" "$out/use"; }
ends() { ! kill -0 "$1"; }
# Has the owner ended so many mounts?
ended() { on boot grep -c "^proxyd\[$a\]: mount ended" /run/ccluster/proxyd.log; }
one_ended() { [ "$(ended)" = $((before + 1)) ]; }

cat >"$out/use.py" <<'PY'
import mmap, os, sys, time
m = sys.argv[1] + "/unmount"
fd = os.open(m + "/file", os.O_RDWR)
mem = mmap.mmap(fd, 4096)
os.chdir(m)
print("uses", flush=True)
for line in sys.stdin:
	n = line.strip().encode()
	mem[:len(n)] = n
	assert os.pread(fd, len(n), 0) == n
	assert open("file", "rb").read(len(n)) == n
	open("new", "wb").write(n)
	print("wrote " + line.strip(), flush=True)
PY

# use: a process that has the mount in use, until its input ends.
use() {
	check "a program" "$BOX" cp "$out/use.py" "$a:/tmp/unmount-use.py"
	rm -f "$out/say"
	mkfifo "$out/say"
	timeout $((150 * ${SLOW-1})) "$BOX" exec "$a" -- python3 /tmp/unmount-use.py $M <"$out/say" >"$out/use" 2>&1 &
	user=$!
	exec {to_user}>"$out/say"
	await 30 said uses || fail "it is not used: $(cat "$out/use")"
}

dmesg_mark
check "a directory" on boot sh -c "rm -rf $D; mkdir $D; dd if=/dev/zero of=$D/file bs=4096 count=1 status=none"

# By fstab.
check "fstab" on "$a" sh -c "mkdir -p $M; echo 'boot:/srv/shared $M ccfs nocache,noatime,nosuid,nodev,nofail,_netdev,noauto,x-systemd.idle-timeout=5min,comment=x 0 0' >>/etc/fstab"
check "mount" on "$a" mount $M
shown=$(on "$a" findmnt -no SOURCE,FSTYPE,OPTIONS $M)
for what in boot:/srv/shared fuse.ccfs names=asked noatime nosuid nodev; do
	[[ $shown == *"$what"* ]] || fail "not shown: $what in $shown"
done
check "it is there" on "$a" test -e $M/unmount/file
refuses "" on "$a" mount -o remount,noexec $M
check "umount" on "$a" umount $M
await 20 ccfs_gone || fail "a ccfs is left"
refuses "unknown option 'nonsense'" on "$a" mount -t ccfs -o nonsense boot:/srv/shared $M
check "not one that is not known, but sloppily" on "$a" mount -s -t ccfs -o nonsense boot:/srv/shared $M
check "umount" on "$a" umount $M

# In use: not, or lazily.
check "mount" on "$a" mount -t ccfs boot:/srv/shared $M
before=$(ended)
use
refuses busy on "$a" umount $M
check "lazily" on "$a" umount -l $M
on "$a" test -e $M/unmount && fail "the name is still there"
echo lazy >&"$to_user"
await 30 said "wrote lazy" || fail "who used it cannot go on: $(cat "$out/use")"
[ "$(on boot head -c 4 $D/file)$(on boot cat $D/new)" = lazylazy ] || fail "the owner has $(on boot head -c 4 $D/file)"
ccfs_there || fail "it is in use, and its ccfs has gone"
exec {to_user}>&-
wait "$user" || fail "who used it: $(cat "$out/use")"
await 20 ccfs_gone || fail "nobody uses it, and its ccfs is left"
await 20 one_ended || fail "the owner has ended $(ended) mounts of $a, $before before"

# The owner says nothing.
check "mount" on "$a" mount -t ccfs -o nocache boot:/srv/shared $M
before=$(ended)
use
proxy=$(proxy_of "$a")
check "the owner falls silent" on boot kill -STOP "$proxy"
timeout $((150 * ${SLOW-1})) "$BOX" exec "$a" -- stat $M/unmount/file </dev/null >"$out/stat" 2>&1 &
asks=$!
timeout $((150 * ${SLOW-1})) "$BOX" exec "$a" -- touch $M/unmount/other </dev/null >"$out/touch" 2>&1 &
makes=$!
sleep 5
kill -0 $asks && kill -0 $makes || fail "who asks does not wait: $(cat "$out/stat" "$out/touch")"
on "$a" timeout 20 umount -f $M >"$out/force" 2>&1
[ $? != 124 ] || fail "umount -f waits"
for who in $asks $makes; do
	await 20 ends "$who" || fail "who waits goes on waiting"
	wait "$who" && fail "who waited got an answer: $(cat "$out/stat" "$out/touch")"
done
check "it falls off" on "$a" umount -l $M
exec {to_user}>&-
await 20 ends "$user" || fail "who used it waits"
await 20 ccfs_gone || fail "a ccfs is left"
check "the owner goes on" on boot kill -CONT "$proxy"
proxy=
await 30 one_ended || fail "the owner has ended $(ended) mounts of $a, $before before"
check "the other mount" on "$a" test -e $D/file
check "and again" on "$a" mount -t ccfs boot:/srv/shared $M
check "umount" on "$a" umount $M
await 20 ccfs_gone || fail "a ccfs is left"

dmesg_clean
echo "mounts by fstab; lazily, who uses one goes on; by force, nobody waits"

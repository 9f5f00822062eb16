#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# Pages of the region are pages like any other on a client: direct I/O, futexes,
# debuggers and other processes reach them. And they cost no more messages than
# they have to: a fault brings the neighbours, a first write asks once.

. "$(dirname "$0")/lib.sh"

T=/usr/lib/ccluster/tests
DIR=/srv/shared/pages
DEBUG=/sys/kernel/debug/sharedpc
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

dmesg_mark
check "directory" on boot sh -c "rm -rf $DIR; mkdir $DIR; truncate -s 128K $DIR/f"
check "a disk in memory" on "$a" modprobe brd rd_nr=1 rd_size=1024
for what in ptrace vm futex "direct"; do
	got=$(on "$a" $T/pages $what $DIR/f /dev/ram0 2>&1)
	[ "$got" = "$what ok" ] || fail "$what on $a: $got"
done
[ "$(on "$b" sh -c "tail -c +8193 $DIR/f | head -c 4096 | tr -d b | wc -c")" = 0 ] ||
	fail "$b does not see what direct I/O put into the page"

# What direct I/O stores after the owner has written the page back is on its disk when fsync
# has returned, also if the first word of it got lost.
check "a slow disk" on "$a" sh -c "modprobe dm-delay; dmsetup create slow --noudevsync --table '0 2048 delay /dev/ram0 0 4000'"
late() { on "$a" sed -n 's/.* late \([0-9]*\) .*/\1/p' $DEBUG/counters; }
before=$(late)
on "$a" $T/pages late $DIR/f /dev/dm-0 >"$out" 2>&1 &
await 20 grep -q begins "$out" || fail "late: $(cat "$out")"
check "write it back" on boot sync $DIR/f
check "drop" on "$a" sh -c "echo fault drop 1 >$DEBUG/inject"
wait $! || fail "late: $(cat "$out")"
on boot dd if=$DIR/f bs=4096 skip=3 count=1 iflag=direct status=none >"$out"
check "no drop" on "$a" sh -c "echo fault drop 0 >$DEBUG/inject"
[ "$(late)" -gt "$before" ] || fail "nothing came late: no test"
[ "$(tr -d a <"$out" | wc -c)" = 0 ] || fail "fsync has returned, and the disk has $(head -c 20 "$out")"
check "away with the disks" on "$a" sh -c "dmsetup remove slow; rmmod dm-delay brd"

# The tools that people have for it.
check "strace" on "$a" strace -f -o /dev/null sh -c "echo x >$DIR/g; cat $DIR/g"
check "fio" on "$a" fio --name=t --filename=$DIR/fio --size=4M --bs=4k --rw=randrw \
	--ioengine=mmap --verify=crc32c --do_verify=1 --output=/dev/null
check "fio by read and write" on "$b" fio --name=t --filename=$DIR/fio --size=4M --bs=16k \
	--rw=randrw --ioengine=psync --verify=crc32c --do_verify=1 --output=/dev/null
check "stress-ng" on "$a" sh -c "cd $DIR && stress-ng --temp-path . --mmap 2 --mmap-file \
	--mmap-bytes 1M --mmap-ops 10 --timeout 20 --quiet"

# 16 pages that the owner has in memory: one fault and one message bring all;
# the first store to one of them costs one more, the next ones nothing.
check "32 pages" on boot dd if=/dev/zero bs=128K count=1 of=$DIR/around status=none
check "around" on "$a" $T/pages around $DIR/around

# Who has how much of which file can be read on the owner.
on "$a" sh -c "exec 3<$DIR/f; cat <&3 >/dev/null; sleep 4" &
inode=$(on boot stat -c %i $DIR/f)
holds() { on boot grep "^client [0-9]* device .* inode $inode .* frames 32 " /sys/kernel/debug/sharedpc/files; }
await 20 holds || fail "who holds $DIR/f: $(on boot cat /sys/kernel/debug/sharedpc/files)"
wait
check "clean up" on boot rm -rf $DIR
dmesg_clean
echo "pages: direct I/O, futex, ptrace, other processes; one message for 16"

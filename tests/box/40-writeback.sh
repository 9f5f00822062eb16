#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
#
# No store is lost: a client stores through mmap, 10,000 times all over a
# file, while the owner runs sync and write-back all the time. Then the client
# unmaps, the owner drops its caches, and every byte is read from the disk:
# by the owner with O_DIRECT, and from the disk image outside of the machine.

. "$(dirname "$0")/lib.sh"

ROUNDS=${ROUNDS:-10000}
DIR=/srv/shared/writeback
T=/usr/lib/ccluster/tests

dmesg_mark
set -- $(clients)
check "directory" on boot mkdir -p $DIR
check "file" on boot sh -c "dd if=/dev/zero of=$DIR/f bs=1M count=4 status=none && sync"

on boot sh -c "rm -f $DIR/stop; n=0; while [ ! -e $DIR/stop ]; do
	sync; echo 1 >/proc/sys/vm/dirty_writeback_centisecs; n=\$((n + 1)); done; echo \$n" >"/tmp/sync.$$" &
syncer=$!
revokes=$(counter "$1" "client files" revokes)
check "stores on $1" on "$1" $T/stores write $DIR/f "$ROUNDS"
revokes=$(($(counter "$1" "client files" revokes) - revokes))
check "read by mmap on the owner" on boot $T/stores verify $DIR/f "$ROUNDS"
[ $# -lt 2 ] || check "read by mmap on $2" on "$2" $T/stores verify $DIR/f "$ROUNDS"
on boot touch $DIR/stop
wait $syncer
syncs=$(cat "/tmp/sync.$$")
rm -f "/tmp/sync.$$"
[ "$syncs" -ge 20 ] || fail "only $syncs syncs"
[ "$revokes" -ge 20 ] || fail "only $revokes revokes while $1 stored"
echo "$ROUNDS stores, $syncs syncs, $revokes revokes meanwhile"

# The file is closed everywhere: its frames have to come back by themselves.
await 30 holds_nothing $(clients) || fail "frames are held: $(on boot cat /sys/kernel/debug/sharedpc/files)"
check "unmount" on "$1" umount /srv/shared
check "drop caches" on boot sh -c 'sync; echo 3 >/proc/sys/vm/drop_caches'
check "on the disk, read with O_DIRECT" on boot sh -c \
	"dd if=$DIR/f of=/tmp/f bs=1M iflag=direct status=none && $T/stores verify /tmp/f $ROUNDS; rm -f /tmp/f"

# From outside: freeze, so that the journal is empty, and look at the image.
check "freeze" on boot fsfreeze -f /srv/shared
debugfs -R "dump /writeback/f /tmp/image.$$" "$(dirname "$BOX")/../build/box/run/data.img" 2>/dev/null
check "thaw" on boot fsfreeze -u /srv/shared
check "copy" "$BOX" cp "/tmp/image.$$" boot:/tmp/image
rm -f "/tmp/image.$$"
check "in the disk image" on boot $T/stores verify /tmp/image "$ROUNDS"
check "mount again" on "$1" mount -t ccfs boot:/srv/shared /srv/shared
check "clean up" on boot sh -c "rm -rf $DIR /tmp/image; echo 500 >/proc/sys/vm/dirty_writeback_centisecs"
dmesg_clean

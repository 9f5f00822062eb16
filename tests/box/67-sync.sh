#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 180
#
# sync(1) and syncfs(2) on a client: what it wrote is on the owner's disk when they return;
# before them (the control) it was not. Who waits in one while the owner does not answer can
# be killed, and others go on after that; nobody waits for a file system that is frozen.

. "$(dirname "$0")/lib.sh"

D=/srv/shared/sync
read -ra clients < <(clients)
a=${clients[0]} proxy=
waits=()

restore() {
	on boot sh -c "kill -CONT $proxy; fsfreeze -u /srv/shared; rm -rf $D; echo 500 >/proc/sys/vm/dirty_writeback_centisecs" 2>/dev/null
	on "$a" pkill -9 -x sync
}
trap restore EXIT

# Blocks of a file have no place on the disk before they are written back (ext4's delayed
# allocation).
placed() { on boot sh -c "! filefrag -v $1 | grep -q delalloc" </dev/null; }
written() {
	check "file" on "$a" sh -c "head -c 65536 /dev/urandom >$1"
	placed "$1" && fail "it is on the disk already"
}

dmesg_mark
check "directory" on boot sh -c "rm -rf $D; mkdir $D; echo 0 >/proc/sys/vm/dirty_writeback_centisecs"
written $D/a
check "sync" on "$a" sync
placed $D/a || fail "sync(1) wrote nothing back"
written $D/b
check "syncfs" on "$a" sync -f $D
placed $D/b || fail "syncfs(2) wrote nothing back"
sum=$(on "$a" sha256sum $D/b)
check "drop caches" on boot sh -c "echo 3 >/proc/sys/vm/drop_caches"
[ "$sum" = "$(on boot sha256sum $D/b)" ] || fail "something else is on the disk"

# While the owner's proxy does not answer, who waits can be killed, and the next one goes on.
proxy=$(proxy_of "$a")
check "stop its proxy" on boot kill -STOP "$proxy"
for n in 1 2 3; do
	on "$a" sync -f $D </dev/null >/dev/null 2>&1 &
	waits+=($!)
done
syncs() { [ "$(on "$a" pgrep -cx sync)" = "$1" ]; }
await 20 syncs 3 || fail "$(on "$a" pgrep -cx sync) wait, of 3"
on "$a" pkill -9 -x sync
await 20 syncs 0 || fail "who waits cannot be killed"
check "let it go on" on boot kill -CONT "$proxy"
wait "${waits[@]}"
check "sync after that" on "$a" sync -f $D

# A file system that is frozen has nothing to write.
check "freeze" on boot fsfreeze -f /srv/shared
check "sync of a frozen one" on "$a" timeout 20 sync -f $D
check "names" on "$a" timeout 20 ls $D/a
check "thaw" on boot fsfreeze -u /srv/shared

dmesg_clean
echo "written back by sync and syncfs"

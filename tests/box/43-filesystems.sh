#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# Not only ext4: files of an xfs and of a tmpfs are exported, mapped on two
# images, stored to by both, cut off and removed. And an overlay, whose pages are those of
# the file below: who uses both at once gets an error for one of them, and no endless
# fault.

. "$(dirname "$0")/lib.sh"

CONF=/etc/ccluster/partitions.conf
T=/usr/lib/ccluster/tests
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

restore() {
	for image in "$a" "$b"; do
		on "$image" sh -c 'for t in xfs tmpfs; do umount /tmp/$t; done' 2>/dev/null
	done
	on "$a" umount /tmp/over 2>/dev/null
	on boot sh -c "[ ! -e $CONF.saved ] || mv $CONF.saved $CONF
		umount /srv/over && rmdir /srv/over; rm -rf /srv/shared/below
		for t in xfs tmpfs; do umount /srv/\$t && rmdir /srv/\$t; done; rm -f /var/tmp/xfs.img" 2>/dev/null
}
trap restore EXIT

dmesg_mark
check "file systems" on boot sh -ec "cp $CONF $CONF.saved; mkdir -p /srv/xfs /srv/tmpfs
	mount -t tmpfs none /srv/tmpfs
	modprobe loop; truncate -s 320M /var/tmp/xfs.img; mkfs.xfs -q /var/tmp/xfs.img
	mount -o loop /var/tmp/xfs.img /srv/xfs
	for t in xfs tmpfs; do
		printf 'export %s {\n path = \"/srv/%s\"\n to = {\"*\"}\n squash = \"none\"\n}\n' \$t \$t >>$CONF
	done"

for type in xfs tmpfs; do
	F=/tmp/$type/f
	for image in "$a" "$b"; do
		check "mount" on "$image" sh -c "mkdir -p /tmp/$type && mount -t ccfs boot:/srv/$type /tmp/$type"
	done
	check "file" on "$a" sh -c "head -c 1M /dev/urandom >$F"
	[ "$(on "$b" md5sum $F)" = "$(on boot md5sum /srv/$type/f | sed "s|/srv|/tmp|")" ] ||
		fail "$type: $b reads something else than the owner"
	check "store" on "$b" $T/mapped store $F 8192 4711
	[ "$(on "$a" $T/mapped load $F 8192)" = 4711 ] || fail "$type: $a does not see the store"
	[ "$(on boot $T/mapped read /srv/$type/f 8192)" = 4711 ] || fail "$type: the owner does not see the store"
	check "stores" on "$a" $T/stores write $F 2000
	check "file of stores" on boot sh -c "truncate -s 0 /srv/$type/f && truncate -s 1M /srv/$type/f"
	check "stores" on "$a" $T/stores write $F 2000
	check "verify on $b" on "$b" $T/stores verify $F 2000
	check "cut" on boot truncate -s 4096 /srv/$type/f
	on "$b" $T/mapped load $F 8192 >/dev/null 2>&1
	[ $? = 135 ] || fail "$type: past the end there is no SIGBUS on $b"
	check "names" on "$b" sh -c "mkdir /tmp/$type/d && mv $F /tmp/$type/d/g && ! test -e $F"
	on boot test -e /srv/$type/d/g || fail "$type: the owner has no d/g"
	check "away" on "$a" rm -r /tmp/$type/d
	for image in "$a" "$b"; do check "umount" on "$image" umount /tmp/$type; done
done

check "overlay" on boot sh -ec "modprobe overlay; mkdir -p /srv/over /srv/shared/below /srv/tmpfs/u /srv/tmpfs/w
	head -c 64K /dev/urandom >/srv/shared/below/f
	mount -t overlay -o lowerdir=/srv/shared/below,upperdir=/srv/tmpfs/u,workdir=/srv/tmpfs/w none /srv/over
	printf 'export over {\n path = \"/srv/over\"\n to = {\"*\"}\n squash = \"none\"\n}\n' >>$CONF"
check "mount" on "$a" sh -c "mkdir -p /tmp/over && mount -t ccfs boot:/srv/over /tmp/over"
timeout 100 "$BOX" exec "$a" -- sh -c "exec 3</srv/shared/below/f; cat <&3 >/dev/null; $T/mapped await /srv/shared/below/f 0 4711" >/dev/null 2>&1 &
holder=$!
holds() { on "$a" pgrep -x mapped; }
await 20 holds || fail "$a does not map the file"
await 20 sh -c "'$BOX' exec boot -- grep -q 'inode $(on boot stat -c %i /srv/shared/below/f) ' /sys/kernel/debug/sharedpc/files" ||
	fail "$a has no frame of the file"
refuses "Input/output error" on "$a" cat /tmp/over/f
kill $holder
wait $holder
again() { [ "$(on "$a" sh -c 'cat /tmp/over/f | md5sum')" = "$(on boot sh -c 'md5sum </srv/shared/below/f')" ]; }
check "the first is closed" on "$a" sh -c "echo 1 >/srv/shared/below/f.new && mv /srv/shared/below/f.new /srv/shared/below/g"
await 30 again || fail "$a cannot read the overlay: $(on "$a" cat /tmp/over/f 2>&1 | head -c 100)"
check "umount" on "$a" umount /tmp/over
check "unmount" on boot sh -ec "umount /srv/xfs; mount -o loop /var/tmp/xfs.img /srv/xfs"
dmesg_clean
echo "xfs and tmpfs are shared like ext4, an overlay like a file system of its own"

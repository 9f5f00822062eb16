#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# Not only ext4: files of an xfs and of a tmpfs are exported, mapped on two
# images, stored to by both, cut off and removed.

. "$(dirname "$0")/lib.sh"

CONF=/etc/ccluster/partitions.conf
T=/usr/lib/ccluster/tests
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

restore() {
	for image in "$a" "$b"; do
		on "$image" sh -c 'for t in xfs tmpfs; do umount /tmp/$t; done' 2>/dev/null
	done
	on boot sh -c "[ ! -e $CONF.saved ] || mv $CONF.saved $CONF
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
check "unmount" on boot sh -ec "umount /srv/xfs; mount -o loop /var/tmp/xfs.img /srv/xfs"
dmesg_clean
echo "xfs and tmpfs are shared like ext4"

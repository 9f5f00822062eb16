#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# long: STEPS=4
# long timeout: 1200
#
# Who may do what, of all kinds of files, for root and others, by mode, owner,
# group and ACL: the matrix that prog/rights makes on the owner's own ext4 is
# the one that clients get. When nothing is remembered; when all is; and when
# what is remembered has been changed on another image meanwhile, STEPS times (1).
#
# By design the same, though the images differ: a socket to which another image
# listens cannot be connected to, so those of the matrix have no listener
# anywhere (ECONNREFUSED, or EACCES), and those with one are each image's own. A
# device file opens the device of whoever opens it.

. "$(dirname "$0")/lib.sh"

P=/usr/lib/ccluster/tests/rights
D=/srv/shared/permissions
CONF=/etc/ccluster/partitions.conf
OUT=/tmp/permissions.$$
read -ra clients < <(clients)
a=${clients[0]} b=${clients[-1]}

restore() {
	rm -rf $OUT
	on "$a" umount /tmp/ro 2>/dev/null
	on boot sh -c "[ ! -e $CONF.saved ] || mv $CONF.saved $CONF
		umount /srv/ro && rmdir /srv/ro; rm -f /var/tmp/ro.img" 2>/dev/null
}
trap restore EXIT
mkdir -p $OUT

# matrix IMAGE WHAT DIR [CALLER...]: a command each, for the time that one may take.
matrix() {
	local image=$1 what=$2 dir=$3 caller

	shift 3
	[ $# -gt 0 ] || set -- root user other mixed
	for caller; do
		on "$image" $P "$what" "$dir" "$caller" || fail "$what as $caller on $image" >&2
	done
}

# same WHEN FILE: of what a client got ($OUT/got) and the owner has said.
same() {
	[ -s $OUT/got ] || fail "$1: nothing"
	cmp -s $OUT/got "$2" || fail "$1: $(diff "$2" $OUT/got | grep -c '^>') lines differ (<: the owner's ext4):
$(diff "$2" $OUT/got | head -n 20)"
}

# looks IMAGE STEP WHEN, uses ...: what it gets must be what the owner said.
looks() { matrix "$1" look $D >$OUT/got; same "$3 on $1" "$OUT/look.$2"; }
uses() { matrix "$1" use $D >$OUT/got; same "$3 on $1" "$OUT/use.$2"; }

reference() {
	matrix boot look $D >"$OUT/look.$1"
	matrix boot use $D >"$OUT/use.$1"
}

forget() { check "drop caches" on "$1" sh -c 'sync; echo 3 >/proc/sys/vm/drop_caches'; }

dmesg_mark
check "files" on boot sh -ec "rm -rf $D; $P make $D"
reference 0
looks "$a" 0 "first look"
looks "$a" 0 "warm look"
forget "$a"
looks "$a" 0 "look after drop_caches"
uses "$b" 0 "changes, nothing known"
looks "$b" 0 "look after changes"
uses "$a" 0 "changes, all known"

# All of it is known on $a, then somebody else gives each file what another had.
step=0
for changer in boot "$b" boot "$b"; do
	[ $step -lt "${STEPS:-1}" ] || break
	looks "$a" $step "look before a change"
	step=$((step + 1))
	check "change $step on $changer" on "$changer" $P change $D $step
	# Before the owner says what it should be: what he does makes us ask anew.
	matrix "$a" look $D >$OUT/got
	matrix boot look $D >$OUT/look.$step
	same "look after change $step by $changer" $OUT/look.$step
	looks "$a" $step "warm look after change $step by $changer"
done
step=$((step + 1))
check "change $step on boot" on boot $P change $D $step
matrix "$a" use $D >$OUT/got
matrix boot use $D >$OUT/use.$step
same "changes after change $step" $OUT/use.$step
check "change 0 on $a" on "$a" $P change $D 0

# Sticky directories, and sockets with a listener.
for what in sticky sockets; do
	check "$what on boot" on boot sh -c "$P $what $D >/tmp/rights.$what"
	on boot cat /tmp/rights.$what >$OUT/$what
	for image in "$a" "$b" "$a"; do
		on "$image" $P $what $D >$OUT/got || fail "$what on $image"
		same "$what on $image" $OUT/$what
	done
done

# Capabilities without root's uid do not count, and root's uid without them does.
for what in look use; do
	for pair in caps:user nocaps:root; do
		grep "^${pair#*:} " $OUT/$what.0 | sed 's/ O_NOATIME [A-Za-z]*//' |
			grep -v '^[a-z]* setid/' >$OUT/want
		matrix "$b" $what $D "${pair%:*}" >$OUT/got
		same "${pair%:*} $what" $OUT/want
	done
done
check "clean up" on "$b" rm -rf $D

# Read-only: the same as of an ext4 that is mounted so.
check "a file system for an export" on boot sh -ec "cp $CONF $CONF.saved; mkdir -p /srv/ro
	modprobe loop; truncate -s 64M /var/tmp/ro.img; mkfs.ext4 -q /var/tmp/ro.img
	mount -o loop /var/tmp/ro.img /srv/ro; $P make /srv/ro/t; mount -o remount,ro /srv/ro
	printf 'export ro {\n path = \"/srv/ro\"\n to = {\"*\"}\n mode = \"ro\"\n squash = \"none\"\n nosuid = \"no\"\n nodev = \"no\"\n}\n' >>$CONF"
for what in look use; do matrix boot $what /srv/ro/t >$OUT/ro.$what; done
check "writable again on the owner" on boot mount -o remount,rw /srv/ro
refuses "read-only" on "$a" sh -c "mkdir -p /tmp/ro; mount -t ccfs boot:/srv/ro /tmp/ro"
check "mount" on "$a" mount -t ccfs -o ro boot:/srv/ro /tmp/ro
for when in first again; do
	for what in look use; do
		matrix "$a" $what /tmp/ro/t >$OUT/got
		same "$what of a read-only export, $when" $OUT/ro.$what
	done
done
check "umount" on "$a" umount /tmp/ro
dmesg_clean
echo "$(cat $OUT/look.0 $OUT/use.0 | wc -l) lines of the matrix agree on $a, $b and the owner"

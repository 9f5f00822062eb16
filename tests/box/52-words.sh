#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# long: WRAPS=4
# long timeout: 2400
#
# What is remembered stays right when many names share a word (word_bits, on a
# file system that nobody has watched before), and when words wrap: where fewer
# bits of them are kept (39 in a dentry), and at 64. Words go forward by
# words_forward, all of them; each is counted on from there as it is used, so
# several steps (WRAPS, 2) take those in use over the edge one after another.

. "$(dirname "$0")/coherent.sh"

CONF=/etc/ccluster/partitions.conf
BITS=/sys/module/sharedpc/parameters/word_bits
FORWARD=/sys/kernel/debug/sharedpc/words_forward
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

restore() {
	coherent_forget
	coherent_end
	for image in "$a" "$b" boot; do
		on "$image" sh -c 'umount /tmp/few && rmdir /tmp/few' 2>/dev/null
	done
	on boot sh -c "echo 0 >$BITS; [ ! -e $CONF.saved ] || mv $CONF.saved $CONF
		umount /srv/few && rmdir /srv/few; rm -f /var/tmp/few.img" 2>/dev/null
}
trap restore EXIT

forward() { check "forward" on boot sh -c "echo $(printf %u "$1") >$FORWARD"; }

# asks DIR ON-BOOT: how often image a has to ask for one name in DIR, of 1000
# times, while the owner makes others in it, and has begun to. (DIR itself changes each time: so
# not by its name.)
asks() {
	local pid n

	check "file" on boot sh -c "echo x >$2/one"
	timeout 60 "$BOX" exec boot -- sh -c "i=0; while [ ! -e $2/stop ] && [ \$i -lt 8000 ]; do
		: >$2/other\$i; i=\$((i + 1)); done" </dev/null &
	pid=$!
	n=$(on "$a" sh -c "asked() { sed -nE 's/^names .*name-ask ([0-9]+).*/\\1/p' \
			/sys/kernel/debug/sharedpc/counters; }
		cd $1 || exit 1
		until [ -e other9 ]; do sleep 0.01; done
		before=\$(asked); i=0
		while [ \$i -lt 1000 ]; do [ -e one ]; i=\$((i + 1)); done
		echo \$((\$(asked) - before))")
	on boot touch "$2/stop"
	wait $pid || fail "the owner makes no names in $2"
	on boot sh -c "cd $2 && find . -name 'other*' -delete; rm -f stop one"
	echo "${n:-0}"
}

dmesg_mark
check "file system" on boot sh -ec "cp $CONF $CONF.saved; mkdir -p /srv/few
	modprobe loop; truncate -s 96M /var/tmp/few.img; mkfs.ext4 -q -N 16384 /var/tmp/few.img
	mount -o loop /var/tmp/few.img /srv/few; echo 2 >$BITS
	printf 'export few {\n path = \"/srv/few\"\n to = {\"*\"}\n squash = \"none\"\n nosuid = \"no\"\n nodev = \"no\"\n}\n' >>$CONF"
for image in "$a" "$b" boot; do
	check "mount" on "$image" sh -c "mkdir -p /tmp/few && mount -t ccfs boot:/srv/few /tmp/few"
done
check "all bits again" on boot sh -c "echo 0 >$BITS"

# Four words for all names: most changes spoil what is remembered of all others.
coherent_begin
few=$(asks /tmp/few /srv/few) all=$(asks $SHARED/$COHERENT_DIR $SHARED/$COHERENT_DIR)
echo "asked $few of 1000 times with 2 bits, $all times with all"
[ "$few" -gt $((all + 20)) ] || fail "2 bits are as good as all: asked $few and $all times"

# All is asked for there: slow, so all kinds only with --long.
few() {
	local rounds=10

	SHARED=/srv/few KINDS=create,unlink,rename,exchange,mkdir,rmdir,chmod,write,acl,search
	[ -z "${WRAPS-}" ] || KINDS= rounds=36
	check "directory" on boot mkdir -p /srv/few/$COHERENT_DIR
	coherent "$rounds" "$@" || fail "2 bits, changed by $1: $said"
	SHARED=/srv/shared KINDS=
}
few "boot /srv/few" "$a /tmp/few" "$b /tmp/few"
# The others, and words that few share across a wrap: with --long.
[ -z "${WRAPS-}" ] || few "$a /tmp/few" "$b /tmp/few" "boot /srv/few"
[ -z "${WRAPS-}" ] || few "boot /tmp/few /srv/few" "$a /tmp/few" "boot /srv/few"

# near N: all words just before N, WRAPS steps of 16. In quarters: what is noted
# of files is never replaced by something older, so words that went forward by
# more than half of all there are would leave all that is noted for good.
at=0
near() {
	local way=$(($1 - 16 * ${WRAPS:-2} - at)) i image

	for i in 1 2 3 4; do
		forward $((way >> 2 & (1 << 62) - 1))
		for image in $(clients) boot; do
			check "look" on "$image" sh -c "ls -l / /usr /srv $SHARED /tmp/few >/dev/null
				! mountpoint -q /mnt/shared || ls -l /mnt/shared >/dev/null"
		done
	done
	at=$1
}

# wrap N: over N, where a part of them wraps.
wrap() {
	local wraps=${WRAPS:-2}

	near $1
	KINDS=create,unlink,rename,chmod,write,mkdir,link,acl,updir
	while [ $((wraps--)) -gt 0 ]; do
		coherent 9 "boot $SHARED" "$a" "$b" "boot /mnt/shared" || fail "$2: $said"
		forward 16
	done
	KINDS=
	[ -z "${WRAPS-}" ] || few "boot /srv/few" "$a /tmp/few" "$b /tmp/few"
}
wrap $((1 << 39)) "39 bits wrap"
wrap 0 "64 bits wrap"
forward 16	# a word that is 0 is not kept
coherent 36 "$b" "$a" "boot $SHARED" || fail "after it has wrapped: $said"
dmesg_clean
echo "shared words and wrapped words: nothing old"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# long: LOST=1000 BUSY=24
# long timeout: 30000
# may log: .*: ring made no sense
#
# Messages of each type (of LOST_TYPES: all) get lost, come late, come twice or are spoilt,
# LOST (3) of each kind, while BUSY (4) processes of a client do all that there is to do:
# each of their steps comes out right, it only takes longer; no image is fenced; and
# afterwards no call is open, no buffer, frame or page is kept. The control: what always
# gets lost is not done until that ends.

. "$(dirname "$0")/lib.sh"

LOST=${LOST-3}
BUSY=${BUSY-4}
LOST_TYPES=${LOST_TYPES-name fault write fsync punch close revoked kept released frames done revoke freed}
DIR=/srv/shared/lost
DEBUG=/sys/kernel/debug/sharedpc
read -ra clients < <(clients)
a=${clients[0]}

disarm() {
	for image in boot "$a"; do
		on "$image" sh -c "for t in fault write fsync punch close name frames done revoke revoked kept released freed; do
			echo \$t drop 0; done | while read -r l; do echo \$l >$DEBUG/inject; done" </dev/null
	done
	on "$a" touch /tmp/lost.stop </dev/null
}
trap 'disarm; rm -f /tmp/lost.$$' EXIT

# image_of TYPE: who sends such.
image_of() {
	case $1 in
	frames|done|revoke|freed) echo boot ;;
	*) echo "$a" ;;
	esac
}
# Or nobody is at work any more.
spent() {
	local left

	kill -0 $busy || return 0
	left=$(on "$1" cat $DEBUG/inject) && [ -z "$left" ]
}
# spoilt IMAGE: what came to its peer in rings that made no sense.
spoilt() {
	local of=$1 at=boot

	[ "$of" = boot ] && at=$a
	on "$at" sed -n "s/.*name $of .* ring-bad \([0-9]*\) .*/\1/p" $DEBUG/images
}

dmesg_mark
check "directory" on boot sh -c "rm -rf $DIR; mkdir -m 777 $DIR"
epoch() { on boot sed -n "s/.*name $a .*epoch \([0-9]*\).*/\1/p" $DEBUG/images; }
lives=$(epoch)

# The control. What else it runs it has run before: that needs no message.
control='sleep 0.1; mkdir $1/warm; rmdir $1/warm
echo name cut 8 >$2
mkdir $1/control & made=$!
sleep 4
kill -0 $made || { echo "an answer to what was never sent"; exit 1; }
read -r type left <$2
echo name drop 0 >$2
[ "$left" -lt 8 ] || { echo "nothing was dropped"; exit 1; }
wait $made && rmdir $1/control'
check "control" on "$a" sh -c "$control" sh $DIR $DEBUG/inject

check "no stop" on "$a" rm -f /tmp/lost.stop
timeout 29000 "$BOX" exec "$a" -- /usr/lib/ccluster/tests/busy $DIR "$BUSY" /tmp/lost.stop \
	>/tmp/lost.$$ 2>&1 </dev/null &
busy=$!
t0=$SECONDS
for type in $LOST_TYPES; do
	for what in drop delay duplicate corrupt; do
		image=$(image_of $type)
		bad=$(spoilt "$image")
		check "arm" on "$image" sh -c "echo $type $what $LOST >$DEBUG/inject"
		await $((60 + 4 * LOST)) spent "$image" ||
			fail "$type $what: left: $(on "$image" cat $DEBUG/inject)"
		kill -0 $busy 2>/dev/null || fail "$type $what: $(cat /tmp/lost.$$)"
		[ $what != corrupt ] || all_spoilt() { [ $(($(spoilt "$image") - bad)) -ge "$LOST" ]; }
		[ $what != corrupt ] || await 10 all_spoilt ||
			fail "$type: $(($(spoilt "$image") - bad)) were spoilt, not $LOST"
	done
	echo "$type: dropped, delayed, duplicated, corrupted; $((SECONDS - t0)) s"
done
check "stop" on "$a" touch /tmp/lost.stop
wait $busy || fail "at work: $(cat /tmp/lost.$$)"
rounds=$(awk '{ n += $1 } END { print n }' /tmp/lost.$$)
rm -f /tmp/lost.$$
[ "$(epoch)" = "$lives" ] || fail "$a was started anew"
is_up "$a" boot

# Nothing is left open or kept, on either side.
nothing_left() {
	local line

	line=$(on "$a" grep "name boot " $DEBUG/images)
	[[ $line == *" pinned 0 calls 0 "* ]] || return 1
	[ "$(counter "$a" client bounces)" = 0 ] || return 1
	line=$(on boot grep "name $a " $DEBUG/images)
	[[ $line == *" kept 0 "* ]]
}
await 60 nothing_left ||
	fail "left: $(on "$a" grep "name boot " $DEBUG/images); $(on boot grep "name $a " $DEBUG/images)"
gone() { [ -z "$(on boot ls $DIR)" ]; }
await 30 gone || fail "files are left: $(on boot ls $DIR)"
check "clean up" on boot rmdir $DIR
echo "$rounds rounds of work, all right"

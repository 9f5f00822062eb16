#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# What is remembered of an owner's files ends with its proxy: once the client
# knows that the proxy is dead, or silent for too long, nothing of it answers
# (prog/remembered). With a new mount all is well.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[-1]}
DIR=/srv/shared/dead
OWN=/mnt/shared
P=/tmp/remembered

# doomed IMAGE WHERE SECONDS: remembers, in the background, until the owner dies.
doomed() {
	check "program" on "$1" cp /usr/lib/ccluster/tests/remembered $P
	timeout $(($3 + 40)) "$BOX" exec "$1" -- $P "$2" "$3" </dev/null >"/tmp/doomed.$$" 2>&1 &
	doomed=$!
	await 40 grep -q '^remembered$' "/tmp/doomed.$$" || fail "$1: $(cat "/tmp/doomed.$$")"
}
# What of it answered?
forgot() {
	local rc

	wait $doomed
	rc=$?
	[ $rc = 0 ] || fail "$1: status $rc: $(cat "/tmp/doomed.$$")"
	rm -f "/tmp/doomed.$$"
}
mount_again() {
	on boot umount -l $OWN
	check "mount again" on boot mount -t ccfs boot:/srv/shared $OWN
	check "the new mount" on boot sh -c "cmp $OWN/dead/f $DIR/f && ls $OWN/dead | grep -qx f &&
		[ ! -e $OWN/dead/none ]"
}

dmesg_mark
check "directory" on boot sh -c "rm -rf $DIR; mkdir $DIR; echo x >$DIR/f; ln -s f $DIR/l"

# A client's proxy is killed; its mount does not come back by itself, so it is started
# again.
pid=$(proxy_of "$b")
check "proxy of $b" alive "$pid"
doomed "$b" $DIR 100
check "kill" on boot kill -9 "$pid"
forgot "$b"
check "$a is not touched" on "$a" cat $DIR/f
check "restart" ctl restart "$b"
await 60 is_up "$b" || fail "$b does not come back"
check "$b works again" on "$b" sh -c "grep -q x $DIR/f && [ ! -e $DIR/none ] && ls $DIR | grep -qx l"

# A client's proxy hangs while what waits for it went by sharedpc.ko: after a minute
# without a sign of life all of that fails, and what is remembered is forgotten.
pid=$(proxy_of "$b")
doomed "$b" $DIR 130
check "stop" on boot kill -STOP "$pid"
timeout 130 "$BOX" exec "$b" -- mkdir $DIR/waits >/dev/null 2>&1 </dev/null &
waits=$!
forgot "$b, whose proxy hangs"
wait $waits
rc=$?
[ $rc != 0 ] && [ $rc != 124 ] || fail "mkdir, of a proxy that hangs: status $rc"
on boot kill -9 "$pid"
check "restart" ctl restart "$b"
await 60 is_up "$b" || fail "$b does not come back"

# The owner's own mount: its proxy is killed, then another is stopped.
pid=$(proxy_of boot)
check "proxy of the owner" alive "$pid"
doomed boot $OWN/dead 60
check "kill" on boot kill -9 "$pid"
forgot "the owner's mount"
mount_again

pid=$(proxy_of boot)
check "another proxy of the owner" alive "$pid"
doomed boot $OWN/dead 130
check "stop" on boot kill -STOP "$pid"
forgot "a proxy that hangs"
on boot kill -9 "$pid"
await 20 dead "$pid" || fail "the proxy that hung is still there"
mount_again
is_up "${clients[@]}"
check "clean up" on boot rm -rf $DIR
dmesg_clean
echo "what was remembered ended with its owner"

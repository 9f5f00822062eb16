#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make run is killed, with all that is in its process group: when its machine
# has just begun, while that is partitioned, while its images start. Each time
# nothing is left, of the machine and of what was started for it.

. "$(dirname "$0")/../box/lib.sh"

RUN=$(dirname "$BOX")/run
TOP=$(cd "$(dirname "$BOX")/.." && pwd)
said=/tmp/killed.$$ group=
trap '[ -z "$group" ] || kill -KILL -- -$group 2>/dev/null; rm -f "$said"' EXIT

machine() { pgrep -f "^qemu-system.*unix:$TOP/build/box/run/monitor"; }
processes() { pgrep -af -- "$TOP/build/box/run"; }
ended() { ! processes; }

# killed SIGNAL CMD...: as soon as CMD succeeds. (What is started in the
# background ignores SIGINT, unless it is told not to.)
killed() {
	local signal=$1 rc

	shift
	setsid env --default-signal=INT "$RUN" -B >"$said" 2>&1 &
	group=$!
	await 60 "$@" || fail "SIG$signal: make run does not come so far: $(cat "$said")"
	kill -"$signal" -- -$group
	await 30 ended || fail "after SIG$signal this is left: $(processes)"
	wait $group 2>/dev/null
	rc=$? group=
	[ $rc != 0 ] || fail "make run says that all went well in spite of SIG$signal"
	echo "SIG$signal: status $rc, nothing is left"
}

killed KILL machine
killed TERM grep -qF '[3/8]' "$said"
killed INT grep -q 'has been started' "$said"

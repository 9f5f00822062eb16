#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make run is killed, with all that it has started in its process group: no
# machine is left, as nothing is when it is interrupted.

. "$(dirname "$0")/../box/lib.sh"

RUN=$(dirname "$BOX")/run
TOP=$(cd "$(dirname "$BOX")/.." && pwd)
machine() { pgrep -f "^qemu-system.*unix:$TOP/build/box/run/monitor"; }
ended() { ! machine; }

"$BOX" down
for signal in KILL TERM; do
	setsid "$RUN" >"/tmp/killed.$$" 2>&1 &
	group=$!
	await 60 machine || fail "make run does not start a machine: $(cat "/tmp/killed.$$")"
	kill -$signal -- -$group
	wait $group 2>/dev/null
	await 20 ended || fail "after SIG$signal a machine is left: $(machine)"
done
rm -f "/tmp/killed.$$"
echo "killed, either way: no machine is left"

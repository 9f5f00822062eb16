#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: yes
# timeout: 240
#
# Commands on other images: streams, status, signals, environment, directory,
# many at once, and what happens when it cannot be.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

is_up "$a" "$b"
ids=
for image in boot "$a" "$b"; do
	for status in 0 1 42 255; do
		on "$image" sh -c "exit $status"
		rc=$?
		[ $rc = $status ] || fail "$image: status $rc instead of $status"
	done
	on "$image" no-such-command 2>/dev/null
	rc=$?
	[ $rc = 127 ] || fail "$image: a missing command gave $rc"
	on "$image" sh -c 'kill -KILL $$' 2>/dev/null
	rc=$?
	[ $rc = 137 ] || fail "$image: a killed command gave $rc"

	out=$(printf 'a\nb\nc\n' | on "$image" sort -r | tr -d '\n')
	[ "$out" = cba ] || fail "$image: a pipe gave $out"
	out=$(on "$image" sh -c 'echo out; echo err >&2' 2>/dev/null)
	[ "$out" = out ] || fail "$image: stdout was $out"
	out=$(on "$image" sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)
	[[ $out == *err* ]] || fail "$image: stderr was $out"

	sum=$(head -c 3000000 /dev/zero | tr '\0' x | md5sum)
	out=$(head -c 3000000 /dev/zero | tr '\0' x | on "$image" cat | md5sum)
	[ "$out" = "$sum" ] || fail "$image: 3 MB through cat came back different"
	out=$(on "$image" yes | head -n 1)
	[ "$out" = y ] || fail "$image: yes | head gave $out"

	out=$("$BOX" exec boot -- ccctl exec "$image" -e COLOUR='two words' -w /usr -- \
		sh -c 'echo "$COLOUR" $(pwd)')
	[ "$out" = "two words /usr" ] || fail "$image: -e and -w gave $out"
	out=$("$BOX" exec boot -- env HUE=red sh -c "cd /usr && ccctl exec $image -- sh -c 'echo \$HUE \$(pwd)'")
	[ "$out" = "red /usr" ] || fail "$image: environment and directory were not passed on: $out"
	ids+=" $(on "$image" cat /proc/sys/kernel/random/boot_id)"
	[ "$(on "$image" hostname)" = "$image" ] || fail "$image is $(on "$image" hostname)"
done

[ "$(tr ' ' '\n' <<<"$ids" | sort -u | grep -c .)" = 3 ] || fail "random numbers are the same: $ids"

# Signals go to the command, and end it.
on boot sh -c 'ccctl exec "$1" -- sh -c "trap \"echo got term; exit 9\" TERM; echo ready; while :; do sleep 0.1; done" &
	pid=$!; sleep 2; kill -TERM $pid; wait $pid; echo status $?' sh "$a" >/tmp/box-signal.$$ 2>&1
out=$(cat /tmp/box-signal.$$)
rm -f /tmp/box-signal.$$
[[ $out == *"got term"*"status 9"* ]] || fail "TERM through exec: $out"

# From one client to another. Who is root on a client is not root of the box.
out=$(on "$a" ccctl exec "$b" -- hostname)
[ "$out" = "$b" ] || fail "from $a to $b: $out"
refuses "cannot be reached" on "$a" ccctl exec boot -- hostname

# Many at once.
pids=()
for i in $(seq 1 12); do
	image=$([ $((i % 2)) = 0 ] && echo "$a" || echo "$b")
	(out=$(on $image sh -c "sleep 1; echo $i; exit $i"); rc=$?
	 [ "$out" = "$i" ] && [ $rc = "$i" ]) &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || fail "one of 12 commands at once went wrong"
done
refuses "there is no image" ctl exec nosuch -- true
refuses "which command" ctl exec "$a"
echo "exec: status, streams, signals, environment, many at once"

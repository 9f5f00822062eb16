#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# owners: yes
# may log: ^lives/.*
# timeout: 400
#
# An owner's kernel panics in the middle of what a client waits for: a proxy has the call,
# frames are noted and not sent, a call is done and the client is not told, pages have
# been wanted back. Who waits gets an error in bounded time, and it is started again.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/owners.sh"

T=/usr/lib/ccluster/tests
read -ra clients < <(clients)
owner=${clients[1]} a=${clients[0]}
F=/mnt/$owner/f
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# What makes $owner pass the point $1; it has to fail at $a, but for what waits for nothing of it.
go_there() {
	case $1 in
	taken|granted)	timeout 100 "$BOX" exec "$a" -- $T/mapped load "$F" 8192 ;;
	answering)	timeout 100 "$BOX" exec "$a" -- $T/mapped write "$F" 4096 1 ;;
	taking)		timeout 10 "$BOX" exec "$owner" -- truncate -s 0 /tmp/f
			timeout 100 "$BOX" exec "$a" -- $T/mapped load "$F" 0 ;;
	esac >"$out" 2>&1 </dev/null
}

dmesg_mark
for point in taken granted answering taking; do
	check "file" on "$owner" sh -c 'rm -rf /tmp/*; truncate -s 64K /tmp/f; chmod 666 /tmp/f'
	check "a page of it" on "$a" $T/mapped store "$F" 0 1
	check "point" on "$owner" sh -c "echo $point panic >/sys/kernel/debug/sharedpc/point"
	t0=$SECONDS
	go_there $point && fail "$point: $a does not notice: $(cat "$out")"
	t=$((SECONDS - t0))
	[ $t -lt 60 ] || fail "$point: $a waits $t s"
	await 20 state_is "$owner" panicked || fail "$point: $owner is $(state "$owner")"
	is_up "$a"
	save_lives "$owner"
	started_again
	echo "$point: $a had its error after $t s: $(head -n 1 "$out")"
done
on "$owner" sh -c 'rm -rf /tmp/*'
is_up "${clients[@]}"
dmesg_clean

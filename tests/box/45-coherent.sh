#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# long: COHERENT=2000
# long timeout: 14400
#
# After a change has returned no image sees what was before, however it had seen
# it: prog/coherent, with the writer on the owner's own file system, on the
# owner's mount of its export, on a client beside a looker, on another client.
# COHERENT=N: rounds for each writer.
#
# Then the control: with the counting switched off the same test must fail.

. "$(dirname "$0")/coherent.sh"

ROUNDS=${COHERENT:-36}
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
OWN=/mnt/shared

trap 'coherent_forget; coherent_end' EXIT
dmesg_mark
coherent_begin
coherent "$ROUNDS" "boot $SHARED" "$a" "$b" "boot $OWN" || fail "changed on the owner: $said"
coherent "$ROUNDS" "boot $OWN $SHARED" "$a" "$b" "boot $SHARED" ||
	fail "changed on the owner's mount: $said"
coherent "$ROUNDS" "$a" "$a" "$b" "boot $SHARED" || fail "changed on $a: $said"
coherent "$ROUNDS" "$b" "$a" "boot $SHARED" || fail "changed on $b: $said"

COUNTING=off
coherent 36 "boot $SHARED" "$a" "$b"
rc=$?
COUNTING=on
coherent_forget
[ "$rc" = 1 ] || fail "nobody counts, and the test ends with $rc: $said"
read -r old wrong < <(sed -nE 's/^total .* ([0-9]+) old +([0-9]+) wrong/\1 \2/p' <<<"$said")
[ "$old" -gt 0 ] && [ $((old + wrong)) -gt 36 ] ||
	fail "nobody counts, and only $old old and $wrong wrong states were seen: $said"
coherent 36 "boot $SHARED" "$a" "$b" || fail "after counting was off: $said"
dmesg_clean
echo "four writers, $ROUNDS rounds each: nothing old; without counting: $old old, $wrong wrong of 72"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: yes
# may log: ^lives/.*
# timeout: 240
#
# An image whose kernel does not answer any more, though its CPU runs: the owner
# waits for it 20 seconds, then stops its CPU, has its frames back, and goes on.
# The image is starved: a program of the highest priority leaves no time to the
# kernel's thread that answers.

. "$(dirname "$0")/lib.sh"

T=/usr/lib/ccluster/tests
F=/srv/shared/fence
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

dmesg_mark
is_up "$a" "$b"
proxy=$(proxy_of "$b")
alive "$proxy" || fail "$b has no proxy"
work "$a"
check "file" on boot sh -c "rm -f $F; truncate -s 64K $F"
timeout 100 "$BOX" exec "$b" -- $T/mapped await $F 0 1 >/dev/null 2>&1 &
holder=$!
mapped() { [ "$(on boot $T/mapped read $F 8)" = 1 ]; }
await 20 mapped || fail "$b does not map the file"
starve "$b"
state_is "$b" running || fail "$b is $(state "$b")"

t0=$SECONDS
check "truncate" on boot truncate -s 0 $F
t=$((SECONDS - t0))
[ $t -ge 10 ] && [ $t -lt 60 ] || fail "truncate took $t s; the time limit is 20 s"
await 10 state_is "$b" fenced || fail "$b is $(state "$b") after that"
all_back "$b" "$proxy"
wait $holder $starver
refuses "does not run" on "$b" true
work_ends
check "start" ctl start "$b"
is_up "$a" "$b"
check "clean up" on "$b" rm $F
dmesg_clean
echo "a silent image was fenced after $t s, the others went on"

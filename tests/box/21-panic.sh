#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: yes
# may log: ^lives/.*Call Trace:
# timeout: 120
#
# One image's kernel panics: the others go on, status has the message, the
# log has the trace, and start brings it back.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

dmesg_mark
is_up "$a" "$b"
proxy=$(proxy_of "$b")
alive "$proxy" || fail "$b has no proxy"
work "$a"
timeout 10 "$BOX" exec "$b" -- sh -c 'echo c >/proc/sysrq-trigger' >/dev/null 2>&1
await 15 state_is "$b" panicked || fail "after a panic $b is $(state "$b")"
[[ $(field "$b" last_words) == *sysrq* ]] || fail "last words: $(field "$b" last_words)"
all_back "$b" "$proxy"
is_up "$a"
check "boot image" on boot true
ctl status | grep -q "$b.*kernel panic: sysrq" || fail "status: $(ctl status)"
ctl log "$b" | grep -q 'Kernel panic' || fail "no panic in $b's log: $(ctl log "$b" | tail -n 5)"
refuses "does not run" on "$b" true
check "start after the panic" ctl start "$b"
is_up "$b" "$a"
work_ends
dmesg_clean
echo "panic: seen, named, and started again"

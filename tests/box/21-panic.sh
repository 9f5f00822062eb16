#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 120
#
# One image's kernel panics: the others go on, status has the message, the
# log has the trace, and start brings it back.

. "$(dirname "$0")/lib.sh"

dmesg_mark
is_up web db
timeout 10 "$BOX" exec db -- sh -c 'echo c >/proc/sysrq-trigger' >/dev/null 2>&1
await 15 state_is db panicked || fail "after a panic db is $(state db)"
[[ $(field db last_words) == *sysrq* ]] || fail "last words: $(field db last_words)"
[ "$(field db frames)" = 0 ] || fail "db is dead and holds $(field db frames) frames"
is_up web
check "boot image" on boot true
ctl status | grep -q 'db.*kernel panic: sysrq' || fail "status: $(ctl status)"
ctl log db | grep -q 'Kernel panic' || fail "no panic in db's log: $(ctl log db | tail -n 5)"
refuses "does not run" on db true
check "start after the panic" ctl start db
is_up db web
dmesg_clean
echo "panic: seen, named, and started again"

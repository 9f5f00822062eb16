#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 120
#
# The console of an image: kept from its kernel's first line, takes input,
# and can be followed.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

is_up "$a"
log=$(ctl log "$a")
[[ ${log%%$'\n'*} == *"] Linux version 6."* ]] || fail "the log does not start with the kernel: ${log:0:200}"
[[ $log == *"ccinit: ready"* ]] || fail "the log does not have ccinit's last line"
refuses "there is no image" ctl log nosuch

# Input: return starts a shell there, which runs what is typed. It is a program
# like any other, and with it go the frames that it holds.
out=$({ echo; sleep 2; echo 'echo 6 times 7 is $((6 * 7)); hostname; exit'; sleep 3; } |
	timeout 12 "$BOX" exec boot -- ccctl console "$a" 2>&1)
[[ $out == *"6 times 7 is 42"* ]] || fail "the console's shell said: ${out: -300}"
await 30 holds_nothing "$a" || fail "$a holds $(field "$a" frames) frames after its shell's exit"

# What is written while somebody follows arrives.
out=$({ sleep 2; on "$a" sh -c 'echo hello-console >/dev/console'; sleep 2; } &
	timeout 6 "$BOX" exec boot -- ccctl log -f "$a" </dev/null 2>&1)
wait
[[ $out == *hello-console* ]] || fail "log -f did not show a new line"
[[ $(ctl log "$a") == *hello-console* ]] || fail "the log did not keep a line"
[ "$(on "$a" hostname)" = "$a" ] || fail "the host name of $a is $(on "$a" hostname)"

# The clock is the boot image's, within a second and a half.
before=$(on boot date +%s%N) now=$(on "$a" date +%s%N) after=$(on boot date +%s%N)
[ $((now - before)) -gt -1500000000 ] && [ $((now - after)) -lt 1500000000 ] ||
	fail "$a's clock is $(((now - before) / 1000000)) ms off"
echo "console: from the first line, takes input, follows"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 120
#
# The console of an image: kept from its kernel's first line, takes input,
# and can be followed.

. "$(dirname "$0")/lib.sh"

is_up web
log=$(ctl log web)
[[ $log == *"Linux version 6."* ]] || fail "the log does not start with the kernel: ${log:0:200}"
[[ $log == *"ccinit: ready"* ]] || fail "the log does not have ccinit's last line"
refuses "there is no image" ctl log nosuch

# Input: return starts a shell there, which runs what is typed.
out=$({ echo; sleep 2; echo 'echo 6 times 7 is $((6 * 7)); hostname'; sleep 3; } |
	timeout 12 "$BOX" exec boot -- ccctl console web 2>&1)
[[ $out == *"6 times 7 is 42"* ]] || fail "the console's shell said: ${out: -300}"

# What is written while somebody follows arrives.
out=$({ sleep 2; on web sh -c 'echo hello-console >/dev/console'; sleep 2; } &
	timeout 6 "$BOX" exec boot -- ccctl log -f web </dev/null 2>&1)
wait
[[ $out == *hello-console* ]] || fail "log -f did not show a new line"
[[ $(ctl log web) == *hello-console* ]] || fail "the log did not keep a line"
[ "$(on web hostname)" = web ] || fail "the host name of web is $(on web hostname)"

# The clock is the boot image's, within a second and a half.
a=$(on boot date +%s%N) b=$(on web date +%s%N) c=$(on boot date +%s%N)
[ $((b - a)) -gt -1500000000 ] && [ $((b - c)) -lt 1500000000 ] ||
	fail "web's clock is $(((b - a) / 1000000)) ms off"
echo "console: from the first line, takes input, follows"

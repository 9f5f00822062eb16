#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: yes
# timeout: 240
#
# One image reboots, halts, is switched off: the box is not reset, status
# tells them apart, start brings it back.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

dmesg_mark
is_up "$a" "$b"
before=$(on boot cat /proc/sys/kernel/random/boot_id)

# How: a command on $b; the state it must end in.
end_by() {
	local want=$1 proxy

	shift
	proxy=$(proxy_of "$b")
	alive "$proxy" || fail "$b has no proxy"
	timeout 20 "$BOX" exec "$b" -- "$@" >/dev/null 2>&1
	await 20 state_is "$b" "$want" || fail "$*: $b is $(state "$b"), not $want"
	all_back "$b" "$proxy"
	is_up "$a"
	check "start after $want" ctl start "$b"
	is_up "$b"
}

work "$a"
end_by rebooted kill -TERM 1
end_by halted kill -USR1 1
end_by rebooted python3 -c 'import ctypes
ctypes.CDLL(None).reboot(0x01234567)'
end_by halted python3 -c 'import ctypes
ctypes.CDLL(None).reboot(0x4321fedc)'
end_by rebooted sh -c 'echo b >/proc/sysrq-trigger'
work_ends

[ "$before" = "$(on boot cat /proc/sys/kernel/random/boot_id)" ] ||
	fail "the boot image has been rebooted"
dmesg_clean
echo "reboot, halt, power off of one image: the box goes on"

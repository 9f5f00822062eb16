#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# One image reboots, halts, is switched off: the box is not reset, status
# tells them apart, start brings it back.

. "$(dirname "$0")/lib.sh"

dmesg_mark
is_up web db
before=$(on boot cat /proc/sys/kernel/random/boot_id)

# How: a command on db; the state it must end in.
end_by() {
	local want=$1

	shift
	timeout 20 "$BOX" exec db -- "$@" >/dev/null 2>&1
	await 20 state_is db "$want" || fail "$*: db is $(state db), not $want"
	is_up web
	check "start after $want" ctl start db
	is_up db
}

end_by rebooted kill -TERM 1
end_by halted kill -USR1 1
end_by rebooted python3 -c 'import ctypes
ctypes.CDLL(None).reboot(0x01234567)'
end_by halted python3 -c 'import ctypes
ctypes.CDLL(None).reboot(0x4321fedc)'
end_by rebooted sh -c 'echo b >/proc/sysrq-trigger'

[ "$before" = "$(on boot cat /proc/sys/kernel/random/boot_id)" ] ||
	fail "the boot image has been rebooted"
dmesg_clean
echo "reboot, halt, power off of one image: the box goes on"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mount.ccfs with a libfuse, or on a kernel, that cannot do what it needs: one
# line that says so, status 32, nothing mounted and no process left. The two
# programs are mount.ccfs with parts of libfuse replaced (tests/host/prog).

. "$(dirname "$0")/mount.lib"
TESTS=${TESTS:-build/tests}

proxyd_run

# refuses PROGRAM TEXT [HOW...]
refuses() {
	local out rc

	out=$(timeout 30 "${@:3}" "$TESTS/$1" boot:"$exported" "$m" -o "$opt" 2>&1)
	rc=$?
	[ $rc = 32 ] || fail "$1: status $rc: $out"
	[[ $'\n'$out == *$'\n'"mount.ccfs: boot:$exported on $m: $2" ]] || fail "$1 said: $out (wanted: $2)"
	! grep -q " $m " /proc/mounts || fail "$1 left a mount"
	! grep -qsx "$1" /proc/[0-9]*/comm || fail "$1 left a process"
}

refuses mount.ccfs-old "libfuse is 3.16.2, 3.17 or newer is needed"
bare="this kernel's FUSE, or the libfuse of this program, has no passthrough (Linux 6.9 and CONFIG_FUSE_PASSTHROUGH, libfuse 3.17)"
refuses mount.ccfs-bare "$bare"

# A process that cannot be told to end is killed, and its mount does not stay.
refuses mount.ccfs-bare "$bare" env --ignore-signal=TERM

# mount.ccfs itself has what it needs, if this kernel has.
out=$(timeout 30 "$BIN/mount.ccfs" boot:"$exported" "$m" -o "$opt" 2>&1)
rc=$?
[[ $rc = 0 || $out == *"has no passthrough"* ]] || fail "mount.ccfs: status $rc: $out"
[[ $out != *"libfuse is"* ]] || fail "mount.ccfs: $out"
echo "refused with a reason"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mount.ccfs with a libfuse, or on a kernel, that cannot do what it needs: one
# line that says so, status 32, nothing mounted and no process left. The two
# programs are mount.ccfs with parts of libfuse replaced (tests/host/prog).

BIN=${BIN:-build/bin}
TESTS=${TESTS:-build/tests}
tmp=$(mktemp -d) || exit 1
m=$tmp/mnt exported=$tmp/exported
mkdir "$m" "$exported"
proxyd=

cleanup() {
	umount -l "$m" 2>/dev/null
	[ -z "$proxyd" ] || kill "$proxyd"
	wait
	rm -rf "$tmp"
}
trap cleanup EXIT

fail() { echo "FAIL: $*"; cat "$tmp/log" 2>/dev/null; exit 1; }

cat >"$tmp/conf" <<EOF
region {
	size = "512M"
	nodes = {1}
}
image boot {
	booted_by = "firmware"
	cpus = {0}
	memory = "512M"
}
image web {
	cpus = {1}
	memory = "256M"
}
export root {
	path = "/"
	to = {"*"}
	mode = "rw"
}
export it {
	path = "$exported"
	to = {"*"}
	mode = "rw"
}
export ro {
	path = "/usr"
	to = {"*"}
	mode = "ro"
}
mount {
	export = "root"
	images = {"*"}
	target = "/"
}
EOF
"$BIN/proxyd" --config "$tmp/conf" --socket "$tmp/socket" --image boot >"$tmp/log" 2>&1 &
proxyd=$!
for _ in $(seq 50); do [ -S "$tmp/socket" ] || sleep 0.1; done
opt=connect=unix:$tmp/socket


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

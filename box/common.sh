# SPDX-License-Identifier: GPL-2.0-only
#
# What every script of box/ needs: where things are, how to say something, how
# to become root. Sourced, never run.
#
# Rules: messages go to stderr, so that a command's own stdout stays clean;
# every step longer than a few seconds says that it starts and how long it
# took; nothing outside build/ is kept but packages that had to be installed.

set -euo pipefail
shopt -s inherit_errexit

PATH=$PATH:/usr/sbin:/sbin	# plain su leaves them out
TOP=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$TOP/build
ROOTS=$BUILD/roots
BOXDIR=$BUILD/box
RUNDIR=$BOXDIR/run

say() { printf '%s\n' "box: $*" >&2; }
die() { say "error: $*"; exit 1; }

# The head of the script that runs.
usage() { sed -n '4,/^$/s/^# \{0,1\}//p' "$0"; }

# Root is needed for mmdebstrap's root mode, chroot and mount namespaces. sudo
# forgets the environment: what of it is listened to here goes along by name.
need_root() {
	local name keep=()

	[ "$(id -u)" = 0 ] && return
	command -v sudo >/dev/null || die "run this as root, or install sudo"
	for name in BOX_OWNER BOX_APPEND BOX_BOOT_TIMEOUT BOX_UP_TIMEOUT SLOW JOBS ROUNDS CYCLES COUNT \
		COHERENT RANDOM_SECONDS STEPS WRAPS LIES FREEZE LOST LOST_TYPES BUSY OWNERS LOCKS FORKS TURNS OWN_MOUNT CLOCK EVENTS LARGE HOLDERS INJECTED POINTS PAIRS PROGRAMS PROGRAMS_ONLY SEED CALLS KASAN http_proxy https_proxy no_proxy; do
		[ -z "${!name+set}" ] || keep+=("$name=${!name}")
	done
	exec sudo -- env "${keep[@]}" "$(readlink -f "$0")" "$@"
}

# step TEXT CMD...: run CMD, print TEXT and how long it took. Not to be used
# in a condition: bash then ignores errors inside functions.
step() {
	local text=$1 t0=$EPOCHREALTIME rc=0
	shift
	say "$text ..."
	set +e
	(set -e; "$@")
	rc=$?
	set -e
	[ $rc = 0 ] || { say "$text: failed (status $rc)"; return $rc; }
	say "$text: done in $(elapsed "$t0") s"
}

# ticking TEXT CMD...: run CMD, with nothing on stdin, and say every 5 s that it
# still runs. A signal to this script is noticed meanwhile. (The clock is in a
# process of its own: bash can crash when a trap ends it within read -t.)
ticking() {
	local text=$1 pid rc=0 clock

	shift
	"$@" </dev/null &
	pid=$!
	exec {clock}> >(tick "$text")	# ends when this is closed, or we are gone
	wait "$pid" || rc=$?
	exec {clock}>&-
	return $rc
}

tick() {
	local t0=$SECONDS

	until read -rt 5 || [ $? -le 128 ]; do
		say "$1 ... $((SECONDS - t0)) s"
	done
}

# elapsed SINCE: seconds since an $EPOCHREALTIME, with one decimal.
elapsed() {
	local now=$EPOCHREALTIME
	local us=$(( ${now/[.,]/} - ${1/[.,]/} ))

	printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

# need_tools: install the host's tools that are missing (Debian packages).
need_tools() {
	local missing=() t

	for t in "$@"; do
		command -v "${t%%:*}" >/dev/null || missing+=("${t##*:}")
	done
	[ ${#missing[@]} = 0 ] && return
	step "installing ${missing[*]} on this machine" install_packages "${missing[@]}"
}

# need_python: with its library; python3-minimal alone has no json.
need_python() {
	python3 -c 'import json' 2>/dev/null ||
		step "installing python3 on this machine" install_packages python3
}

# What a package starts when it is installed must not hold a lock of ours.
install_packages() {
	mkdir -p "$BUILD"
	{
		apt-get -q update || true
		DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
			--no-install-recommends "$@"
	} >"$BUILD/install.log" 2>&1 </dev/null 9>&- && return
	tail -n 10 "$BUILD/install.log" >&2
	die "cannot install $*, see build/install.log"
}

# make, QEMU's options and apt would take such a path apart.
case $TOP in
*[[:space:],\"\'\\*?[]*)
	die "the path of this tree must not have blanks, commas, quotes, \\, *, ? or [: $TOP" ;;
esac

# SPDX-License-Identifier: GPL-2.0-only
#
# What every script of box/ needs: where things are, how to say something, how
# to become root. Sourced, never run.
#
# Rules: messages go to stderr, so that a command's own stdout stays clean;
# every step longer than a few seconds says that it starts and how long it
# took; nothing outside $TOP/build is written.

set -euo pipefail
shopt -s inherit_errexit

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$TOP/build
ROOTS=$BUILD/roots
BOXDIR=$BUILD/box
RUNDIR=$BOXDIR/run

# What no kernel log may have.
SPLAT='WARNING:|BUG:|Oops|Call Trace:|general protection|UBSAN|KASAN|lockdep|possible (circular|recursive) locking|blocked for more than|rcu.*(stall|detected)|soft lockup|hard LOCKUP|Unexpected|Bad page|memory leak'

say() { printf '%s\n' "box: $*" >&2; }
die() { say "error: $*"; exit 1; }

# Root is needed for mmdebstrap's root mode, chroot and mount namespaces.
need_root() {
	[ "$(id -u)" = 0 ] && return
	command -v sudo >/dev/null || die "run this as root, or install sudo"
	exec sudo -- "$0" "$@"
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
	mkdir -p "$BUILD"
	step "installing ${missing[*]} on this machine" install_packages "${missing[@]}"
}

install_packages() {
	{
		apt-get -q update || true
		DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
			--no-install-recommends "$@"
	} >"$BUILD/install.log" 2>&1 </dev/null && return
	tail -n 10 "$BUILD/install.log" >&2
	die "cannot install $*, see build/install.log"
}

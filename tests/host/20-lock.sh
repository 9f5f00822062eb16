#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# One ccctl at a time changes the box: one that finds the lock taken says whose
# it is and waits; commands that only look do not wait. Runs in the build root,
# which is no partitioned machine, so whoever has the lock ends at once.

BIN=${BIN:-build/bin}
ccctl=$BIN/ccctl
lock=/run/ccluster/lock
fail() { echo "FAIL: $*"; exit 1; }

[ ! -e /var/lib/ccluster/plan ] || fail "this is a partitioned machine"
if [ "$(id -u)" != 0 ]; then
	for command in up down "start web" "stop web" "restart web"; do
		# shellcheck disable=SC2086
		"$ccctl" $command 2>&1 | grep -q "only root" ||
			fail "$command does not want root"
	done
	echo "PASS: not root"
	exit 0
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
"$ccctl" stop web 2>&1 | grep -q "not partitioned" || fail "stop"
[ -s "$lock" ] || fail "$lock has no process id"
exec 9>>"$lock"
flock -n 9 || fail "the lock was not released"
echo 4711 >"$lock"
for command in up down "start web" "stop web" "restart web" \
	"partition -c /nonexistent"; do
	# shellcheck disable=SC2086
	timeout 1 "$ccctl" $command >"$tmp/out" 2>&1 9>&-
	[ $? = 124 ] || fail "$command does not wait: $(cat "$tmp/out")"
	[ "$(cat "$tmp/out")" = "ccctl ${command%% *}: waiting for another ccctl (pid 4711)" ] ||
		fail "$command says: $(cat "$tmp/out")"
done
for command in status "log web" "partition --dry-run -c /nonexistent"; do
	# shellcheck disable=SC2086
	timeout 5 "$ccctl" $command >"$tmp/out" 2>&1 9>&-
	[ $? = 1 ] || fail "$command waits: $(cat "$tmp/out")"
done
timeout 20 "$ccctl" stop web >"$tmp/out" 2>&1 9>&- &
waiter=$!
sleep 0.3
flock -u 9
wait $waiter
grep -q "not partitioned" "$tmp/out" || fail "the waiter got: $(cat "$tmp/out")"
echo "PASS: the lock"

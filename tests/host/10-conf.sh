#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ccctl check and plan as a user meets them: every malformed file gives exactly
# its errors, on standard error, in the one form FILE:LINE: ..., status 2, and
# changes nothing; good ones give a plan. Runs in the top directory of the
# sources, in the build root; BIN is the directory of the programs.

BIN=${BIN:-build/bin}
is_json="chroot build/roots/run python3 -m json.tool"	# the build root has none
ccctl=$BIN/ccctl
box=tests/topologies/box.json
[ -x "$ccctl" ] || { echo "FAIL: no $ccctl"; exit 1; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/root/srv/shared"
touch "$tmp/root/srv/file"
ln -s shared "$tmp/root/srv/link"
failed=0

fail()
{
	echo "FAIL: $*"
	failed=1
}

# run STATUS COMMAND...: output in $tmp/out and $tmp/err
run()
{
	want=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ "$got" = "$want" ] || {
		fail "status $got instead of $want: $*"
		head -5 "$tmp/err"
	}
}

check_bad()
{
	run 2 "$ccctl" check -c "$1" --topology "$box" --root "$tmp/root"
	[ -s "$tmp/out" ] && fail "$1: something on standard output"
	grep -a '^# expect: ' "$1" >"$tmp/expect"
	[ "$(wc -l <"$tmp/expect")" = "$(wc -l <"$tmp/err")" ] ||
		fail "$1: other than the expected number of errors"
	grep -avE '; .' "$tmp/err" && fail "$1: does not say what would be right"
	sed 's/^# expect: //' "$tmp/expect" >"$tmp/list"
	while read -r line pattern; do
		grep -aEq "^$1:$line .*($pattern)" "$tmp/err" ||
			fail "$1:$line no error like: $pattern"
	done <"$tmp/list"
	run 2 "$ccctl" plan -c "$1" --topology "$box" --root "$tmp/root"
	[ -s "$tmp/out" ] && fail "$1: plan prints something"
	return 0
}

before=$(find "$tmp/root" -printf '%p %T@ %s\n' | sort)
count=0
for file in tests/conf/bad/*.conf; do
	check_bad "$file"
	count=$((count + 1))
done
[ "$count" -ge 40 ] || fail "only $count malformed files"
[ "$before" = "$(find "$tmp/root" -printf '%p %T@ %s\n' | sort)" ] ||
	fail "ccctl check changed files"

for file in tests/conf/good/*.conf; do
	topo=tests/topologies/$(sed -n '1s/^# topology: //p' "$file").json
	run 0 "$ccctl" check -c "$file" --topology "$topo" --root "$tmp/root"
	grep -q "^$file: OK, [2-8] images, region of " "$tmp/out" ||
		fail "$file: check does not say OK"
	[ -s "$tmp/err" ] && fail "$file: something on standard error"
	run 0 "$ccctl" -c "$file" plan --json --topology "$topo" \
		--root "$tmp/root"
	$is_json <"$tmp/out" >/dev/null || fail "$file: plan --json is not JSON"
	run 0 "$ccctl" plan -c "$file" --topology "$topo" --root "$tmp/root"
	grep -q '^0 ' "$tmp/out" || fail "$file: plan has no table"
done

# What of a file does not happen yet is said.
for command in check plan; do
	run 0 "$ccctl" $command -c tests/conf/good/devices.conf --root "$tmp/root" \
		--topology "tests/topologies/$(sed -n '1s/^# topology: //p' tests/conf/good/devices.conf).json"
	grep -q "^note: devices are not handed over yet: " "$tmp/out" ||
		fail "$command does not say what becomes of devices"
done

run 0 "$ccctl" plan -c partitions.conf --topology "$box" --root "$tmp/root"
for name in $(sed -nE 's/^image ([^ ]+) .*/\1/p' partitions.conf); do
	grep -q "^[0-3]  *$name " "$tmp/out" || fail "plan lacks $name"
done

# Without root, from any machine.
run 0 "$ccctl" plan --save-topology "$tmp/this"
grep -q '"node": 0' "$tmp/this" || fail "--save-topology writes no node"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$tmp"
	run 0 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$ccctl" plan --save-topology -
	grep -q '"node": 0' "$tmp/out" || fail "no topology without root"
fi

# Usage and unreadable files.
run 0 "$ccctl" --help
run 0 "$ccctl" --version
commands=$("$ccctl" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 12 ] || fail "--help lists only: $commands"
for command in $commands; do
	run 0 "$ccctl" "$command" --help
	grep -q "^Usage: ccctl $command" "$tmp/out" || fail "$command --help"
	grep -qE "^\.(B|BI|BR|SS) .*\b$command\b" docs/man/ccctl.1 ||
		fail "ccctl(1) lacks $command"
done
run 2 "$ccctl"
run 2 "$ccctl" nonsense
run 2 "$ccctl" check --nonsense
run 2 "$ccctl" check extra
run 1 "$ccctl" check -c /nonexistent
grep -q '/nonexistent: No such file' "$tmp/err" || fail "missing file unnamed"
run 1 "$ccctl" check -c partitions.conf --topology /nonexistent

[ "$failed" = 0 ] && echo "PASS: $count malformed files"
exit "$failed"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The host's way into the box: exit status, pipes, signals, many at once,
# files in and out, through box/box alone. Needs no other image.

. "$(dirname "$0")/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

machine() { timeout 60 "$BOX" exec "$@"; }

for status in 0 1 7 255; do
	machine - sh -c "exit $status"
	rc=$?
	[ $rc = $status ] || fail "status $rc instead of $status"
done
machine - /no/such/program 2>"$tmp/err"
rc=$?
[ $rc = 127 ] || fail "a missing program gave $rc"
grep -q /no/such/program "$tmp/err" || fail "no name in: $(cat "$tmp/err")"

out=$(machine -e 'A=one two' -w /usr - sh -c 'echo "$A"; pwd')
[ "$out" = $'one two\n/usr' ] || fail "environment and directory: $out"
out=$(machine -t - sh -c 'test -t 0 && echo terminal' </dev/null | tr -d '\r\n')
[ "$out" = terminal ] || fail "no terminal: $out"

# Much data, both ways, all bytes.
sum=$(head -c 5000000 /dev/urandom | tee "$tmp/data" | md5sum)
[ "$(machine - cat <"$tmp/data" | md5sum)" = "$sum" ] || fail "5 MB through cat"
[ "$(machine - md5sum <"$tmp/data")" = "$sum" ] || fail "5 MB in"

# A reader that goes away, a command that does not read.
machine - yes | head -n 1 >/dev/null
rc=${PIPESTATUS[0]}
[ "$rc" = 141 ] || fail "yes | head: $rc"
machine - true <"$tmp/data" || fail "a command that does not read"

# A signal reaches the command, and its group; the client's death ends it.
"$BOX" exec - sh -c 'trap "echo term; exit 9" TERM; echo $$; while :; do sleep 0.1; done' \
	>"$tmp/out" &
await 20 test -s "$tmp/out" || fail "the command did not start"
kill -TERM $!
wait $!
rc=$?
grep -q term "$tmp/out" || fail "the command got no SIGTERM, status $rc: $(cat "$tmp/out")"
"$BOX" exec - sh -c 'sleep 987 & sleep 987' &
await 20 machine - pgrep -fx 'sleep 987' || fail "the command did not start"
kill -KILL $!
wait $! 2>/dev/null
gone() { ! machine - pgrep -fx 'sleep 987'; }
await 20 gone || fail "commands of a dead client are still there"

# More at once than there are ports.
for i in {1..24}; do
	machine - sh -c "sleep 1; echo $i; exit $i" >"$tmp/p$i" &
	pids[i]=$!
done
for i in {1..24}; do
	wait "${pids[i]}"
	rc=$?
	[ $rc = $i ] && [ "$(cat "$tmp/p$i")" = $i ] || fail "number $i of 24: $rc"
done

# Files: a new name, a directory, several, back.
mkdir "$tmp/dir"
echo one >"$tmp/dir/a b"
echo two >"$tmp/dir/c"
chmod 755 "$tmp/dir/c"
check "cp" "$BOX" cp "$tmp/data" -:/tmp/new
check "cp several" "$BOX" cp "$tmp/dir" "$tmp/data" -:/tmp
[ "$(machine - cat '/tmp/dir/a b')" = one ] || fail "a name with a space"
[ "$(machine - stat -c %a /tmp/dir/c)" = 755 ] || fail "the mode was lost"
check "cp back" "$BOX" cp -:/tmp/new "$tmp/back"
cmp "$tmp/data" "$tmp/back" || fail "the file came back changed"
refuses "not a directory" "$BOX" cp "$tmp/data" "$tmp/dir" -:/tmp/none
machine - rm -rf /tmp/new /tmp/dir /tmp/data
echo "commands and files go in and out"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# long: HOLDERS=20000
# long timeout: 6000
# may log: ^lives/.*
#
# Holders of locks that die: processes on two clients, on the owner, on its own mount and on a
# mount that ends lock parts of one file, HOLDERS (150) times each place, by fcntl (POSIX, OFD)
# and flock; they are killed at any moment, interrupted, told of deadlocks; the mount's process is
# killed, and a client's kernel. Nobody has a lock that somebody else has, no wake-up is lost, and
# none is left behind (prog/holders.c). The longest wait is printed. Control: with locks that
# are no others' two have had one.

. "$(dirname "$0")/lib.sh"

HOLDERS=${HOLDERS-150}
H=/usr/lib/ccluster/tests/holders
D=/srv/shared/holders
OWN=/tmp/holders-own
M=/tmp/holders-m
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
limit=$(((120 + HOLDERS / 10) * ${SLOW-1}))
out=$(mktemp -d)

restore() {
	for image in boot "$a" "$b"; do
		on "$image" sh -c "pkill -9 -x holders; umount -l $OWN $M; rmdir $OWN $M; rm -f /tmp/holders-file"
	done
	on boot rm -rf $D
	rm -rf "$out"
} >/dev/null 2>&1 </dev/null
trap restore EXIT

# run PLACE IMAGE FILE [LOCKS]: in the background.
declare -A pids
run() {
	timeout $limit "$BOX" exec "$2" -- $H run "$3" $D/board "$1" "${4-$HOLDERS}" \
		</dev/null >"$out/$1" 2>&1 &
	pids[$1]=$!
}
well() {
	wait "${pids[$1]}" || fail "place $1: status $?: $(cat "$out/$1") $(on boot $H sum $D/board)"
}
locked() { [ "$(on boot $H sum $D/board | cut -d ' ' -f 1)" -ge "$1" ]; }
books() { on boot grep ":$ino " /proc/locks; }
nobody() { [ -z "$(books)" ]; }

dmesg_mark
check "files" on boot sh -c "mkdir -p $D $OWN; truncate -s 4096 $D/file; chmod 666 $D/file; mount -t ccfs boot:/srv/shared $OWN"
check "mount" on "$a" sh -c "mkdir -p $M && mount -t ccfs boot:/srv/shared $M"
ino=$(on boot stat -c %i $D/file)

# Control: each image locks a file of its own.
for image in "$a" "$b"; do
	check "file" on "$image" truncate -s 4096 /tmp/holders-file
done
run 0 "$a" /tmp/holders-file 5000
run 1 "$b" /tmp/holders-file 5000
wait "${pids[0]}" "${pids[1]}"
got=$(on boot $H sum $D/board) && fail "with locks that nobody shares nothing went wrong: $got"
[[ $got == *"two have had a lock"* || $got == *"taken away"* || $got == *counted* ]] ||
	fail "with locks that nobody shares: $got"
check "board" on boot rm $D/board

run 0 "$a" $D/file
run 1 "$b" $D/file 1000000
run 2 boot $D/file
run 3 boot $OWN/holders/file
run 4 "$a" $M/holders/file 1000000
await 60 locked 30 || fail "no locks: $(on boot $H sum $D/board)"
# Nobody takes the place of who dies now.
check "halt" on "$a" pkill -STOP -o -f "run $M/holders"
check "dead" on boot $H dead $D/board 4
check "end of the mount" on "$a" pkill -KILL -f "mount.ccfs.*$M"
on "$a" sh -c "umount -l $M"
check "halt" on "$b" pkill -STOP -o -x holders
check "dead" on boot $H dead $D/board 1
check "stop" ctl stop --force "$b"
wait "${pids[1]}"
check "start" ctl start "$b"
await 60 on "$b" test -e $D/file || fail "$b has no mount"
run 1 "$b" $D/file
for place in 0 1 2 3; do
	well $place
done
on "$a" pkill -9 -f "run $M/holders" </dev/null
wait "${pids[4]}"
await 20 nobody || fail "left: $(books)"
got=$(on boot $H sum $D/board) || fail "$got"
read -r locks interrupted deadlocks busy killed longest <<<"$got"
[ "$interrupted" -gt 0 ] && [ "$busy" -gt 0 ] && [ "$killed" -gt 16 ] || fail "nothing happened: $got"
[ "$HOLDERS" -lt 1000 ] || [ "$deadlocks" -gt 0 ] || fail "no deadlock: $got"
echo "$locks locks, $interrupted interrupted, $deadlocks deadlocks, $busy busy, $killed killed; the longest wait took $longest ms"

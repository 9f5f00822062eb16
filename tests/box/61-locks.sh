#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 500
# may log: ^lives/.*
#
# Locks (fcntl, of processes and of open files; flock) of one file between two clients, the
# owner's processes and the owner's own mount: who has one keeps all others out, ranges split
# and merge, who waits gets it next, is interrupted, or is told of a deadlock; and they go
# with the open file, its process, its mount and its image. LOCKS (60) times each adds to words
# that a lock protects, on all of these at once; the control, without locks, loses some.

. "$(dirname "$0")/lib.sh"

LOCKS=${LOCKS-60}
MANY=100
L=/usr/lib/ccluster/tests/locks
F=/srv/shared/locks
OWN=/tmp/locks-own
DEBUG=/sys/kernel/debug/sharedpc
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
out=$(mktemp -d)

restore() {
	for image in boot "$a" "$b"; do
		on "$image" sh -c "pkill -9 -x locks; umount -l /tmp/locks-m; rmdir /tmp/locks-m" 2>/dev/null
	done
	on boot sh -c "umount $OWN; rmdir $OWN; chattr -a $F.a; rm -rf $F $F.a $F.d" 2>/dev/null
	rm -rf "$out"
}
trap restore EXIT

# path PLACE: what the file is called there; image PLACE. Places: images, and own.
path() { [ "$1" = own ] && echo $OWN/locks || echo $F; }
image() { [ "$1" = own ] && echo boot || echo "$1"; }
# lock PLACE COMMAND ARG...: on the file there.
lock() {
	local place=$1 command=$2

	shift 2
	on "$(image "$place")" $L "$command" "$(path "$place")" "$@" </dev/null
}
# held PLACE ARG...: in the background, until let_go; it has it when this returns.
held() {
	rm -f "$out/held"
	lock "$1" hold "${@:2}" >"$out/held" 2>&1 &
	holder=$!
	await 20 grep -q held "$out/held" || fail "lock $*: $(cat "$out/held")"
}
let_go() {
	on "$(image "$1")" pkill -x locks
	wait $holder
}
is_busy() {
	local got

	got=$(lock "$@" 1) && fail "$* has it as well"
	[ "$got" = busy ] || fail "$*: $got"
}
is_held() {
	local got

	got=$(lock "$@" 0) && [ "$got" = held ] || fail "$*: $got"
}
sees() {
	local want=$1 got

	got=$(lock "${@:2}")
	[[ $got == $want ]] || fail "${*:2} sees $got, not $want"
}
# waits NAME PLACE ARG...: in the background.
waits() {
	rm -f "$out/$1"
	lock "$2" wait "${@:3}" >"$out/$1" 2>&1 &
	declare -g "pid_$1=$!"
}
got() {
	local pid=pid_$1

	wait "${!pid}"
	[ "$(cat "$out/$1")" = "$2" ] || fail "$1: $(cat "$out/$1"), not $2"
}
# What the owner's kernel has of it, a line for each: with -> who waits.
books() {
	local ino

	ino=$(on boot stat -c %i $F)
	on boot grep ":$ino " /proc/locks
}
waiting_least() { [ "$(books | grep -c -- '->')" -ge "$1" ]; }
waiting() { [ "$(books | grep -c -- '->')" = "$1" ]; }
nobody() { [ -z "$(books)" ]; }
writes() { books | grep -v -- '->' | grep -q WRITE; }
only_reads() { books | grep -q READ && ! books | grep -q WRITE; }
# shown KIND HOLDER WAITER...: images, as ccctl locks has them (sorted; ofd: it knows none).
shown() {
	ctl locks --json | python3 -c '
import json, sys
kind, file, holder, waiters = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
if kind == "ofd":
	holder, waiters = "?", ["?"] * len(waiters)
locks = [l for l in json.load(sys.stdin) if l.get("file") == file and l["kind"] == kind]
held = [l["image"] for l in locks if not l["waits"]]
waits = sorted(l["image"] for l in locks if l["waits"])
if held != [holder] or waits != sorted(waiters):
	sys.exit(f"held {held}, waits {waits}")' "$1" $F "${@:2}"
}

dmesg_mark
check "file" on boot sh -c "truncate -s 4096 $F; chmod 666 $F; mkdir -p $OWN $F.d; mount -t ccfs boot:/srv/shared $OWN"
places=("$a" "$b" boot own)

for place in "${places[@]}"; do
	check "parts on $place" lock "$place" parts
	check "flock turned on $place" lock "$place" turn
done
check "another name" lock own other $F
check "append-only" on boot sh -c "touch $F.a; chattr +a $F.a"
for image in "$a" boot; do
	check "append-only" on "$image" flock -n $F.a sh -c "echo line >>$F.a; true"
done
check "append-only" on boot chattr -a $F.a
nobody || fail "left after the parts: $(books)"
rm -f "$out/held"
on "$a" $L hold $F.d flock write 0 0 </dev/null >"$out/held" 2>&1 &
holder=$!
await 20 grep -q held "$out/held" || fail "directory: $(cat "$out/held")"
for image in "$b" boot; do
	on "$image" flock -n $F.d true && fail "the directory has two locks"
done
let_go "$a"
check "directory again" on "$b" flock -n $F.d true
echo "parts and directories"

# Each kind, each place against all others.
for kind in posix ofd flock; do
	for place in "${places[@]}"; do
		held "$place" $kind write 100 10
		for other in "${places[@]}"; do
			[ $kind.$other != "posix.$place" ] || continue
			is_busy "$other" hold $kind read 105 1
			[ $kind = flock ] || is_held "$other" hold $kind write 110 1
			[ $kind != posix ] || sees "write 100 10 [1-9]*" "$other" test $kind read 0 0
			[ $kind != ofd ] || sees "write 100 10 -1" "$other" test $kind read 0 0
		done
		let_go "$place"
		held "$place" $kind read 100 10
		for other in "${places[@]}"; do
			is_held "$other" hold $kind read 100 10
			is_busy "$other" hold $kind write 100 10
		done
		let_go "$place"
	done
	nobody || fail "$kind: left: $(books)"
done
echo "each place against each"

# Who waits: gets it, is interrupted, is killed.
for kind in posix ofd flock; do
	for place in "$a" own; do
		held "$place" $kind write 0 10
		waits one "$b" $kind write 5 1
		waits two boot $kind read 5 1
		waits three "$b" $kind write 5 1 $((2 * ${SLOW-1}))
		await 20 waiting 3 || fail "$kind: $(books)"
		check "$kind: ccctl locks" shown $kind "$(image "$place")" "$b" "$b" boot
		got three interrupted
		waiting 2 || fail "$kind, one has gone: $(books)"
		waits four "$b" $kind write 5 1
		await 20 waiting 3 || fail "$kind: $(books)"
		on "$b" pkill -9 -nx locks
		await 10 waiting 2 || fail "$kind, one was killed: $(books)"
		on "$(image "$place")" pkill -9 -ox locks
		wait $holder
		got one held
		got two held
		await 10 nobody || fail "$kind: left: $(books)"
	done
done
echo "who waits"

# Many who wait use nothing up: others look at files and lock them as before. Each gets it.
for kind in posix ofd flock; do
	held "$b" $kind write 0 10
	timeout $((200 * ${SLOW-1})) "$BOX" exec "$a" -- sh -c "for i in \$(seq $MANY); do $L wait $F $kind write 0 10 & done; wait" </dev/null >"$out/many" 2>&1 &
	many=$!
	# Of those with flock(2) an owner lets so many sleep at a time, the others ask again.
	await 60 waiting_least $((MANY < 60 ? MANY : 60)) || fail "$kind: $(books | wc -l) of $MANY wait"
	check "others' files" on "$a" timeout 20 sh -c "echo x >$F.m; stat $F.m; rm $F.m"
	on "$a" timeout 20 $L wait $F $kind write 100 10 </dev/null >"$out/x" 2>&1 & x=$!
	[ $kind = flock ] || wait $x || fail "$kind: another part: $(cat "$out/x")"
	let_go "$b"
	wait $many
	wait $x
	[ "$(grep -c held "$out/many")" = "$MANY" ] || fail "$kind: $(sort "$out/many" | uniq -c)"
	await 10 nobody || fail "$kind, many: left: $(books)"
done
echo "$MANY wait"

# Of two open files that have it for reading the first that wants it alone waits for the other.
for place in "$a" own; do
	on "$(image "$place")" sh -c "exec 3<$(path "$place") 4<$(path "$place")
		flock -s 3; flock -s 4; flock -x 3 4<&- & sleep 1; timeout 10 flock -x 4 || exit 1
		exec 4<&-; wait" </dev/null >"$out/x" 2>&1 || fail "$place, flock both: $(cat "$out/x")"
done
nobody || fail "left: $(books)"

# Killed at any moment, with messages that get lost: nothing is left.
check "drop" on "$a" sh -c "echo name drop 30 >$DEBUG/inject"
for kind in posix ofd flock; do
	for after in 0.02 0.1 0.3 1.2; do
		on "$a" sh -c "for i in 1 2 3 4; do timeout -s KILL $after $L count $F $kind 10000 & done; wait
			for i in 1 2; do timeout -s KILL $after $L wait $F $kind write 0 10 & done; wait" </dev/null >"$out/x" 2>&1
	done
	await 30 nobody || fail "$kind, killed: $(books)"
done
check "drop" on "$a" sh -c "echo name drop 0 >$DEBUG/inject"
echo "killed"

# Killed when the owner has granted it, and the word of that was lost: what the open file had
# before, it has.
held "$b" posix read 0 10
other=$holder
rm -f "$out/held"
lock "$a" share >"$out/held" 2>&1 &
holder=$!
await 20 waiting 1 || fail "$(books)"
check "drop" on boot sh -c "echo locked drop 20 >$DEBUG/inject"
check "no question" on "$a" sh -c "echo name cut 1000 >$DEBUG/inject"
on "$b" pkill -x locks
wait $other
await 20 writes || fail "nothing granted: $(books)"
grep -q ended "$out/held" && fail "it knows"
on "$a" sh -c "pkill -9 -nx locks; echo name cut 0 >$DEBUG/inject"
await 20 grep -q ended "$out/held" || fail "not killed: $(cat "$out/held")"
await 20 only_reads || fail "after a child was killed: $(books)"
check "drop" on boot sh -c "echo locked drop 0 >$DEBUG/inject"
let_go "$a"
await 10 nobody || fail "left: $(books)"

# One of two who wait for each other is told.
for pair in "$a $b" "$b boot" "own $a"; do
	read -r x y <<<"$pair"
	rm -f "$out/go" "$out/x" "$out/y"
	mkfifo "$out/go"
	on "$(image "$x")" $L knot "$(path "$x")" 0 1 <"$out/go" >"$out/x" 2>&1 &
	p=$!
	on "$(image "$y")" $L knot "$(path "$y")" 1 0 <"$out/go" >"$out/y" 2>&1 &
	q=$!
	exec 3>"$out/go"
	await 20 grep -q held "$out/x" || fail "knot: $(cat "$out/x")"
	await 20 grep -q held "$out/y" || fail "knot: $(cat "$out/y")"
	exec 3>&-
	wait $p $q
	[ "$(sort "$out/x" "$out/y" | tr '\n' ' ')" = "deadlock got both held held " ] ||
		fail "knot of $pair: $(cat "$out/x" "$out/y")"
done
echo "deadlocks"

# They go with the mount and with the image.
check "mount" on "$a" sh -c "mkdir -p /tmp/locks-m && mount -t ccfs boot:/srv/shared /tmp/locks-m"
for kind in posix flock; do
	rm -f "$out/held"
	on "$a" $L hold /tmp/locks-m/locks $kind write 0 10 </dev/null >"$out/held" 2>&1 &
	holder=$!
	await 20 grep -q held "$out/held" || fail "on a mount: $(cat "$out/held")"
	waits one "$b" $kind write 0 10
	await 20 waiting 1 || fail "$(books)"
	check "end of the mount" on "$a" pkill -KILL -f 'mount.ccfs.*/tmp/locks-m'
	got one held
	on "$a" sh -c "pkill -9 -x locks; umount -l /tmp/locks-m; mount -t ccfs boot:/srv/shared /tmp/locks-m"
	wait $holder
done
check "umount" on "$a" umount /tmp/locks-m
held "$a" posix write 0 10
waits one "$b" posix write 0 10
await 20 waiting 1 || fail "$(books)"
check "stop" ctl stop --force "$a"
got one held
wait $holder
check "start" ctl start "$a"
await 60 on "$a" test -e $F || fail "$a has no mount"
await 10 nobody || fail "left: $(books)"
echo "ends of mount and image"

# What messages cost: one for each lock and unlock, none for who has none.
sent() { on "$a" sed -n 's/.* name boot .* messages \([0-9]*\) .*/\1/p' $DEBUG/images; }
check "warm up" lock "$a" count posix 1
before=$(sent)
check "locks" lock "$a" count posix 25
cost=$(($(sent) - before))
before=$(sent)
check "no locks" lock "$a" count none 25
cost=$((cost - $(sent) + before))
echo "100 locks and unlocks: $cost messages"
[ $cost -ge 195 ] && [ $cost -le 215 ] || fail "$cost messages for 100 locks"

# What is lost is said again.
check "drop" on boot sh -c "echo locked drop 20 >$DEBUG/inject"
check "drop" on "$a" sh -c "echo name drop 4 >$DEBUG/inject"
held "$b" posix write 0 10
waits one "$a" posix write 0 10
await 20 waiting 1 || fail "$(books)"
let_go "$b"
got one held
check "drop" on boot sh -c "echo locked drop 0 >$DEBUG/inject"
check "drop" on "$a" sh -c "echo name drop 0 >$DEBUG/inject"

# sum KIND: of what all places have added.
sum() {
	local pids='' pid place

	check "zero" on boot dd if=/dev/zero of=$F bs=4096 count=1 conv=notrunc status=none
	for place in "${places[@]}"; do
		lock "$place" count "$1" "$2" >"$out/$place" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || fail "$1: $(cat "$out"/*)"
	done
	on boot od -A n -t u8 -v -N 32 $F | tr -s ' \n' '\n' | awk '{ n += $1 } END { print n }'
}
all=$((4 * 4 * 5000 * LOCKS))
lost=$((all - $(sum none $((5000 * LOCKS)))))
[ $lost -gt 0 ] || fail "without locks nothing got lost"
for kind in posix ofd flock; do
	n=$(sum $kind "$LOCKS")
	[ "$n" = $((4 * 4 * LOCKS)) ] || fail "$kind: $n, not $((4 * 4 * LOCKS))"
done
await 10 nobody || fail "left: $(books)"
echo "$((4 * 4 * LOCKS)) locks of each kind; without, $lost of $all got lost"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# long: TURNS=60000
# long timeout: 7200
# may log: ^lives/.*
# may log: .*: ring made no sense
#
# Words in a shared file, for which processes of several images wait: TURNS (200) hand-overs
# in each way that there is between two of them, and TURNS times in and out of mutexes of each
# type, rwlocks, semaphores, condition variables and barriers with a crowd on one image and
# others elsewhere; none is lost, also when the messages are, when the page is being taken
# back, and when who holds a robust mutex is killed, or its image. What stays within an image
# sends nothing. The controls: a PRIVATE wait is not ended by another image, and what nothing
# protects is not right.

. "$(dirname "$0")/lib.sh"

TURNS=${TURNS-200}
P=/usr/lib/ccluster/tests/futexes
F=/srv/shared/futexes
DEBUG=/sys/kernel/debug/sharedpc
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
out=$(mktemp -d)

restore() {
	for image in boot "$a" "$b"; do
		on "$image" sh -c "pkill -9 -x futexes; for w in drop delay; do
			echo wake \$w 0 >$DEBUG/inject; done" 2>/dev/null
	done
	on boot rm -f $F
	rm -rf "$out"
}
trap restore EXIT

run() { local image=$1 command=$2; shift 2; on "$image" $P "$command" $F "$@" </dev/null; }
sent() { counter "$1" futex sent; }
# all_ran WHAT: of the background commands since the last time.
pids=()
all_ran() {
	local pid

	for pid in "${pids[@]}"; do
		wait "$pid" || fail "$1: status $?: $(tail -n 3 "$out"/*)"
	done
	pids=()
}
start() {
	run "$@" >"$out/${#pids[@]}" 2>&1 &
	pids+=($!)
}
turns() {
	start "$1" turns "$3" 0 "$4"
	start "$2" turns "$3" 1 "$4"
	all_ran "$3 between $1 and $2"
}
nobody_waits() { [ "$(counter "$1" futex waiting)" = 0 ]; }

dmesg_mark
check "file" run boot init
# How often there was no room for a message, or there were too many at a time: then one is
# lost, and that is a reason.
full() {
	for image in boot "$a" "$b"; do
		on "$image" sed -n 's/.* ring-full \([0-9]*\) .*/\1/p' $DEBUG/images </dev/null
		counter "$image" futex held
	done | paste -sd' '
}
full=$(full)
quiet=$(($(counter "$a" futex doubts) + $(counter "$b" futex doubts)))

# Each in turns, in all directions.
for how in raw bitset futex2 waitv op requeue sem cond; do
	for pair in "$a $b" "boot $a"; do
		turns $pair $how "$TURNS"
	done
done
echo "turns: $(cat "$out"/*)"

# A crowd on one image, one each on two others.
for how in normal recursive errorcheck adaptive robust rwlock sem cond; do
	before=$(run boot get $how)
	for image in "$a" "$a" "$a" "$b" boot; do
		start "$image" add $how $((10 * TURNS)) 5
	done
	all_ran $how
	[ $(($(run "$b" get $how) - before)) = $((50 * TURNS)) ] ||
		fail "$how: $before and $((50 * TURNS)) are $(run "$b" get $how)"
	cat "$out"/*
done
unprotected() {
	for image in "$a" "$a" "$a" "$b" boot; do
		start "$image" add none $((10 * TURNS)) 5
	done
	all_ran none
	[ "$(run boot get none)" != $((50 * TURNS * $1)) ]
}
unprotected 1 || unprotected 2 || unprotected 3 || fail "unprotected, and right all the same"

check "barrier" run boot parties 4
for image in "$a" "$a" "$b" boot; do
	start "$image" barrier 4 "$TURNS"
done
all_ran barrier

# Bits, time-outs, and what is not shared.
waits() {
	rm -f "$out/waits"
	run "$@" >"$out/waits" 2>&1 &
	waiter=$!
	await 20 grep -q waits "$out/waits" || fail "wait: $(cat "$out/waits")"
}
ended() {
	wait $waiter
	[ "$(tail -n 1 "$out/waits")" = "$1" ] || fail "$2: $(cat "$out/waits")"
}
waits "$a" wait 2 60000
await 20 on "$a" sh -c "! grep -q 'futex waiting 0 ' $DEBUG/counters" || fail "nobody waits"
check "wake, of others" run "$b" wake 4
sleep 1
kill -0 $waiter || fail "woken by other bits"
check "wake" run "$b" wake 6
ended woken "wake, by bits"
waits "$a" wait 1 700
ended timeout "wait with a time-out"
waits "$a" wait 1 3000 private
check "wake" run "$b" wake 1
ended timeout "control: a private wait"

# Within an image.
before=$(sent "$a")
turns "$a" "$a" raw "$TURNS"
for n in 1 2 3; do
	start "$a" add normal $((10 * TURNS)) 3
done
all_ran "within $a"
after=$(sent "$a")
[ "$before" = "$after" ] || fail "within $a $((after - before)) messages were sent"

# Who is killed while it waits leaves nothing.
waits "$b" wait 1 100000
on "$b" pkill -9 -x futexes
wait $waiter
for image in boot "$a" "$b"; do
	await 10 nobody_waits "$image" || fail "$image: $(counter "$image" futex waiting) wait"
done

# Messages that get lost, also while others arrive.
doubts() { echo $(($(counter "$a" futex doubts) + $(counter "$b" futex doubts))); }
before=$(doubts)
[ "$before" = "$quiet" ] || [ "$full" != "$(full)" ] || fail "$((before - quiet)) times in doubt without a reason"
for what in drop duplicate corrupt delay cut; do
	before=$(doubts) full=$(full)
	start "$a" add sem $((20 * TURNS)) 2
	start "$b" add sem $((20 * TURNS)) 2
	for image in "$a" "$b"; do
		on "$image" sh -c "echo wake $what 10 >$DEBUG/inject"
	done
	turns "$a" "$b" raw 100
	turns "$a" "$b" cond 100
	# What comes twice is known by its number.
	noticed() { [ "$(doubts)" -gt "$before" ]; }
	if [ $what != duplicate ]; then
		await 10 noticed || fail "$what: nobody noticed"
	elif noticed && [ "$full" = "$(full)" ]; then
		fail "one that comes twice is taken for one that is lost"
	fi
	for image in "$a" "$b"; do
		on "$image" sh -c "echo wake $what 0 >$DEBUG/inject"
	done
	sleep 1		# what got lost last shows now, and not in the next round
done

# The page is taken back all the time.
touch "$out/on"
while [ -e "$out/on" ]; do
	on boot sh -c "sync $F; echo 1 >/proc/sys/vm/compact_memory" </dev/null
done &
taker=$!
turns "$a" "$b" raw $((5 * TURNS))
turns "$a" boot cond "$TURNS"
rm "$out/on"
wait $taker

# Robust mutexes: the holder dies.
held() {
	rm -f "$out/held"
	run "$1" hold >"$out/held" 2>&1 &
	holder=$!
	await 20 grep -q held "$out/held" || fail "hold: $(cat "$out/held")"
}
takes() {
	[ "$2" = "$3" ] || fail "$1: $2, not $3"
}
held "$a"
takes "trylock while it is held" "$(run "$b" take try robust)" busy
start "$b" take wait robust
await 20 on "$b" sh -c "! grep -q 'futex waiting 0 ' $DEBUG/counters" || fail "nobody waits"
on "$a" pkill -9 -x futexes
all_ran "lock of a dead holder's"
takes "lock of a dead holder's" "$(cat "$out/0")" ownerdead
held "$a"
on "$a" pkill -9 -x futexes
wait $holder
takes "trylock of a dead holder's" "$(run "$b" take try robust)" ownerdead

# Its image dies, and somebody waits; or comes later, who only tries.
for how in wait later; do
	held "$a"
	if [ $how = wait ]; then
		start "$b" take wait robust
		start boot take wait robust
		await 20 on "$b" sh -c "! grep -q 'futex waiting 0 ' $DEBUG/counters" ||
			fail "nobody waits"
	fi
	# Written back: it is in no page table of the dead any more.
	check "write back" on boot sync $F
	if [ $how = wait ]; then
		check "stop" ctl stop --force "$a"
	else
		on "$a" sh -c 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger' 2>/dev/null
		ended() { [ "$(state "$a")" != running ]; }
		await 60 ended || fail "$a is $(state "$a")"
	fi
	wait $holder
	if [ $how = wait ]; then
		all_ran "lock of a dead image's"
		takes "lock of a dead image's" "$(sort "$out/0" "$out/1" | xargs)" "held ownerdead"
	else
		is_dead() { [ "$(run "$b" take try robust)" = ownerdead ]; }
		await 20 is_dead || fail "trylock of a dead image's: $(run "$b" take try robust)"
	fi
	takes "trylock after that" "$(run boot take try robust)" held
	takes "trylock of its other one" "$(run "$b" take try robust2)" ownerdead
	check "start" ctl start "$a"
	is_up "$a"
done

dmesg_clean
for image in boot "$a" "$b"; do
	on "$image" grep futex $DEBUG/counters
done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# long: FORKS=2000000
# long timeout: 14400
#
# No two processes of the box have the same PID: each image gives those of its own part, each
# of its lives those of a part of that, and begins there again at the end. What runs on a client
# has such numbers from its first process on; and of FORKS (2000) processes on each image at the
# same time none has another's. The control, without the module's hand, is what an image has
# beside: threads of its kernel, whose numbers others have as well.

. "$(dirname "$0")/lib.sh"

FORKS=${FORKS-2000}
FEW=300		# by a shell: across the end of the part
FORK=/usr/lib/ccluster/tests/forks
DIR=/srv/shared/pids
IMAGE=$((4194304 / 8)) LIFE=$((IMAGE / 4))
DEBUG=/sys/kernel/debug/sharedpc
read -ra clients < <(clients)

# first N: of image N, the first PID of its life.
first() {
	local epoch

	epoch=$(on "${images[$1]}" sed -n "s/^image $1 .* epoch \([0-9]*\) .*/\1/p" $DEBUG/images)
	echo $(($1 * IMAGE + epoch % 4 * LIFE))
}
# pids IMAGE: of FEW new processes of it, one after the other.
pids() { on "$1" sh -c "i=0; while [ \$i -lt $FEW ]; do i=\$((i + 1)); sh -c 'echo \$\$'; done"; }
# within FIRST PIDS...: all of that life.
within() {
	local from=$1 pid

	shift
	for pid; do
		[ "$pid" -gt "$from" ] && [ "$pid" -lt $((from + LIFE)) ] ||
			fail "$pid is not one of $from to $((from + LIFE))"
	done
}

images=(boot "${clients[@]}")
dmesg_mark
for n in "${!images[@]}"; do
	from=$(first "$n")
	mapfile -t before < <(pids "${images[$n]}")
	within "$from" "${before[@]}"
	# To the end of the part, and over it.
	check "near the end" on "${images[$n]}" sh -c "echo $((from + LIFE - 4096 - FEW / 2)) >/proc/sys/kernel/ns_last_pid"
	mapfile -t after < <(pids "${images[$n]}")
	within "$from" "${after[@]}"
	[ "${after[0]}" -gt "${after[-1]}" ] || fail "${images[$n]} went on from ${after[0]} to ${after[-1]}"
	# Others' numbers are not taken even if somebody asks for them.
	check "another's" on "${images[$n]}" sh -c "echo $(((n + 1) % 4 * IMAGE + 1000)) >/proc/sys/kernel/ns_last_pid"
	within "$from" "$(on "${images[$n]}" sh -c 'echo $$')"
	echo "${images[$n]}: ${before[0]} ... ${after[0]}, ${after[-1]}"
done
a=${clients[0]}
old=$(first 1)
check "restart" ctl restart "$a"
await 60 on "$a" true || fail "$a does not come back"
[ "$(first 1)" != "$old" ] || fail "the next life has the same numbers"
within "$(first 1)" "$(on "$a" sh -c 'echo $$')"
# All that runs on a client, but for its PID 1, has been started by it.
users() { on "$1" sh -c 'for p in /proc/[0-9]*; do ! readlink $p/exe >/dev/null || echo ${p#/proc/}; done' 2>/dev/null | grep -vx 1; }
for n in "${!images[@]}"; do
	[ "${images[$n]}" != boot ] || continue
	mapfile -t before < <(users "${images[$n]}")
	[ ${#before[@]} -gt 1 ] || fail "only ${before[*]} on ${images[$n]}"
	within "$(first "$n")" "${before[@]}"
done
# Many, on all at once.
check "directory" on boot sh -c "rm -rf $DIR; mkdir $DIR"
for image in "${images[@]}"; do
	timeout $((14000 * ${SLOW-1})) "$BOX" exec "$image" -- $FORK give $DIR/"$image" "$FORKS" \
		</dev/null >"/tmp/pids.$$.$image" 2>&1 &
done
wait
for n in "${!images[@]}"; do
	read -r given lowest highest rest <"/tmp/pids.$$.${images[$n]}"
	rm -f "/tmp/pids.$$.${images[$n]}"
	[ "$given" = "$FORKS" ] || fail "${images[$n]}: $given $lowest $highest $rest"
	within "$(first "$n")" "$lowest" "$highest"
	for other in "${images[@]:0:$n}"; do
		got=$(on boot $FORK common $DIR/"$other" $DIR/"${images[$n]}")
		[ "$got" = 0 ] || fail "$other and ${images[$n]} have given the same $got PIDs"
	done
	echo "${images[$n]}: $given processes, $lowest to $highest"
done
[ "$(on boot $FORK common $DIR/"$a" $DIR/"$a")" -gt $((FORKS < 120000 ? FORKS - 1 : 120000)) ] ||
	fail "the maps have nothing in them"
check "clean up" on boot rm -r $DIR
# The control.
[ "$(on "$a" cat /proc/2/comm)" = "$(on "${clients[1]}" cat /proc/2/comm)" ] ||
	fail "kernel threads have numbers of their own"

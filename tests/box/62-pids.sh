#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No two processes of the box have the same PID: each image gives those of its own part, each
# of its lives those of a part of that, and begins there again at the end. FORKS (300) processes
# are started at the end on each image; the control, without the module's hand, is what an
# image has beside: threads of its kernel, whose numbers others have as well.

. "$(dirname "$0")/lib.sh"

FORKS=${FORKS-300}
IMAGE=$((4194304 / 8)) LIFE=$((IMAGE / 4))
DEBUG=/sys/kernel/debug/sharedpc
read -ra clients < <(clients)

# first N: of image N, the first PID of its life.
first() {
	local epoch

	epoch=$(on "${images[$1]}" sed -n "s/^image $1 .* epoch \([0-9]*\) .*/\1/p" $DEBUG/images)
	echo $(($1 * IMAGE + epoch % 4 * LIFE))
}
# pids IMAGE: of FORKS new processes of it, one after the other.
pids() { on "$1" sh -c "i=0; while [ \$i -lt $FORKS ]; do i=\$((i + 1)); sh -c 'echo \$\$'; done"; }
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
	check "near the end" on "${images[$n]}" sh -c "echo $((from + LIFE - 4096 - FORKS / 2)) >/proc/sys/kernel/ns_last_pid"
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
# The control.
[ "$(on "$a" cat /proc/2/comm)" = "$(on "${clients[1]}" cat /proc/2/comm)" ] ||
	fail "kernel threads have numbers of their own"

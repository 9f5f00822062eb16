#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# long: INJECTED=locks,pids,futexes,sync,inotify,pairs,large,programs,holders,layers,sockets
# long timeout: 20000
# may log: ^lives/.*
#
# Other tests (INJECTED, by their names) once more, while messages get lost, come late and come
# twice: every second up to two of each type, on each image. All that holds without that
# holds with it, only later.

. "$(dirname "$0")/lib.sh"

INJECTED=${INJECTED-holders}
DEBUG=/sys/kernel/debug/sharedpc
TYPES='fault write fsync punch close name frames done revoke revoked kept released freed locked wake removed'
images=(boot $(clients))
out=$(mktemp -d)

# In /tmp/injected: how many were hit. Ends with its image, and begins again with it.
injects() {
	while [ ! -e "$out/stop" ]; do
		timeout $((20000 * ${SLOW-1})) "$BOX" exec "$1" -- sh -c "
			hit=0
			while :; do
				for what in drop delay duplicate; do
					n=\$((\$(date +%s) % 3))
					for t in $TYPES; do echo \$t \$what \$n >$DEBUG/inject; hit=\$((hit + n)); done
					sleep 1
					for left in \$(sed 's/.* //' $DEBUG/inject); do hit=\$((hit - left)); done
					echo \$hit >/tmp/injected
				done
			done" </dev/null >/dev/null 2>&1
		sleep 2
	done
}
restore() {
	touch "$out/stop"
	for image in "${images[@]}"; do
		on "$image" sh -c "pkill -f '^sh -c.*hit[=]0'; rm -f /tmp/injected
			for t in $TYPES; do echo \$t drop 0 >$DEBUG/inject; done" </dev/null
	done 2>/dev/null
	wait
	rm -rf "$out"
}
trap restore EXIT

for image in "${images[@]}"; do
	injects "$image" &
done
export SLOW=$((${SLOW-1} * 3))
for name in ${INJECTED//,/ }; do
	t0=$SECONDS
	bash "$(dirname "$0")"/[0-9][0-9]-"$name".sh >"$out/said" 2>&1 </dev/null ||
		fail "$name: $(tail -n 30 "$out/said")"
	echo "$name: $((SECONDS - t0)) s: $(tail -n 1 "$out/said")"
done
hit=$(for image in "${images[@]}"; do on "$image" cat /tmp/injected </dev/null; done | awk '{ n += $1 } END { print n + 0 }')
[ "$hit" -gt 20 ] || fail "only $hit messages were hit: no test"
echo "$hit messages were hit"

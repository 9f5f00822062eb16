#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# long: CLOCK=600
# long timeout: 1500
#
# The clocks of all images agree within a millisecond: at rest, while all work and the boot
# image's runs faster for CLOCK (20) seconds, and soon after that one, or an image's own, has
# been set. No file that is written meanwhile, on any of them, is of the future, and make on one,
# of what another one has changed, never says so. The controls: what measures would notice two
# milliseconds, and files of the future.

. "$(dirname "$0")/lib.sh"

CLOCK=${CLOCK-20}
P=/usr/lib/ccluster/tests/clocks
F=/srv/shared/clock
PPM=200
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
stepped=0
writing=()
out=$(mktemp -d)

restore() {
	on boot $P slew 0
	[ $stepped = 0 ] || on boot $P step $((-stepped))
	on boot sh -c "touch $F.stop; $P end $F; rm -rf $F $F.stop $F.d"
	rm -rf "$out"
}
trap restore EXIT

# ahead IMAGE [NS]: the boot image's clock, of the image's: "LEAST MOST", ns.
ahead() {
	on "$1" $P ask $F 2000 ${2-} </dev/null || fail "$1 gets no answer"
}
# within a millisecond, for certain; they may have moved a little meanwhile, but no more.
agrees() {
	local least most

	read -r least most < <(ahead "$@")
	[ "$least" -le $((most + 100000)) ] && [ "$least" -gt -1000000 ] && [ "$most" -lt 1000000 ]
}
all_agree() {
	local image

	for image in "${clients[@]}"; do
		agrees "$image" || fail "$1: of $image's the boot image's clock is $(ahead "$image") ns ahead"
	done
}
soon() {
	local image

	for image in "${clients[@]}"; do
		await 10 agrees "$image" ||
			fail "$1: of $image's the boot image's clock is $(ahead "$image") ns ahead"
	done
}

check "file" on boot sh -c "rm -rf $F $F.stop $F.d; mkdir $F.d"
timeout 1400 "$BOX" exec boot -- timeout 1400 sh -c "until [ -e $F.stop ]; do $P answer $F; done" </dev/null &
await 20 on boot test -s $F || fail "nobody answers"

all_agree "at rest"
agrees "$a" 2000000 && fail "two milliseconds are not noticed"
for image in "${clients[@]}"; do
	echo "$image: $(ahead "$image")"
done

# Set: by an hour, there and back; and a client's own.
for by in 3600 -3600; do
	check "set the clock" on boot $P step $by
	stepped=$((stepped + by))
	soon "set by $by s"
done
check "set the clock of $a" on "$a" $P step 600
soon "$a's set"

# Faster, under load.
for image in boot "${clients[@]}"; do
	timeout $((CLOCK + 60)) "$BOX" exec "$image" -- timeout "$CLOCK" \
		sh -c 'while :; do :; done' </dev/null &
done
check "slew" on boot $P slew $PPM
for image in "${clients[@]}"; do
	timeout $((CLOCK + 60)) "$BOX" exec "$image" -- $P writes $F.d/"$image" "$CLOCK" </dev/null >"$out/$image" 2>&1 &
	writing+=($!)
done
printf 'product: source\n\tcp source product\n' >"$out/Makefile"
check "a Makefile" "$BOX" cp "$out/Makefile" boot:$F.d/Makefile
timeout $((CLOCK + 60)) "$BOX" exec "$a" -- timeout "$CLOCK" sh -c "while :; do date >$F.d/source; sleep 0.1; done" </dev/null &
timeout $((CLOCK + 60)) "$BOX" exec "$b" -- timeout "$CLOCK" sh -c "cd $F.d; until [ -e source ]; do :; done
	while :; do make; done" </dev/null >"$out/make" 2>&1 &
end=$((SECONDS + CLOCK))
rounds=0
while [ $SECONDS -lt $end ]; do
	all_agree "$PPM ppm faster, round $rounds"
	rounds=$((rounds + 1))
done
check "as before" on boot $P slew 0
soon "as fast as before"
echo "$rounds rounds under load"
wait "${writing[@]}"
for image in "${clients[@]}"; do
	read -r writes future <"$out/$image"
	[ "$writes" -gt 10 ] && [ "$future" = 0 ] || fail "files that $image writes: $(cat "$out/$image")"
done
grep -q "^cp source" "$out/make" || fail "make: $(tail "$out/make")"
grep -i "skew\|future\|error" "$out/make" && fail "make warns"
read -r writes future < <(on "$a" $P writes $F.d/"$a" 1 -20000000)
[ "$future" -gt 0 ] || fail "files of the future are not noticed"

# What is made there is here not of the future.
check "files" on "$a" sh -c "for i in \$(seq 100); do
	: >$F.d/\$i; t=\$(stat -c %.9Y $F.d/\$i); n=\$(date +%s.%N)
	[ \"\$(printf '%s\n%s\n' \$t \$n | sort -n | head -n 1)\" = \$t ] || { echo \$t after \$n; exit 1; }; done"
check "others' files" on "$b" sh -c "[ -z \"\$(find $F.d -newermt \"\$(date +@%s.%N)\")\" ]"

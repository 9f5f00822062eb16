#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# A file that is cut while all images have it mapped: SIGBUS past the end, a
# zero tail, the rest kept. A file that is removed while they have it mapped:
# its bytes stay until the last mapping goes, then its space is free.

. "$(dirname "$0")/lib.sh"

T=/usr/lib/ccluster/tests
FILE=/srv/shared/cut-test
images=(boot $(clients))

# ready N: N processes have mapped and touched.
ready() { [ "$(on boot $T/mapped load $FILE 0)" = "$1" ]; }

# all_map ARG...: `truncated ARG...` on all images, into pids.
all_map() {
	pids=()
	for image in "${images[@]}"; do
		on "$image" $T/truncated "$@" &
		pids+=($!)
	done
	await 30 ready ${#images[@]} || fail "not all images have mapped the file"
}

all_end() {
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "$1"
	done
}

dmesg_mark
for image in "${images[@]}"; do
	check "fill" on "$image" $T/truncated fill $FILE 64
	all_map cut $FILE 5000
	check "truncate on $image" on "$image" truncate -s 5000 $FILE
	check "tell" on boot $T/mapped add $FILE 0 1000
	all_end "cut by $image"
	for other in "${images[@]}"; do
		[ "$(on "$other" stat -c %s $FILE)" = 5000 ] ||
			fail "cut by $image: $other sees $(on "$other" stat -c %s $FILE) bytes"
	done

	# It grows again, and what was cut does not come back.
	check "grow on $image" on "$image" truncate -s 20000 $FILE
	for other in "${images[@]}"; do
		[ "$(on "$other" tail -c +5001 $FILE | tr -d '\0' | wc -c)" = 0 ] ||
			fail "grown by $image: $other sees old bytes"
	done

	check "fill" on "$image" $T/truncated fill $FILE 64
	all_map gone $FILE
	check "unlink on $image" on "$image" rm $FILE
	all_end "removed by $image"
done

# The space of what is removed comes back once nobody has it.
free() { on boot stat -f -c %f /srv/shared; }
check "sync" on boot sync
before=$(free)
check "fill" on "${images[1]}" $T/truncated fill $FILE 8192
check "read" on "${images[2]}" cksum $FILE
check "remove" on boot rm $FILE
came_back() { on boot sync; [ "$(free)" -ge $((before - 64)) ]; }
await 30 came_back || fail "32 MiB removed, but $((before - $(free))) blocks fewer are free"
dmesg_clean
echo "cut and removed by each of ${images[*]} under mappings of all"

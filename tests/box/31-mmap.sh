#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: yes
# timeout: 400
#
# One page cache: a store on any image is read through mmap and through read()
# on every other one, and the other way round; write() shows up in mappings
# that are there already; and increments from all images at once are all there.

. "$(dirname "$0")/lib.sh"

T=/usr/lib/ccluster/tests/mapped
COUNT=${COUNT:-10000000}
FILE=/srv/shared/mmap-test
images=(boot $(clients) own)	# own: the owner's own ccfs mount

# at IMAGE MAPPED-ARGUMENTS: with FILE as that image sees it.
at() {
	local image=$1 cmd=$2 file=$FILE

	shift 2
	if [ "$image" = own ]; then
		image=boot file=/mnt/shared/mmap-test
	fi
	on "$image" $T "$cmd" "$file" "$@"
}

dmesg_mark
check "file" on boot sh -c "dd if=/dev/zero of=$FILE bs=4096 count=16 status=none"
value=1000
for writer in "${images[@]}"; do
	for how in store write; do
		value=$((value + 1))
		check "$how on $writer" at "$writer" $how 4096 $value
		for reader in "${images[@]}"; do
			[ "$(at "$reader" load 4096)" = $value ] ||
				fail "$how on $writer: load on $reader gives $(at "$reader" load 4096)"
			[ "$(at "$reader" read 4096)" = $value ] ||
				fail "$how on $writer: read on $reader gives $(at "$reader" read 4096)"
		done
	done
done

# All others have the page mapped, and looked at it, before it changes.
for writer in "${images[@]}"; do
	for how in store write; do
		value=$((value + 1)) pids=()
		check "reset" at boot store 8200 0
		for reader in "${images[@]}"; do
			[ "$reader" = "$writer" ] && continue
			at "$reader" await 8192 $value &
			pids+=($!)
		done
		all_wait() { [ "$(at boot load 8200)" = ${#pids[@]} ]; }
		await 30 all_wait || fail "not all images have mapped the page"
		check "$how on $writer" at "$writer" $how 8192 $value
		for pid in "${pids[@]}"; do
			wait "$pid" || fail "$how on $writer did not reach a mapping"
		done
	done
done

for image in "${images[@]}"; do
	check "MAP_PRIVATE on $image" at "$image" private 4096
done

# Appended by all at once: O_APPEND is atomic, no line is lost or torn.
check "file" on boot sh -c ": >$FILE.log"
pids=()
for image in boot $(clients); do
	on "$image" sh -c "for i in \$(seq 200); do echo $image \$i; done >>$FILE.log" &
	pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "append"; done
want=$((${#pids[@]} * 200))
got=$(on boot sort -u $FILE.log | wc -l)
[ "$got" = $want ] || fail "$got lines of $want after appends"

check "reset" at boot store 12288 0
check "reset" at boot store 12296 0	# how many are ready: all begin together
each=$((COUNT / ${#images[@]})) pids=() t0=$SECONDS
for image in "${images[@]}"; do
	at "$image" add 12288 $each ${#images[@]} &
	pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "increments"; done
total=$((each * ${#images[@]}))
for image in "${images[@]}"; do
	[ "$(at "$image" load 12288)" = $total ] ||
		fail "$image has $(at "$image" load 12288) of $total increments"
done
echo "$total increments from ${images[*]} in $((SECONDS - t0)) s, none lost"
check "clean up" on boot rm $FILE $FILE.log
dmesg_clean

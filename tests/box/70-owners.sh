#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# owners: yes
# timeout: 400
# long: OWNERS=600
# long timeout: 1500
#
# Every image exports to every other one, and mounts what they export. For OWNERS seconds
# (20) all work in all of them at the same time: programs that create, write, map, cut
# and remove files in the directories of the others, and counters to which all images add
# through mappings. Half of the time messages come late. Each step comes out right, every
# counter is the sum of what was added, and no image is fenced.

. "$(dirname "$0")/lib.sh"

OWNERS=${OWNERS-20}
DEBUG=/sys/kernel/debug/sharedpc
read -ra clients < <(clients)
images=(boot "${clients[@]}")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# dir IMAGE OWNER: where IMAGE has what OWNER exports; the owner its own directory.
dir() {
	case $1/$2 in
	*/boot) echo /srv/shared ;;
	"$2/$2") echo /tmp ;;
	*) echo "/mnt/$2" ;;
	esac
}
epochs() { on boot sed -n 's/.*name \([a-z]*\) .*epoch \([0-9]*\).*/\1 \2/p' $DEBUG/images; }

dmesg_mark
lives=$(epochs)
for image in "${images[@]}"; do
	check "files on $image" on "$image" sh -c "
		rm -rf $(dir "$image" "$image")/work /tmp/stop
		mkdir -m 777 $(dir "$image" "$image")/work
		truncate -s 4096 $(dir "$image" "$image")/work/counter"
done

# Of one image: all its programs, by one command. Everybody else comes first: there may be
# fewer CPUs than the box has, and many programs.
work='stop=$1 out=$(mktemp -d)
shift
adder=
for dir; do adder="$adder $dir/work/counter"; done
renice -n 19 $$ >/dev/null
T=/usr/lib/ccluster/tests
$T/adder $stop $adder >$out/added 2>&1 &
pids=$! n=0
for dir; do
	case $dir in /mnt/*|/srv/*) ;; *) continue ;; esac
	n=$((n + 1))
	mkdir $dir/work/of-$(hostname)
	$T/busy $dir/work/of-$(hostname) 1 $stop >$out/rounds.$n 2>&1 &
	pids="$pids $!"
done
rc=0
for pid in $pids; do wait $pid || { rc=1; touch $stop; }; done
for f in $out/*; do sed "s/^/${f##*/} /" $f; done
rm -r $out
exit $rc'

# What an image has from another one it cannot export.
check "mount point" on "${clients[2]}" mkdir -p /tmp/relay
refuses "mounted from another image" on "${clients[2]}" mount -t ccfs web:/mnt/db /tmp/relay
check "mount point" on "${clients[2]}" rmdir /tmp/relay

jobs=()
for image in "${images[@]}"; do
	dirs=()
	for owner in "${images[@]}"; do
		dirs+=("$(dir "$image" "$owner")")
	done
	timeout $((OWNERS + 300)) "$BOX" exec "$image" -- sh -c "$work" sh /tmp/stop "${dirs[@]}" \
		>"$out/$image" 2>&1 </dev/null &
	jobs+=("$!:$image")
done

# Messages come late, of each type, by the images in turn.
types=(name fault write close revoked frames done revoke)
end=$((SECONDS + OWNERS)) n=0
while [ $SECONDS -lt $end ]; do
	sleep 2
	image=${images[$((n % ${#images[@]}))]}
	[ $((n % 2)) = 0 ] || check "arm" on "$image" sh -c \
		"echo ${types[$((n / 2 % ${#types[@]}))]} delay 10 >$DEBUG/inject"
	n=$((n + 1))
	for job in "${jobs[@]}"; do
		kill -0 "${job%%:*}" 2>/dev/null || fail "${job#*:} ended: $(cat "$out/${job#*:}")"
	done
done
for image in "${images[@]}"; do
	check "stop" on "$image" touch /tmp/stop
done
for job in "${jobs[@]}"; do
	wait "${job%%:*}" || fail "${job#*:}: $(cat "$out/${job#*:}")"
done
for image in "${images[@]}"; do
	on "$image" sh -c "for t in ${types[*]}; do echo \$t delay 0 >$DEBUG/inject; done"
done

# sum WHAT: of that in what all images said.
sum() { sed -n "s/^$1[.0-9]* \\([0-9]*\\).*/\\1/p" "$out"/* | awk '{ n += $1 } END { printf "%d\n", n }'; }
added=$(sum added) rounds=$(sum rounds)
[ "$added" -gt 0 ] && [ "$rounds" -gt 0 ] || fail "nothing was done: $(cat "$out"/*)"
for owner in "${images[@]}"; do
	for image in "${images[@]}"; do
		has=$(on "$image" od -An -t u8 -N 8 "$(dir "$image" "$owner")/work/counter")
		[ "$((has))" = "$added" ] ||
			fail "the counter of $owner is $((has)) on $image, $added were added"
	done
done
[ "$(epochs)" = "$lives" ] || fail "an image has another life: $lives, $(epochs)"
is_up "${clients[@]}"

# Nobody waits for anything, and what was removed is gone.
idle() {
	local image

	for image in "${images[@]}"; do
		! on "$image" grep -E 'kept [1-9]|pinned [1-9]|calls [1-9]' $DEBUG/images || return 1
		[ "$(counter "$image" client bounces)" = 0 ] || return 1
	done
}
await 60 idle || fail "left: $(for i in "${images[@]}"; do on "$i" cat $DEBUG/images; done)"
for image in "${images[@]}"; do
	check "clean up" on "$image" rm -r "$(dir "$image" "$image")/work" /tmp/stop
done
dmesg_clean
echo "$rounds rounds of work, $added added by ${#images[@]} images to each of" \
	"${#images[@]} counters, in $OWNERS s"

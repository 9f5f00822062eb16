#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# long: RANDOM_SECONDS=1800
# long timeout: 2400
#
# Random changes on all images and on the owner, readers everywhere: nobody sees
# what cannot have been (prog/random), while caches are dropped, memory is short
# on one client, and another mounts and unmounts. At the end all list the same.
# The owner moves the directories, too. RANDOM_SECONDS=N: for how long; SEED=N:
# other changes.

. "$(dirname "$0")/lib.sh"

T=${RANDOM_SECONDS:-30}
SEED=${SEED:-1}
D=random
P=/usr/lib/ccluster/tests/random
OUT=/tmp/random.$$
AGAIN=/tmp/again
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
mkdir -p $OUT
trap 'rm -rf $OUT; on boot rm -rf /srv/shared/$D /srv/shared/$D.table' EXIT

# long IMAGE CMD...: a command that takes about $T seconds, its output in a file.
long() {
	local image=$1 name=$2

	shift 2
	timeout $((T + 200)) "$BOX" exec "$image" -- "$@" </dev/null >"$OUT/$name" 2>&1
}

# run NAME IMAGE WHERE OPTION...
run() {
	local name=$1 image=$2 where=$3

	shift 3
	long "$image" "$name" $P run --dir "$where/$D" --table "$where/$D.table" \
		--seconds "$T" --readers 2 "$@"
}

again() {
	long "$a" again sh -c "mkdir -p $AGAIN; end=\$((\$(date +%s) + $T)); n=0
		while [ \$(date +%s) -lt \$end ]; do
			mount -t ccfs boot:/srv/shared $AGAIN || exit 1
			ls -lR $AGAIN/$D >/dev/null 2>&1
			umount $AGAIN || exit 1
			n=\$((n + 1)); sleep 1
		done; echo \$n mounts"
}

dmesg_mark
runs=$((${#clients[@]} + 2))
check "tree" on boot sh -c "rm -rf /srv/shared/$D*; $P init --dir /srv/shared/$D \
	--table /srv/shared/$D.table --writers $runs --runs $runs"
names=() pids=()
run owner boot /srv/shared --writer 0 --move --drop --seed "$SEED" & pids+=($!); names+=(owner)
run own boot /mnt/shared --writer 1 --seed $((SEED + 1000)) & pids+=($!); names+=(own)
for i in "${!clients[@]}"; do
	run "${clients[i]}" "${clients[i]}" /srv/shared --writer $((i + 2)) --drop \
		--seed $((SEED + i + 1)) & pids+=($!); names+=("${clients[i]}")
done
again & pids+=($!); names+=(again)
long "$b" memory stress-ng --vm 1 --vm-bytes 50% --timeout "$T" & pids+=($!); names+=(memory)

bad=
for i in "${!pids[@]}"; do
	wait "${pids[i]}" || bad+=" ${names[i]}"
	sed "s/^/${names[i]}: /" "$OUT/${names[i]}"
done
[ -z "$bad" ] || fail "on$bad"

# All are still: every image lists what the owner has.
view='cd "$0" && find . -printf "%P %y %i %s %m %U:%G %n %T@ %l\n" | sort'
on boot sh -c "$view" /srv/shared/$D >$OUT/list.owner
[ "$(wc -l <$OUT/list.owner)" -gt 8 ] || fail "the owner's list: $(cat $OUT/list.owner)"
on boot sh -c "$view" /mnt/shared/$D >$OUT/list.own
for image in "${clients[@]}"; do on "$image" sh -c "$view" /srv/shared/$D >"$OUT/list.$image"; done
for image in own "${clients[@]}"; do
	cmp -s $OUT/list.owner "$OUT/list.$image" || fail "at the end $image sees
$(diff $OUT/list.owner "$OUT/list.$image")"
done
on "$a" grep -q " $AGAIN " /proc/mounts && fail "$AGAIN is still mounted"
is_up "${clients[@]}"
dmesg_clean
echo "$T s: nobody saw what cannot have been"

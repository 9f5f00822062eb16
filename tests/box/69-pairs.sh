#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# long: PAIRS=1000
# long timeout: 40000
#
# What one image does another one sees, from the first moment after the call has returned:
# each pair of an operation and an observation (prog/pairs), PAIRS (3) rounds each, by turns
# of who does it and who sees it: clients, by what they remember and on mounts that remember
# nothing, the owner's own processes, the owner's own mount. What a client's kernel answers
# without asking the file system is old there, as README says, and nowhere else.
#
# Then the control: with the counting switched off, each pair about something remembered must
# be seen old.

. "$(dirname "$0")/coherent.sh"

PAIRS=${PAIRS-3}
P=/usr/lib/ccluster/tests/pairs
OWN=/mnt/shared
ASKED=/tmp/pairs
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
out=$(mktemp -d)

restore() {
	coherent_forget
	on "$a" umount -l $ASKED
	on "$b" umount -l $ASKED
	on boot rm -rf $SHARED/pairs $SHARED/pairs.page
	rm -rf "$out"
} >/dev/null 2>&1
trap restore EXIT

# pairs ROUNDS "IMAGE WHERE" "IMAGE WHERE" [PAIR...]: who does it, who sees it, WHERE the
# shared file system is there. What is printed is in $said; 1: somebody did not see something.
first=0
pairs() {
	local rounds=$1 act see act_at see_at rc limit

	read -r act act_at <<<"$2"
	read -r see see_at <<<"$3"
	shift 3
	limit=$(((300 + rounds * 60) * ${SLOW-1}))
	check "page" on boot sh -c "rm -f $SHARED/pairs.page; mkdir -p $SHARED/pairs
		truncate -s 4096 $SHARED/pairs.page"
	timeout $limit "$BOX" exec "$see" -- $P see "$see_at/pairs" "$see_at/pairs.page" \
		>"$out/see" 2>&1 </dev/null &
	said=$(timeout $limit "$BOX" exec "$act" -- $P act "$act_at/pairs" "$act_at/pairs.page" \
		$first "$rounds" "$@" 2>&1 </dev/null)
	rc=$?
	wait $! || rc=2
	said+=$(cat "$out/see")
	first=$((first + rounds))
	return $rc
}

dmesg_mark
for image in "$a" "$b"; do
	check "mount" on "$image" sh -c "mkdir -p $ASKED; mount -t ccfs -o nocache boot:$SHARED $ASKED"
done
check "directories" on boot sh -c "mkdir $SHARED/pairs; cd $SHARED/pairs; mkdir \$(seq 0 300)"

# With few rounds each pair has but one, in some of these ways; which, differs.
ways=("$a $SHARED|$b $SHARED" "$b $SHARED|$a $SHARED" "boot $SHARED|$a $SHARED"
	"$a $SHARED|boot $SHARED" "$a $ASKED|$b $ASKED" "$b $ASKED|$a $SHARED"
	"boot $OWN|$b $SHARED" "$a $SHARED|boot $OWN" "boot $SHARED|boot $OWN")
rounds=$(((PAIRS + ${#ways[@]} - 2) / (${#ways[@]} - 1)))	# but for the last, two images
every=1
[ "$PAIRS" -ge ${#ways[@]} ] || every=$(((${#ways[@]} + PAIRS - 1) / PAIRS))
turn=$RANDOM bad=0 played=0
for way in "${ways[@]}"; do
	t0=$SECONDS
	pairs $rounds "${way%|*}" "${way#*|}" $((turn++ % every))%$every
	rc=$?
	echo "${way/|/ -> }, $((SECONDS - t0)) s:"
	sed 's/^/  /' <<<"$said"
	[ $rc -lt 2 ] || fail "${way/|/ -> }: no test: $rc"
	[ $rc = 0 ] || bad=$((bad + 1))
	if [ "${way#*|}" = "boot $SHARED" ]; then
		! grep -q ': a limit$' <<<"$said" || fail "the owner's own file system has limits: $said"
	else
		sed -n 's/: old in .* a limit$//p' <<<"$said" >>"$out/limits"
	fi
	played=$((played + $(sed -nE 's/^total: .* ([0-9]+) rounds [0-9]+ pairs wrong.*/\1/p' <<<"$said")))
done
[ $bad = 0 ] || fail "in $bad of ${#ways[@]} ways something was not seen at once"
on boot $P list >"$out/list" || fail "no list of pairs"
while read -r limit _; do
	grep -qxF "$limit" "$out/limits" || fail "$limit is no limit any more"
done < <(grep ' limit' "$out/list")

check "count nothing" on boot sh -c "echo N >$COUNT"
pairs 2 "boot $SHARED" "$a $SHARED" remembered
rc=$?
coherent_forget
[ $rc = 1 ] || fail "nobody counts, and the test ends with $rc: $said"
want=$(grep -c ' remembered' "$out/list")
got=$(sed -nE 's/^total: .* ([0-9]+) pairs wrong .*/\1/p' <<<"$said")
[ "$got" = "$want" ] || fail "nobody counts, and $got of $want pairs were seen old: $said"
dmesg_clean
echo "$(wc -l <"$out/list") pairs, $played rounds; $want pairs were seen old when nobody counted"

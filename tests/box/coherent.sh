# SPDX-License-Identifier: GPL-2.0-only
#
# How box tests run prog/coherent. Sourced; sources lib.sh.
#
#   coherent_begin        the directory for it, in $SHARED of the owner
#   coherent ROUNDS WRITER LOOKER...
#                         a run; what the writer printed is in $said, and its
#                         status is the result: 1 is "old or wrong", 2 is "no
#                         test". Each of them is "IMAGE [WHERE [SEE]]": WHERE the
#                         shared file system is there (/srv/shared), and by which
#                         other way the writer looks himself
#                         COUNTING=off: nothing is counted meanwhile, nor after it
#                         KINDS=A,B,...: only these. Each run has other turns
#   coherent_forget       count again, and let nobody remember anything
#   coherent_end          remove what it made

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SHARED=${SHARED:-/srv/shared}
COHERENT_DIR=coherent
COUNT=/sys/module/sharedpc/parameters/count
COUNTING=on
KINDS=${KINDS-}
TURN=0
said=

coherent_begin() {
	check "directory" on boot sh -c "rm -rf $SHARED/$COHERENT_DIR* && mkdir -p $SHARED/$COHERENT_DIR"
}
coherent_end() {
	on boot sh -c "chattr -i -R $SHARED/$COHERENT_DIR; rm -rf $SHARED/$COHERENT_DIR*" >/dev/null 2>&1
}
coherent_forget() {
	on boot sh -c "echo Y >$COUNT; echo 1 >/sys/kernel/debug/sharedpc/words_forward"
}

# coherent_role ROLE WHO LIMIT OPTION...: WHO as above.
coherent_role() {
	local role=$1 limit=$3 image where see

	read -r image where see <<<"$2"
	where=${where:-$SHARED}
	shift 3
	timeout "$limit" "$BOX" exec "$image" -- /usr/lib/ccluster/tests/coherent "$role" \
		--dir "$where/$COHERENT_DIR" --page "$where/$COHERENT_DIR.page" \
		${see:+--see "$see/$COHERENT_DIR"} "$@" </dev/null 2>&1
}

coherent() {
	local rounds=$1 writer=$2 i=0 rc limit pids=()

	shift 2
	limit=$((120 + rounds * 3))
	# Each run has its own page: what is in it is of this run.
	check "page" on boot sh -c "rm -f $SHARED/$COHERENT_DIR.page
		truncate -s 64K $SHARED/$COHERENT_DIR.page"
	[ "$COUNTING" = on ] || check "switch counting off" on boot sh -c "echo N >$COUNT"
	for looker; do
		coherent_role looker "$looker" "$limit" --who $i >"/tmp/coherent.$$.$i" &
		pids+=($!)
		i=$((i + 1))
	done
	said=$(coherent_role writer "$writer" "$limit" --lookers $# --rounds "$rounds" \
		--turn $TURN ${KINDS:+--kinds "$KINDS"})
	rc=$?
	TURN=$((TURN + 1))
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || rc=2
		said+=$(sed "s/^/\nlooker $i: /" "/tmp/coherent.$$.$i")
		rm -f "/tmp/coherent.$$.$i"
	done
	[ $rc != 0 ] || printf '%s\n%s\n' "writer $writer:" "$said"
	return $rc
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# may log: ^lives/.*|fencing it|silent
# long: POINTS=all
# long timeout: 1500
# timeout: 360
#
# A client's kernel panics, or stops without a word, in the middle of something: a call has
# been sent, frames have come, pages are given back and nobody has been told. The owner has
# all of its frames back each time, the others work on, and it is started again.

. "$(dirname "$0")/lib.sh"

T=/usr/lib/ccluster/tests
D=/srv/shared/points
read -ra clients < <(clients)
a=${clients[0]} c=${clients[2]}
ALL="fault write fsync punch close name filed revoking revoked kept"
POINTS=${POINTS:-fault:stop kept:panic}
if [ "$POINTS" = all ]; then
	POINTS=
	for p in $ALL; do POINTS+=" $p:panic $p:stop"; done
fi
dir=/sys/kernel/debug/sharedpc

run() { timeout 100 "$BOX" exec "$c" -- "$@" >/dev/null 2>&1 </dev/null & jobs+=($!); }
# What brings $c to the point $1.
go_there() {
	case $1 in
	fault|filed)	run /tmp/mapped load $D/g 0 ;;
	write)		run dd if=/dev/zero of=$D/g bs=4096 count=1 conv=notrunc ;;
	fsync)		run python3 -c "import mmap; f = open('$D/g', 'r+b')
m = mmap.mmap(f.fileno(), 4096); m[0] = 1; m.flush()" ;;
	punch)		run python3 -c "import mmap; f = open('$D/g', 'r+b')
m = mmap.mmap(f.fileno(), 4096); m.madvise(mmap.MADV_REMOVE)" ;;
	close)		run sh -c "echo x >>$D/g" ;;
	name)		run stat "$D/none-$RANDOM" ;;
	revoking|revoked|kept)
			timeout 100 "$BOX" exec boot -- truncate -s 0 $D/f $D/held </dev/null & jobs+=($!) ;;
	*)		fail "no such point: $1" ;;
	esac
}
mapped() { [ "$(on boot $T/mapped read $D/f 8)" = 1 ]; }

dmesg_mark
[ "$(on boot sort $dir/point)" = "$(echo "$ALL none taken granted answering taking" | tr ' ' '\n' | sort)" ] ||
	fail "other points: $(on boot cat $dir/point)"
on boot sh -c "echo nowhere panic >$dir/point" 2>/dev/null && fail "a point that there is not"
on boot sh -c "echo fault away >$dir/point" 2>/dev/null && fail "an end that there is not"
check "directory" on boot mkdir -p $D
work "$a"
for try in $POINTS; do
	point=${try%:*} how=${try#*:} jobs=()
	proxy=$(proxy_of "$c")
	check "files" on boot sh -c "cd $D && rm -f * && truncate -s 64K f g && head -c 4096 /dev/zero >held"
	check "program" on "$c" cp $T/mapped /tmp/mapped
	run /tmp/mapped await $D/f 0 1
	await 20 mapped || fail "$c does not map the file"
	if [ "$point" = kept ]; then
		run $T/pinned $D/held +$D/ready $D/drain
		await 20 on boot test -e $D/ready || fail "$c holds no page"
	fi
	check "point" on "$c" sh -c "echo $point $how >$dir/point"
	t0=$SECONDS
	go_there "$point"
	if [ "$how" = panic ]; then
		await 40 state_is "$c" panicked || fail "$try: $c is $(state "$c")"
		[[ $(field "$c" last_words) == *"as a test wants"* ]] ||
			fail "$try: last words: $(field "$c" last_words)"
	else
		# Nobody notices before something is wanted of it.
		silent() { ctl status | grep -q "^$c .*no heartbeat" || state_is "$c" fenced; }
		await 40 silent || fail "$try: $c is not silent: $(ctl status)"
		check "truncate" on boot truncate -s 0 $D/f
		await 40 state_is "$c" fenced || fail "$try: $c is $(state "$c")"
	fi
	t=$((SECONDS - t0))
	check "truncate" on boot truncate -s 0 $D/f
	wait "${jobs[@]}" 2>/dev/null
	all_back "$c" "$proxy"
	worked || fail "$try: $a does not work meanwhile"
	save_lives "$c"
	check "$try: start" ctl start "$c"
	is_up "$c"
	check "$try: works again" on "$c" sh -c "echo again >$D/again && grep -q again $D/again"
	echo "$try: over after $t s"
done
work_ends
check "clean up" on boot rm -r $D
dmesg_clean

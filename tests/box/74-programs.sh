#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# long: PROGRAMS=600
# long timeout: 14400
#
# Debian's programs as they are, on two clients and the owner at once, at work on the same
# files for PROGRAMS (5) seconds each, and what they have to say about it: SQLite with each
# of its journals, LMDB, git, lock files and dpkg, rsync and tar, make, fio; if it is a minute
# or more, those that count what they do once more on the two clients alone. Nothing that
# anybody has done may be missing. Controls: SQLite without its locks, LMDB and git with
# locks that are not the others', and no locks, lose something. PROGRAMS_ONLY='git build':
# these alone.

. "$(dirname "$0")/lib.sh"

PROGRAMS=${PROGRAMS-5}
PROGRAMS_ONLY=${PROGRAMS_ONLY-sqlite lmdb git locks trees build fio}
HERE=$(dirname "$0")/programs
D=/srv/shared/programs
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
three=(boot "$a" "$b")		# who is at work; all look
all=("${three[@]}") control=yes
out=$(mktemp -d)

restore() {
	on boot rm -rf $D
	rm -rf "$out"
} >/dev/null 2>&1
trap restore EXIT

# run IMAGE PART ARG...: that part of programs/, on an image.
run() {
	local image=$1 part=$2 how=(sh -c) limit=$(((PROGRAMS + 240) * ${SLOW-1}))

	[[ $part != *.py ]] || how=(python3 -c)
	[[ $part == *.py ]] || set -- "$1" "$2" "$part" "${@:3}"	# its name
	timeout $limit "$BOX" exec "$image" -- "${how[@]}" "$(cat "$HERE/$part")" "${@:3}" </dev/null
}
# start NAME IMAGE PART ARG...: in the background; what it prints is NAME's.
names=()
start() {
	run "${@:2}" >"$out/$1" 2>&1 &
	declare -g "pid_$1=$!"
	names+=("$1")
}
# ended: all that were started, well.
ended() {
	local name pid

	for name in "${names[@]}"; do
		pid=pid_$name
		wait "${!pid}" || fail "$name: $(head -n 5 "$out/$name") $(tail -n 20 "$out/$name")"
	done
	names=()
}
# gone_wrong: so, or not: for controls.
gone_wrong() {
	local name pid wrong=1

	for name in "${names[@]}"; do
		pid=pid_$name
		wait "${!pid}" || wrong=0
	done
	names=()
	return $wrong
}
said() { tail -n 1 "$out/$1"; }
# all_see WANT PART ARG...: each image says that.
all_see() {
	local want=$1 image got

	for image in "${all[@]}"; do
		got=$(run "$image" "${@:2}" 2>"$out/err") || fail "${*:2} on $image: $got $(tail -n 20 "$out/err")"
		[ "$got" = "$want" ] || fail "${*:2} on $image: '$got', not '$want'"
	done
}
# done_by PREFIX IMAGE...: "IMAGE NUMBER" each, as they said.
done_by() {
	local image

	for image in "${@:2}"; do
		echo "$image $(said "$1$image")"
	done | sort
}
sum() { awk '{ n += $2 } END { print n }'; }
fresh() { check "directory" on boot sh -c "rm -rf $D; mkdir -p $D"; }

# loses CMD...: it does, if it is not the first time. Two have to meet for that.
loses() {
	local i

	for i in 1 2 3 4 5 6; do
		"$@" && return
	done
	return 1
}

# SQLite: who writes, who reads.
sqlite_with() {
	local mode=$1 image

	check "database" run "$a" sqlite.py make $D/$mode.db "$mode"
	for image in "${three[@]}"; do
		start "$image" "$image" sqlite.py write $D/$mode.db "$image" "$PROGRAMS"
	done
	start "reads" "$b" sqlite.py read $D/$mode.db "$PROGRAMS"
	ended
	all_see "$(done_by "" "${three[@]}")" sqlite.py check $D/$mode.db
	echo "sqlite $mode: $(done_by "" "${three[@]}" | xargs), read $(said reads) times"
}
sqlite_unlocked() {
	local image

	check "database" run "$a" sqlite.py make $D/none.db delete
	for image in "${three[@]}"; do
		start "$image" "$image" sqlite.py write $D/none.db "$image" 5 nolock
	done
	gone_wrong && return
	[ "$(run boot sqlite.py check $D/none.db 2>&1)" != "$(done_by "" "${three[@]}")" ]
}
test_sqlite() {
	sqlite_with delete
	sqlite_with wal
	[ $control = no ] || loses sqlite_unlocked || fail "sqlite without locks lost nothing"
}

# LMDB. Its lock file goes by the database's name: with other names each has its own.
lmdb_with() {
	local image name

	for image in "${three[@]}"; do
		name=$1
		[ "$1" = same ] || name=$1.$image
		start "$image" "$image" lmdb.sh write $D/$name.mdb "$image" "$2"
	done
	[ "$1" != same ] || start "reads" "$a" lmdb.sh read $D/$name.mdb "$2"
}
lmdb_unlocked() {
	check "database" on boot sh -c "rm -f $D/own.*; mdb_load -n -T $D/own.boot.mdb </dev/null
		ln $D/own.boot.mdb $D/own.$a.mdb; ln $D/own.boot.mdb $D/own.$b.mdb"
	lmdb_with own 5
	gone_wrong && return
	[ "$(run boot lmdb.sh check $D/own.boot.mdb 2>&1)" != "$(done_by "" "${three[@]}")" ]
}
test_lmdb() {
	check "database" on boot sh -c "mdb_load -n -T $D/same.mdb </dev/null"
	lmdb_with same "$PROGRAMS"
	ended
	all_see "$(done_by "" "${three[@]}")" lmdb.sh check $D/same.mdb
	echo "lmdb: $(done_by "" "${three[@]}" | xargs), read $(said reads) times"
	[ $control = no ] || loses lmdb_unlocked || fail "lmdb with a lock for each lost nothing"
}

git_all() {
	local how=$1 image

	for image in "${three[@]}"; do
		start "$image" "$image" git.sh "$how" $D/git "$image" "$2"
	done
}
git_forced() {
	local before

	before=$(run boot git.sh check $D/git 2>"$out/err" | sed -n 's/^all //p')
	git_all force 5
	ended
	[ "$(run boot git.sh check $D/git 2>"$out/err" | sed -n 's/^all //p')" != \
		$((before + $(done_by "" "${three[@]}" | sum))) ]
}
test_git() {
	local want

	check "repository" run boot git.sh make $D/git "${three[@]}"
	git_all commit "$PROGRAMS"
	start "gc" "$b" git.sh gc $D/git "$PROGRAMS"
	ended
	want=$(done_by "" "${three[@]}")
	all_see "$({ echo "all $(sum <<<"$want")"; echo "$want"; } | sort)" git.sh check $D/git
	echo "git: $(xargs <<<"$want") commits, packed $(said gc) times"
	[ $control = no ] || loses git_forced || fail "who does not look at a branch lost no commit of it"
}

test_locks() {
	local kind image want seconds=$(((PROGRAMS + 3) / 4))

	check "files" on boot sh -c "cd $D; echo 0 | tee flock dot >none
		mkdir -p root/var/lib/dpkg/updates root/var/lib/dpkg/info root/usr/share
		: >root/var/lib/dpkg/status; : >root/var/lib/dpkg/available"
	for kind in flock dot none; do
		for image in "${three[@]}"; do
			start "$image" "$image" locks.sh count $D $kind $seconds
		done
		ended
		want=$(done_by "" "${three[@]}" | sum)
		for image in "${all[@]}"; do
			got=$(on "$image" cat $D/$kind)
			if [ $kind = none ]; then
				[ "$got" != "$want" ] || fail "without locks nothing got lost"
			else
				[ "$got" = "$want" ] || fail "$kind: $got on $image, not $want"
			fi
		done
		echo "lock files, $kind: $got of $want"
	done
	for image in "${three[@]}"; do
		start "$image" "$image" locks.sh install $D "$image" $seconds
	done
	ended
	want=$(done_by "" "${three[@]}" | sum)
	all_see "$want" locks.sh check $D
	echo "dpkg: $want packages"
}

test_trees() {
	local image seconds=$(((PROGRAMS + 1) / 2))

	check "tree" run boot trees.sh make $D
	start "changes" "$a" trees.sh change $D $seconds
	start "copy_b" "$b" trees.sh sync $D "$b" $seconds
	start "copy_boot" boot trees.sh sync $D boot $seconds
	ended
	echo "rsync: $(said copy_b) and $(said copy_boot) copies while files changed $(said changes) times"
	for image in "${three[@]}"; do
		start "$image" "$image" trees.sh tar $D "$image" $seconds
	done
	ended
	echo "tar: $(done_by "" "${three[@]}" | xargs) archives"
	for image in "${three[@]}"; do
		check "copy on $image" run "$image" trees.sh check $D "$b"
		check "archives on $image" run "$image" trees.sh compare $D
	done
}

test_build() {
	local n=0 end=$((SECONDS + PROGRAMS)) image got

	check "project" run "$a" build.sh make $D
	while [ $n = 0 ] || [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		check "turn" run "${three[n % 3]}" build.sh turn $D $n
		start "a" "$a" build.sh build $D a
		start "b" "${three[n % 2 * 2]}" build.sh build $D b
		ended
		for got in a b; do
			[ "$(cat "$out/$got")" = $((n * 24)) ] ||
				fail "make: turn $n, $got: $(cat "$out/$got"), not $((n * 24))"
		done
		for image in "${three[@]}"; do
			check "nothing to make on $image" run "$image" build.sh idle $D
		done
	done
	echo "make: $n times"
}

# fio: blocks with their place and the round's number in them, each image's in a file of its own and in
# one that all share; then another image looks at them.
fio_on() {
	local name=$1 image=$2 engine=$3 file=$4 at=$5 turn=$6

	timeout $(((PROGRAMS + 240) * ${SLOW-1})) "$BOX" exec "$image" -- fio --name=job \
		--filename="$D/$file" --offset="$at" --size=1m --bs=4k --rw=randwrite \
		--ioengine="$engine" --thread --verify=pattern --verify_fatal=1 \
		--verify_pattern="%o\"round$turn.\"" --allow_file_create=0 --fallocate=none "${@:7}" \
		>"$out/$name" 2>&1 </dev/null &
	declare -g "pid_$name=$!"
	names+=("$name")
}
fio_round() {
	local what=$1 n=$2 engine file at i image
	local engines=(psync psync mmap pvsync2)	# mmap knows no --offset

	engine=${engines[n % 4]}
	for i in 0 1 2; do
		file=own.$i at=0
		[ $((n % 2)) = 0 ] || { file=one; at=${i}m; }
		image=${three[i]}
		[ "$what" = write ] || image=${three[(i + 1 + n % 2) % 3]}
		if [ "$what" = write ]; then
			fio_on "$what$i" "$image" $engine $file $at $n --do_verify=0
		else
			fio_on "$what$i" "$image" $engine $file $at "$n${3-}" --verify_only=1
		fi
	done
}
test_fio() {
	local n=0 end=$((SECONDS + PROGRAMS))

	check "files" on boot sh -c "cd $D; truncate -s 3M one; truncate -s 1M own.0 own.1 own.2"
	while [ $n -lt 4 ] || [ $SECONDS -lt $end ]; do
		fio_round write $n
		ended
		fio_round look $n
		ended
		n=$((n + 1))
	done
	fio_round look $((n - 1)) 9
	gone_wrong || fail "fio sees another round's blocks as right"
	echo "fio: $n rounds, looked at by others"
}

dmesg_mark
play() {
	local part=$1 t0=$SECONDS

	fresh
	"test_$part"
	echo "$part on ${three[*]}: $((SECONDS - t0)) s"
}
for part in $PROGRAMS_ONLY; do
	play "$part"
	[ "$PROGRAMS" -ge 60 ] || continue
	three=("$a" "$b") control=no
	case $part in
	sqlite|lmdb|git|locks) play "$part" ;;
	esac
	three=("${all[@]}") control=yes
done
dmesg_clean

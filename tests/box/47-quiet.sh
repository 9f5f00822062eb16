#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# What is known costs no upcall and no message: stat, access, open for reading,
# listings, the start of a program, on a client that has done it before. And what
# it costs the first time is bounded. Counts, never times; upcalls are counted by
# a tracepoint for the measured process alone, messages for the whole image, the
# least of several times (prog/quiet.c).

. "$(dirname "$0")/lib.sh"

Q=/usr/lib/ccluster/tests/quiet
D=/srv/shared/quiet
COLD=20		# messages of `ls -l /usr/bin`, never seen
FEW=10		# of 400 names, never seen
read -ra clients < <(clients)
a=${clients[0]}

restore() {
	for image in boot "$a"; do
		on "$image" sh -c 'umount /tmp/cold; rmdir /tmp/cold' 2>/dev/null
	done
}
trap restore EXIT

# number LINE NAME
number() { sed -E "s/.*\\b$2 ([0-9]+).*/\\1/" <<<"$1"; }

silent() {
	[[ $1 == *" upcalls 0 messages 0 packets 0" ]] || fail "$2 costs: $1"
}

# runs WHAT CMD...: no message, no upcall.
runs() {
	local what=$1 line

	shift
	line=$(on "$a" $Q run "$@" 2>&1) || fail "$what: $line"
	silent "$line" "$what"
}

# first EXPORT CMD...: what CMD costs on a new mount of it, at least.
first() {
	local export=$1 line n least=

	shift
	for _ in 1 2 3; do
		check "mount" on "$a" sh -c "mkdir -p /tmp/cold && mount -t ccfs -o ro boot:$export /tmp/cold" >&2
		line=$(on "$a" $Q once "$@" 2>&1) || fail "$*: $line" >&2
		check "umount" on "$a" umount /tmp/cold >&2
		n=$(($(number "$line" messages) + $(number "$line" packets)))
		[ -n "$least" ] && [ "$least" -le $n ] || least=$n
	done
	echo "$least"
}

dmesg_mark
# The ACL: owner rw, user 1000 r, group and others nothing.
check "files" on boot sh -ec "rm -rf $D; mkdir -p $D/d1/d2 $D/many; cd $D
	echo text >d1/d2/f; ln -s d1/d2/f link; echo text >acl; chmod 640 acl
	setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff02000400e803000004000000ffffffff10000400ffffffff20000000ffffffff acl
	cd many; seq 400 | xargs touch; cd ..
	for i in 1 2 3 4 5 6 7 8 9 10; do mkdir -p tree/\$i; (cd tree/\$i; seq 24 | xargs touch); done
	cp /usr/bin/true program"

out=$(on "$a" $Q all $D 2>&1) || fail "calls: $out"
echo "$out"
# Controls: what is asked is a message, without FUSE; what changes something an upcall, too.
while read -r line; do
	upcalls=$(number "$line" upcalls) messages=$(number "$line" messages)
	case $line in
	"asked "*)
		[ "$upcalls" = 0 ] && [ "$messages" -ge 20 ] ||
			fail "what is asked is not counted, or by FUSE: $line"
		controls=x${controls-}
		;;
	"changed "*)
		[ "$upcalls" -ge 20 ] && [ "$messages" -ge 20 ] ||
			fail "what is changed is not counted: $line"
		controls=x${controls-}
		;;
	*)	silent "$line" "${line%% *}" ;;
	esac
done <<<"$out"
[ "${controls-}" = xx ] || fail "nothing was asked, or changed: $out"

runs "ls -l of 400 names" ls -l $D/many
runs "find of 250 names" find $D/tree
runs "a program" $D/program
runs "a program with libraries" sqlite3 -version
runs "a script" sh -c "for i in 1 2 3; do test -e $D/d1; done; cat $D/d1/d2/f"

# By another user, who sees the same; and still after a change of something else.
runs "ls -l by a user" setpriv --reuid 1000 --regid 1000 --clear-groups ls -l $D/many
check "another change" on boot sh -c "touch $D/elsewhere; rm $D/elsewhere"
runs "ls -l after a change elsewhere" ls -l $D/many

# Each mount counts for itself.
known() {
	on "$a" sed -n "\\| mounted on $1 with fstype fuse.ccfs|{n;s/.* attr-hit \([0-9]*\) .*/\1/p}" /proc/self/mountstats
}
check "mount" on "$a" sh -c "mkdir -p /tmp/cold && mount -t ccfs boot:/srv/shared /tmp/cold"
used=$(known /srv/shared) other=$(known /tmp/cold)
check "stat" on "$a" sh -c "for i in 1 2 3 4 5; do stat $D/d1/d2/f; done"
[ $(($(known /srv/shared) - used)) -ge 5 ] || fail "what is known is not counted: $used, $(known /srv/shared)"
[ "$(known /tmp/cold)" = "$other" ] || fail "another mount counts it: $other, $(known /tmp/cold)"
check "umount" on "$a" umount /tmp/cold
check "own mount" on boot sh -c "mkdir -p /tmp/cold && mount -t ccfs boot:/srv/shared /tmp/cold && stat /tmp/cold/quiet"
ctl status --json | python3 -c '
import json, sys
mounts = [m for i in json.load(sys.stdin) for m in i.get("mounts", [])]
sys.exit(not any(m["path"] == "/tmp/cold" and "attr-hit" in m for m in mounts))' ||
	fail "ccctl status does not show the mount: $(ctl status)"
# What FUSE opens to ask for flags is not kept: the room of a removed file is free.
for image in boot "$a"; do
	dir=$D
	[ "$image" = "$a" ] || dir=/tmp/cold/quiet
	room() { on boot stat -f -c %f /srv/shared; }
	check "file" on "$image" sh -c "head -c 8M /dev/zero >$dir/flags; sync -f $D"
	before=$(room)
	check "flags" on "$image" sh -c "lsattr $dir/flags && chattr +d $dir/flags && rm $dir/flags"
	freed() { [ $(($(room) - before)) -ge 1900 ]; }
	await 20 freed || fail "$image: the room of a removed file is not free: $before, $(room)"
done
check "umount" on boot sh -c "umount /tmp/cold; rmdir /tmp/cold"

n=$(first / ls -l /tmp/cold/usr/bin) || fail "$n"
[ "$n" -le $COLD ] || fail "ls -l of /usr/bin, never seen, takes $n messages"
m=$(first /srv/shared ls -l /tmp/cold/quiet/many) || fail "$m"
[ "$m" -le $FEW ] || fail "ls -l of 400 names, never seen, takes $m messages"
echo "ls -l, never seen: /usr/bin $n messages, 400 names $m"

check "clean up" on boot rm -rf $D
dmesg_clean
echo "what is known costs no message"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# Names and attributes: whoever changes one, all images see it as soon as the
# call has returned. After each step every image lists the tree with types,
# sizes, modes, owners, links and times, and all lists must be the owner's,
# read on its own file system.

. "$(dirname "$0")/lib.sh"

DIR=/srv/shared/names
view='cd "$0" && find . -printf "%P %y %i %s %m %U:%G %n %T@ %l\n" | sort'

# One list for each image, all made at the same time, on files that do not change.
OUT=/tmp/names.$$
mkdir -p $OUT
trap 'rm -rf $OUT' EXIT
same_everywhere() {
	local image

	for image in "${clients[@]}"; do on "$image" sh -c "$view" $DIR >"$OUT/$image" & done
	on boot sh -c "$view" /mnt/shared/names >$OUT/own &
	on boot sh -c "$view" $DIR >$OUT/owner || fail "$1: no list"
	wait
	[ -s $OUT/owner ] || fail "$1: an empty list"
	for image in "${clients[@]}" own; do
		cmp -s "$OUT/$image" $OUT/owner || fail "$1: $image sees
$(diff $OUT/owner "$OUT/$image")"
	done
}

# step IMAGE COMMANDS: in the directory of that image's mount.
step() {
	check "$2 on $1" on "$1" sh -ec "cd $DIR; $2"
	same_everywhere "$2 on $1"
}

read -ra clients < <(clients)
a=${clients[0]} b=${clients[-1]}
dmesg_mark
check "directory" on boot sh -c "rm -rf $DIR; mkdir -m 777 $DIR"

step "$a" 'mkdir -m 750 d; echo one >d/f; echo two >>d/f'
step "$b" 'mv d/f d/g; ln d/g hard; ln -s d/g soft'
step boot 'mkdir e; mv d/g e/g; echo owner >>e/g'
step "$a" 'chmod 4711 hard; chown 1000:100 hard; touch -d "2001-02-03 04:05:06.789" hard'
step "$b" 'truncate -s 123456 hard; mkfifo p; mknod n c 1 3; mkdir -p x/y/z'
step boot 'rmdir d; rm soft; mv x/y/z x/z'
step "$a" 'rm e/g; rmdir e; mv x y; rm n p; cp hard copy; fallocate -p -o 4096 -l 8192 copy'
step "$b" 'for i in 1 2 3 4 5 6 7 8 9; do echo $i >$i; mv $i ../names/n$i; done; rm n1 n5'
step "$b" 'setfattr -n user.colour -v blue hard; [ "$(getfattr --only-values -n user.colour hard)" = blue ]'
check "attribute on the owner" on boot sh -c "[ \"\$(getfattr --only-values -n user.colour $DIR/hard)\" = blue ]"

# Renamed over a file that is mapped, exchanged, copied within the owner, seeked.
step "$a" 'echo old >r1; echo new >r2; exec 3<r1; mv r2 r1; [ "$(cat <&3)" = old ]; [ "$(cat r1)" = new ]'
step "$b" 'echo 1 >x1; echo 2 >x2; mv --exchange x1 x2 2>/dev/null || python3 -c "
import ctypes; assert not ctypes.CDLL(None).renameat2(-100, b\"x1\", -100, b\"x2\", 2)"; [ "$(cat x1)" = 2 ]'
step "$a" 'python3 -c "
import os
f = os.open(\"holes\", os.O_RDWR | os.O_CREAT); os.truncate(f, 1 << 20); os.pwrite(f, b\"x\", 1 << 19)
os.fsync(f)
assert os.lseek(f, 0, os.SEEK_DATA) == 1 << 19 and os.lseek(f, 1 << 19, os.SEEK_HOLE) == (1 << 19) + 4096
g = os.open(\"copied\", os.O_RDWR | os.O_CREAT)
assert os.copy_file_range(f, g, 4096, 1 << 19, 0) == 4096 and os.pread(g, 1, 0) == b\"x\""'
# A client's answer is a second old at most, and what earlier tests removed may be freed meanwhile.
same_room() { [ "$(on "$1" stat -f -c '%b %f %c' $DIR)" = "$(on boot stat -f -c '%b %f %c' $DIR)" ]; }
for image in "$a" "$b"; do
	await 10 same_room "$image" || fail "$image: statfs $(on "$image" stat -f -c '%b %f %c' $DIR)"
done

# A directory of many entries is listed whole, and what goes meanwhile is gone.
check "many" on "$a" sh -c "mkdir $DIR/many; cd $DIR/many; seq 300 | xargs touch"
same_everywhere "300 files by $a"
check "fewer" on "$b" sh -c "cd $DIR/many; seq 1 2 300 | xargs rm"
same_everywhere "150 of them removed by $b"

# Both create the same name at the same time, 20 times: one wins, each time.
for image in "$a" "$b" boot; do
	on "$image" sh -c "cd $DIR; for i in \$(seq 20); do
		mkdir race\$i 2>/dev/null && echo won; done" >"$OUT/race.$image" &
done
wait
won=$(cat $OUT/race.* | wc -l)
[ "$won" = 20 ] || fail "20 directories were made $won times"

# Who may not, may not, whatever image he sits on.
check "private" on boot sh -c "mkdir -m 700 $DIR/private; echo x >$DIR/private/x"
for image in "$a" "$b"; do
	refuses "Permission denied" on "$image" setpriv --reuid 1234 --regid 1234 \
		--clear-groups cat $DIR/private/x
done
check "group" on "$a" sh -c "cd $DIR; mkdir -m 770 group; chgrp 77 group;
	setpriv --reuid 1234 --regid 1234 --groups 77 touch group/f"
[ "$(on boot stat -c %u:%g $DIR/group/f)" = 1234:1234 ] || fail "a file has another owner"

check "clean up" on "$b" rm -rf $DIR
on boot test -e $DIR && fail "the directory is still there"
dmesg_clean
echo "names agree on ${clients[*]} and the owner"

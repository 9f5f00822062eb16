#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# One file, one name. A client's file handle (name_to_handle_at) is good after its mount,
# and the proxy that gave it, have ended, wherever the file has moved; not for another
# file, another client, another export, or when a bit of it is another. And a file that
# several images have open is known by one number on all of them.

. "$(dirname "$0")/lib.sh"

CONF=/etc/ccluster/partitions.conf
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
D=/srv/handles M=/tmp/handles
H=/usr/lib/ccluster/tests/handle

restore() {
	on "$a" touch /tmp/stop 2>/dev/null
	for image in boot "$a" "$b"; do
		on "$image" sh -c "pkill -x handles-sleep; umount $M; umount $M-part; rmdir $M $M-part" 2>/dev/null
	done
	on boot sh -c "[ ! -e $CONF.saved ] || mv $CONF.saved $CONF; umount $D; rmdir $D; rm -f $D.img" 2>/dev/null
}
trap restore EXIT

mount_on() { check "mount on $1" on "$1" sh -c "mkdir -p $M && mount -t ccfs boot:$D $M"; }
umount_on() { check "umount on $1" on "$1" umount $M; }
# give IMAGE NAME: its handle.
give() { on "$1" $H give "$M/$2" || fail "no handle of $2 on $1"; }
# good WHAT IMAGE HANDLE EXPECTED
good() {
	local got
	got=$(on "$2" $H open $M "$3" 2>&1) || fail "$1: $got"
	[ "$got" = "$4" ] || fail "$1: $got, not $4"
}
stale() {
	local what=$1 image=$2 dir=$3
	shift 3
	on "$image" $H open "$dir" "$1" >"/tmp/handles.$$" 2>&1 && fail "$what: $(cat "/tmp/handles.$$")"
	grep -q "Stale file handle" "/tmp/handles.$$" || fail "$what: $(cat "/tmp/handles.$$")"
	rm -f "/tmp/handles.$$"
}
ino() { on boot stat -c %i "$D/$1"; }
forget() { check "drop caches" on "$1" sh -c "echo 2 >/proc/sys/vm/drop_caches"; }

dmesg_mark
check "file system" on boot sh -ec "mkdir -p $D; truncate -s 64M $D.img; mkfs.ext4 -q $D.img; modprobe loop
	mount -o loop $D.img $D; rmdir $D/lost+found; mkdir -p $D/d/e $D/part/in; chmod 755 $D $D/d
	echo of f >$D/f; echo of g >$D/d/e/g; ln -s over/there $D/d/link; ln $D/f $D/d/same
	mkfifo $D/d/fifo; echo of h >$D/part/in/h
	cp $CONF $CONF.saved
	printf 'export handles {\n path = \"$D\"\n to = {\"*\"}\n}\n' >>$CONF
	printf 'export part {\n path = \"$D/part\"\n to = {\"*\"}\n}\n' >>$CONF"
mount_on "$a"
declare -A h
for name in f d/same d/e d/e/g d/link d/fifo .; do h[$name]=$(give "$a" $name); done
[ "${h[f]}" = "${h[d/same]}" ] || fail "two names of one file: ${h[f]} ${h[d/same]}"
[ "${h[f]}" != "${h[d/e/g]}" ] || fail "two files: ${h[f]}"

all_good() {
	good "$1: file" "$a" "${h[f]}" "$(ino f) of f"
	good "$1: directory" "$a" "${h[d/e]}" "$(ino d/e) $M/d/e"
	good "$1: file below" "$a" "${h[d/e/g]}" "$(ino d/e/g) of g"
	good "$1: link" "$a" "${h[d/link]}" "$(ino d/link) over/there"
	good "$1: root" "$a" "${h[.]}" "$(ino .) $M"
	check "$1: FIFO" on "$a" $H open $M "${h[d/fifo]}"
}
all_good "at once"
forget "$a"
all_good "forgotten here"
check "nothing is wrong with what was found so" on "$a" sh -c "cat $M/d/e/g $M/f && ls -lR $M >/dev/null"

# Its proxy goes with its last mount, or dies: the next one takes what it gave.
old=$(proxy_of "$a" $D)
umount_on "$a"
await 20 dead "$old" || fail "the proxy outlives its mounts"
mount_on "$a"
all_good "another proxy"
[ "$(proxy_of "$a" $D)" != "$old" ] || fail "the proxy is the same: $old"
old=$(proxy_of "$a" $D)
check "kill" on boot kill -9 "$old"
await 20 sh -c "! $BOX exec $a -- cat $M/f 2>/dev/null" || fail "a mount without a proxy works"
umount_on "$a"
mount_on "$a"
all_good "after the proxy was killed"
[ "$(proxy_of "$a" $D)" != "$old" ] || fail "the proxy is the same: $old"

# Wherever the owner moves it; not when it is gone, and not what has its number then.
check "moves" on boot sh -ec "mv $D/d/e/g $D/moved; mv $D/d/e $D/elsewhere; echo again >>$D/moved"
good "moved" "$a" "${h[d/e/g]}" "$(ino moved) of g"
# Its path is what was looked up last here, as that of a working directory.
check "look" on "$a" stat $M/elsewhere
good "moved directory" "$a" "${h[d/e]}" "$(ino elsewhere) $M/elsewhere"
was=$(ino moved)
check "removal" on boot rm $D/moved
await 30 sh -c "$BOX exec $a -- $H open $M ${h[d/e/g]} 2>&1 | grep -q Stale" || fail "a removed file is there"
# ext4 gives a number again only some seconds later.
taken() { on boot sh -c "i=0; while [ \$((i += 1)) -le 100 ]; do echo new >$D/new-\$i
	[ \$(stat -c %i $D/new-\$i) != $was ] || exit 0; done; rm $D/new-*; exit 1"; }
await 60 taken || fail "no file gets the number $was"
stale "removed, and its number is another's" "$a" $M "${h[d/e/g]}"
good "the file of $a is still found" "$a" "${h[f]}" "$(ino f) of f"

# What leads out, or was not given.
[ "$(on "$a" $H forge $M "${h[f]}")" -ge 128 ] || fail "a forged handle is taken"
good "not a forged one" "$a" "${h[f]}" "$(ino f) of f"
stale "FUSE's own" "$a" $M 81:000000000200000000000000
mount_on "$b"
stale "another client's" "$b" $M "${h[f]}"
good "its own" "$b" "$(give "$b" f)" "$(ino f) of f"
check "mount of a part" on "$a" sh -c "mkdir -p $M-part && mount -t ccfs boot:$D/part $M-part"
stale "another export's" "$a" $M-part "${h[f]}"
in=$(on "$a" $H give $M-part/in)
[ "$(on "$a" $H open $M-part "$in")" = "$(ino part/in) $M-part/in" ] || fail "part: $in"
check "moved out" on boot mv $D/part/in $D/out
forget "$a"
stale "a directory that has left" "$a" $M-part "$in"
check "moved in again" on boot mv $D/out $D/part/in
[ "$(on "$a" $H open $M-part "$in")" = "$(ino part/in) $M-part/in" ] || fail "part, again: $in"
refuses "not permitted" on "$a" setpriv --reuid 1234 --regid 1234 --clear-groups $H open $M "${h[f]}"

# Nothing is left of it: no node of the proxy, no use of one, also of who was killed. It is
# no matter that a writer has all the buffers, either.
nodes() { on boot sh -c "ls /proc/$1/fd | wc -l"; }
p=$(proxy_of "$a" $D)
check "files" on boot sh -c "mkdir $D/many; chmod 777 $D/many; for i in \$(seq 40); do echo \$i >$D/many/\$i; done"
few() { forget "$a"; [ "$(nodes "$p")" -le "$most" ]; }
same() { local n; n=$(nodes "$p"); forget "$a"; sleep 1; [ "$(nodes "$p")" = "$n" ]; }
await 30 same || fail "$(nodes "$p") descriptors of the proxy, and fewer and fewer"
most=$(nodes "$p")
on "$a" sh -ec "rm -f /tmp/stop; while [ ! -e /tmp/stop ]; do
	dd if=/dev/zero of=$M/many/written bs=1M count=8 status=none; done" &
writer=$!
check "handles" on "$a" sh -ec "for i in \$(seq 40); do h=\$($H give $M/many/\$i)
	echo 2 >/proc/sys/vm/drop_caches; $H open $M \$h >/dev/null
	for t in 1 2 3; do $H open $M \$h >/dev/null & sleep 0.00\$t; kill -9 \$! || :; done; done; wait"
check "end" on "$a" touch /tmp/stop
wait $writer || fail "the writer failed"
check "remove" on boot rm $D/many/written
await 60 few || fail "$(nodes "$p") descriptors of the proxy, $most before"

# The owner's own mount: as long as its inode is in memory, and never another mount's.
mount_on boot
own=$(give boot f)
good "the owner's own" boot "$own" "$(ino f) of f"
umount_on boot; mount_on boot
check "others of that number" on boot sh -c "ls -lR $M >/dev/null"
stale "the owner's, of another mount" boot $M "$own"

# One number for a file, whoever has it open: by two names, on two images.
server_of() {
	on boot sed -n "s/^server client $(field "$1" id) number \([0-9]*\) device $2 .*/\1/p" \
		/sys/kernel/debug/sharedpc/counters
}
dev=$(on boot mountpoint -d $D)
identities() {
	on "$1" sed -n "s/^owner 0 server $(server_of "$1" "$dev") .*identity \([0-9a-f]*\) .*/\1/p" \
		/sys/kernel/debug/sharedpc/opened | sort
}
hold() {
	check "program" on "$1" sh -c "cp /bin/sleep /tmp/handles-sleep; for f in $2; do
		/tmp/handles-sleep 100 <$M/\$f >/dev/null 2>&1 & done"
}
for image in "$a" "$b"; do check "close" on "$image" sh -c "echo 2 >/proc/sys/vm/drop_caches"; done
none() { [ -z "$(identities "$a")$(identities "$b")" ]; }
await 20 none || fail "open already: $(identities "$a") and $(identities "$b")"
check "two files" on boot sh -c "echo 1 >$D/one; echo 2 >$D/two; ln $D/one $D/d/other"
hold "$a" "one two d/other"
hold "$b" "two one"
two() { [ "$(identities "$a" | uniq | wc -w)" = 2 ] && [ "$(identities "$b" | wc -w)" = 2 ]; }
await 20 two || fail "identities: $(identities "$a") and $(identities "$b")"
[ "$(identities "$a")" = "$(identities "$b")" ] ||
	fail "one file is two: $(identities "$a") and $(identities "$b")"

umount_on boot
for image in "$a" "$b"; do check "stop" on "$image" pkill -x handles-sleep; done
check "umount" on "$a" umount $M-part
umount_on "$a"; umount_on "$b"
dmesg_clean
echo "handles outlive proxies, and one file is one everywhere"

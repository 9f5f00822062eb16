#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# A client that wants more of the region than there is gets an error, soon; the
# owner's kernel kills nobody for memory; other images go on with what they
# have, and get what they need that they never had, up to their share; and everything
# works again when the client has let go.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
F=/srv/shared/region-full
small=/srv/shared/region-small

dmesg_mark
check "small file" on "$b" sh -c "seq 10000 >$small"
sum=$(on "$b" cksum "$small")
# A sparse file costs no disk, but each page that is looked at costs a frame.
check "files" on boot truncate -s 64G $F $F.2

# Both have no more than there is and all but a reserve of it; neither waits long.
pages=$(counter boot "region" pages)
for image in "$a" "$b"; do check "program" on "$image" cp /usr/lib/ccluster/tests/fill /tmp/fill; done
for how in read map; do
	t0=$SECONDS
	out=$(on "$a" /tmp/fill $how $F) || fail "$how: status $?: $out"
	n=${out%% *}
	case $how in
	read)	[[ $out == *"then No space left on device" ]] || fail "read: $out" ;;
	map)	[[ $out == *"then SIGBUS" ]] || fail "map: $out" ;;
	esac
	[ "$n" -gt $((pages * 3 / 4)) ] && [ "$n" -le "$pages" ] || fail "$how: $n of $pages pages"
	echo "$how: $out, after $((SECONDS - t0)) s, of $pages in the region"
done

# While the region is full another image starts programs that it never ran, and maps
# as much as its share. The control: more is refused.
share=$((pages / 4 / ${#clients[@]}))
timeout 200 "$BOX" exec "$a" -- /tmp/fill hold $F >"/tmp/hold.$$" 2>&1 &
holder=$!
full() { grep -q "then SIGBUS" "/tmp/hold.$$"; }
await 100 full || fail "the region does not get full: $(cat "/tmp/hold.$$")"
check "a program never run" on "$b" perl -e 'print 1'
check "another" on "$b" python3 -c 'import json, ctypes, decimal, sqlite3'
held=$(field "$b" frames)
out=$(on "$b" /tmp/fill map $F.2) || fail "$b: $out"
n=${out%% *}
[[ $out == *"then SIGBUS" ]] || fail "$b got more than there is: $out"
[ $((n + held)) -ge $((share - 64)) ] || fail "$b got $n and had $held of its $share frames"
kill $holder
wait $holder
rm -f "/tmp/hold.$$"
let_go() { [ "$(field "$a" frames)" -lt $((pages / 2)) ]; }
await 30 let_go || fail "$a holds $(field "$a" frames) frames after its program"
echo "while $a held all it could $b, with $held frames, got $n more: its share is $share"

# What others hold stays good, and the owner is well.
[ "$(on "$b" cksum "$small")" = "$sum" ] || fail "$b reads something else"
check "owner" on boot true
is_up "$a" "$b"
on boot sh -c 'dmesg | tac | sed /box-test-mark/q' | grep -qi 'out of memory\|oom-kill' &&
	fail "the owner's OOM killer ran"

check "let go" on boot rm $F $F.2
again() { [ "$(on "$a" cksum $small)" = "$sum" ] && on "$a" sh -c "seq 100000 >$small.2; cksum $small.2"; }
await 30 again || fail "$a does not get frames again"
check "clean up" on boot rm $small $small.2
for image in "$a" "$b"; do check "clean up" on "$image" rm /tmp/fill; done
dmesg_clean
echo "the region is full for who wants more, and only while it wants it"

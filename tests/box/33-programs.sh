#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# Ordinary programs on a client: executed from the mount (a client's root is
# one), and at work on files there.

. "$(dirname "$0")/lib.sh"

DIR=/srv/shared/programs
read -ra clients < <(clients)
a=${clients[0]} b=${clients[-1]}
dmesg_mark
check "directory" on boot sh -c "rm -rf $DIR; mkdir -m 777 $DIR"

for image in "$a" "$b"; do
	[ "$(on "$image" findmnt -n -o SOURCE,FSTYPE / | tr -s ' ')" = "boot:/ overlay" ] ||
		fail "$image: its root is no overlay of the owner's"
	check "exec" on "$image" sh -c "cp /bin/true $DIR/true.$image && $DIR/true.$image"
	check "exec of what the other made" on boot $DIR/true."$image"
	check "script" on "$image" sh -c "printf '#!/bin/sh\necho ran\n' >$DIR/s; chmod 711 $DIR/s; $DIR/s"
	out=$(on "$image" setpriv --reuid 1234 --regid 1234 --clear-groups /usr/bin/id -u)
	[ "$out" = 1234 ] || fail "$image: id as another user: $out"
	out=$(on "$image" python3 -c 'import json, zlib; print(json.dumps([6 * 7]))')
	[ "$out" = "[42]" ] || fail "$image: python3: $out"
	out=$(on "$image" perl -e 'print join ",", map { $_ * $_ } 1..5')
	[ "$out" = 1,4,9,16,25 ] || fail "$image: perl: $out"
done

# One writes a database, the others read it, then another one writes.
rows=5000
sql="create table t(id integer primary key, text text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < $rows)
insert into t select i, 'row ' || i from n;"
check "robust mutex" on "$a" /usr/lib/ccluster/tests/robust $DIR/robust
check "sqlite3 writes" on "$a" sqlite3 $DIR/db "$sql"
check "sqlite3 adds" on "$b" sqlite3 $DIR/db "update t set text = text || ' more' where id % 2; vacuum;"
for image in boot "$a" "$b"; do
	out=$(on "$image" sqlite3 $DIR/db "pragma integrity_check; select count(*), sum(length(text)) from t;" | tr '\n' ' ')
	[ "${sum:=$out}" = "$out" ] || fail "$image: sqlite3 says $out, not $sum"
	[[ $out == "ok $rows|"* ]] || fail "$image: sqlite3 says $out"
done

want=$(on boot mdb_stat -n /srv/shared/words.mdb) || fail "mdb_stat on the owner"
for image in "$a" "$b"; do
	out=$(on "$image" mdb_stat -n /srv/shared/words.mdb) || fail "mdb_stat on $image"
	[ "$out" = "$want" ] || fail "$image: mdb_stat says $out"
done
entries=$(sed -n 's/^ *Entries: //p' <<<"$want")
lines=$(on "$a" sh -c 'wc -l </srv/shared/words')
[ "$entries" = "$lines" ] || fail "$entries entries for $lines words"

# Tools that use what else a file system has.
tree=$(on boot sh -c 'ls -d /usr/lib/python3.*/email | head -n 1')
check "cp" on "$a" sh -c "cp -a $tree $DIR/tree && diff -r $tree $DIR/tree"
check "tar" on "$b" sh -c "cd $DIR && tar cf t.tar tree && mkdir out && tar xf t.tar -C out && diff -r tree out/tree"
check "python3 mmap" on "$a" python3 -c "
import mmap, os
f = open('$DIR/m', 'w+b'); f.truncate(1 << 20)
m = mmap.mmap(f.fileno(), 1 << 20); m[4096:4101] = b'hello'; m.flush()
assert open('$DIR/m', 'rb').read()[4096:4101] == b'hello'"
[ "$(on "$b" sh -c "tail -c +4097 $DIR/m | head -c 5")" = hello ] || fail "python3's mmap on $b"

check "clean up" on "$a" rm -rf $DIR
dmesg_clean
echo "programs ran on $a and $b from the mount"

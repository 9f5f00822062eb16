#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 420
# long: EVENTS=10000
# long timeout: 1800
# may log: ^lives/.*
#
# Who watches files on a client (inotifywait -r, fsnotifywait -r, which is fanotify's, a Python
# watchdog, tail -f) sees what another client and the owner do to them: EVENTS (300) changes, none missing and none twice, in their
# order in each directory; and what its own image does as it is on a local file system. A
# watch that has gone costs no events; what got lost is an overflow, also when the proxy dies.
# Nothing is left of an image that dies. The control: with the owner's reports off they are
# missed.

. "$(dirname "$0")/lib.sh"

EVENTS=${EVENTS-300}
D=/srv/shared/inotify
PARAMS=/sys/module/sharedpc/parameters
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
out=$(mktemp -d)
ccfs=

restore() {
	on "$a" sh -c "kill -CONT $ccfs; pkill notifywait; pkill tail; pkill python3" 2>/dev/null
	on boot sh -c "pkill -f ^python3.*raw.py; echo Y >$PARAMS/report; echo 16384 >$PARAMS/report_queue; rm -rf $D" 2>/dev/null
	wait
	rm -rf "$out"
}
trap restore EXIT

# watches NAME IMAGE CMD...: in the background, until it says that it is ready.
watches() {
	rm -f "$out/$1" "$out/$1.err"	# of an earlier one
	timeout $((1700 * ${SLOW-1})) "$BOX" exec "$2" -- "${@:3}" </dev/null >"$out/$1" 2>"$out/$1.err" &
	await 60 grep -qi "established\|ready\|error" "$out/$1.err"
	grep -qi "established\|ready" "$out/$1.err" ||
		fail "$1: $(cat "$out/$1.err"; on "$2" sh -c 'ps axo pid,stat,wchan:20,args | grep "raw\.py\|inotifywait\|dog\.py"; for p in $(pgrep -f "[r]aw\.py"); do cat /proc/$p/stack; done')"
}
# said NAME WHAT: it has been printed.
said() { grep -q "$2" "$out/$1"; }
hears() { await 60 said "$1" "$2" || fail "$1 does not hear of $2: $(tail -n 5 "$out/$1")"; }
event_count() { counter "$a" names event; }
# changes IMAGE DIR N: files are made, written, renamed and removed, to be seen by their numbers.
changes() {
	timeout $((900 * ${SLOW-1})) "$BOX" exec "$1" -- python3 -c '
import os, sys
d = sys.argv[1]
for i in range(1, int(sys.argv[2]) + 1):
	with open(f"{d}/n{i}", "w") as f:
		f.write(str(i))
	os.rename(f"{d}/n{i}", f"{d}/m{i}")
	os.unlink(f"{d}/m{i}")
open(d + "/end", "w").close()' "$2" "$3" </dev/null
}
# Raw inotify: "established", then lines of a mask and a name.
cat >"$out/raw.py" <<'EOF'
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0)
for path in sys.argv[1:]:
	if libc.inotify_add_watch(fd, path.encode(), 0xfff) < 0:
		sys.exit(os.strerror(ctypes.get_errno()))
print("established", file=sys.stderr, flush=True)
while True:
	data = os.read(fd, 65536)
	while data:
		wd, mask, cookie, n = struct.unpack_from("iIII", data)
		name = data[16:16 + n].rstrip(b"\0").decode()
		print("%x" % (mask & 0xffff), name, flush=True)
		data = data[16 + n:]
EOF
cat >"$out/dog.py" <<'EOF'
import sys, time
from watchdog.observers import Observer
from watchdog.events import FileSystemEventHandler
class Handler(FileSystemEventHandler):
	def on_any_event(self, e):
		print(e.event_type, e.src_path, flush=True)
o = Observer()
o.schedule(Handler(), sys.argv[1], recursive=True)
o.start()
time.sleep(1)
print("ready", file=sys.stderr, flush=True)
time.sleep(1800)
EOF

dmesg_mark
check "programs" "$BOX" cp "$out/raw.py" "$a:/tmp/raw.py"
check "programs" "$BOX" cp "$out/dog.py" "$a:/tmp/dog.py"
check "programs" "$BOX" cp "$out/raw.py" "$b:/tmp/raw.py"
check "programs" "$BOX" cp "$out/raw.py" "boot:/tmp/raw.py"
check "directories" on boot sh -c "rm -rf $D; mkdir -p $D/$b $D/boot $D/x; echo first >$D/log; echo x >$D/x/file"

# First, what would be seen if it were not for the owner's reports: nothing.
watches control "$a" python3 /tmp/raw.py $D/x
check "no reports" on boot sh -c "echo N >$PARAMS/report"
check "a change" on "$b" touch $D/x/missed
check "reports" on boot sh -c "echo Y >$PARAMS/report"
check "another change" on "$b" touch $D/x/seen
hears control "^100 seen"
said control missed && fail "it is seen with reports off"
on "$a" pkill -f raw.py
check "clean up" on boot rm $D/x/missed $D/x/seen

# Everybody's programs.
watches wait "$a" inotifywait -m -r --format '%w %e %f' $D
watches fan "$a" fsnotifywait -m -r --format '%w %e %f' $D
watches dog "$a" python3 /tmp/dog.py $D
timeout $((1700 * ${SLOW-1})) "$BOX" exec "$a" -- tail -n +1 -f $D/log </dev/null >"$out/tail" 2>&1 &
hears tail first
one=$((EVENTS / 6))
for image in "$b" boot; do
	changes "$image" $D/$image "$one" >"$out/do.$image" 2>&1 &
	doing+=($!)
done
check "a log" on "$b" sh -c "i=0; while [ \$i -lt 20 ]; do i=\$((i + 1)); echo line \$i >>$D/log; done"
wait "${doing[@]}" || fail "changes: $(cat "$out"/do.*)"
for image in "$b" boot; do
	hears wait "$D/$image/ CREATE end"
	for i in $(seq "$one"); do
		printf '%s\n' "CREATE n$i" "MODIFY n$i" "MOVED_FROM n$i" "MOVED_TO m$i" "DELETE m$i"
	done >"$out/want"
	grep -E "^$D/$image/ (CREATE|MODIFY|MOVED_FROM|MOVED_TO|DELETE) [nm][0-9]" "$out/wait" |
		sed "s,^$D/$image/ ,," >"$out/got"
	cmp -s "$out/want" "$out/got" || fail "in $image, $(wc -l <"$out/got") of $((5 * one)): $(diff "$out/want" "$out/got" | head -n 5)"
	# Events of one name that wait are one, so its kind is one of several; and what it finds
	# by the handle may be gone.
	hears fan "$D/$image/ [A-Z_,]*CREATE[A-Z_,]* end"
	for what in "CREATE n" "MODIFY n" "MOVED_FROM n" "MOVED_TO m" "DELETE m"; do
		grep -E "^$D/$image/ ([A-Z_]+,)*${what% *}(,[A-Z_]+)* ${what#* }[0-9]" "$out/fan" |
			sed 's/ (deleted)$//; s/.*[nm]//' >"$out/got"
		seq "$one" | cmp -s - "$out/got" || fail "fanotify, $what in $image: $(wc -l <"$out/got") of $one: $(seq "$one" | diff - "$out/got" | head -n 5)"
	done
	hears dog "created $D/$image/end"
	# Under load it may take both halves of a move for what they are alone.
	for what in "created .*/n" "moved .*/n\|created .*/m"; do
		grep "^\($what\)[0-9]*$" "$out/dog" | grep " $D/$image/" | sed 's/.*[nm]//' >"$out/got"
		seq "$one" | cmp -s - "$out/got" || fail "watchdog, $what in $image: $(seq "$one" | diff - "$out/got" | head -n 5)"
	done
done
hears tail "line 20"
[ "$(grep -c line "$out/tail")" = 20 ] || fail "tail: $(cat "$out/tail")"

on "$a" sh -c "pkill notifywait; pkill -f dog.py; pkill tail"

# Its own doing, as on tmpfs: once.
own="touch \$D/own; echo x >>\$D/own; mv \$D/own \$D/new; chmod 600 \$D/new; cat \$D/new; rm \$D/new; mkdir \$D/dir; rmdir \$D/dir; touch \$D/done"
check "directories" on "$a" sh -c "rm -rf /tmp/own; mkdir -p /tmp/own $D/own"
for dir in /tmp/own $D/own; do
	watches own "$a" python3 /tmp/raw.py $dir
	check "its own doing" on "$a" sh -c "D=$dir; $own"
	hears own "^8 done"
	cp "$out/own" "$out/own.$(basename "$(dirname $dir)")"
	on "$a" pkill -f raw.py
done
diff "$out/own.tmp" "$out/own.inotify" >"$out/got" || fail "its own doing: $(cat "$out/got")"

# What is watched is removed by others, or moved, or its mode changes. What another image's
# program opens and closes once is heard once, on the owner as well; slowly, since who takes
# one event at a time gets them all.
watches self "$a" python3 /tmp/raw.py $D/x $D/x/file
watches there boot python3 /tmp/raw.py $D/x
check "a file" on "$b" sh -c "exec 3>$D/x/closed; sleep 1; echo x >&3; sleep 1; exec 3>&-; sleep 1"
check "truncate it" on "$b" python3 -c "import os; os.truncate('$D/x/closed', 0); os.chmod('$D/x/closed', 0o600)"
for who in self there; do
	hears "$who" "^8 closed"
	hears "$who" "^4 closed"
	for what in 100 20 8; do
		[ "$(grep -c "^$what closed" "$out/$who")" = 1 ] || fail "$who, of a file that is written: $(cat "$out/$who")"
	done
	[ "$(grep -c "^2 closed" "$out/$who")" = 2 ] || fail "$who, of a file that is truncated: $(cat "$out/$who")"
done
on boot pkill -f "^python3 /tmp/raw.py"
check "changes" on "$b" sh -ec "rm $D/x/closed; chmod 600 $D/x/file; mv $D/x/file $D/file; rm $D/file; rmdir $D/x"
for what in "4 file" "4 " "40 file" "800 " "400 " "8000 "; do hears self "^$what\$"; done
[ "$(grep -c '^400 $' "$out/self")" = 2 ] || fail "of a file and a directory: $(cat "$out/self")"
on "$a" pkill -f raw.py

# Who does not watch any more hears nothing, after one time that tells.
check "a last change" on "$b" touch $D/boot/a $D/"$b"/a $D/a
sleep 1
before=$(event_count)
check "changes" changes "$b" $D/boot 20
check "changes" changes "$b" $D/"$b" 20
check "a watch" on "$a" python3 -c "import ctypes; l = ctypes.CDLL(None); l.inotify_add_watch(l.inotify_init1(0), b'$D/own', 0xfff)"
[ "$(event_count)" -le $((before + 2)) ] || fail "$(($(event_count) - before)) events for nobody"

# More than the owner's queue has room for.
watches over "$a" python3 /tmp/raw.py $D/boot
check "a short queue" on boot sh -c "echo 10 >$PARAMS/report_queue"
ccfs=$(on "$a" pgrep -of "mount.ccfs.*/srv/shared")
check "stop ccfs" on "$a" kill -STOP "$ccfs"
check "changes" changes boot $D/boot 20
check "let it go on" on "$a" kill -CONT "$ccfs"
hears over "^4000 "
check "the queue" on boot sh -c "echo 16384 >$PARAMS/report_queue"
check "a change after that" on boot touch $D/boot/after
hears over "^100 after"
on "$a" pkill -f raw.py

# A proxy dies: that is an overflow, and who begins to watch does not wait.
watches dies "$b" python3 /tmp/raw.py $D/own
check "kill its proxy" on boot kill -9 "$(proxy_of "$b")"
hears dies "^4000 "
on "$b" timeout 20 python3 /tmp/raw.py $D/own </dev/null >"$out/dead" 2>&1
[ $? != 124 ] || grep -q established "$out/dead" || fail "a watch in a dead mount hangs"
check "restart" ctl restart "$b"
await 60 is_up "$b" || fail "$b does not come back"

# An image dies that watches.
check "programs" "$BOX" cp "$out/raw.py" "$b:/tmp/raw.py"
watches image "$b" python3 /tmp/raw.py $D/own
proxy=$(proxy_of "$b")
save_lives "$b"
timeout 10 "$BOX" exec "$b" -- sh -c "echo c >/proc/sysrq-trigger" >/dev/null 2>&1
panicked() { [ "$(state "$b")" = panicked ]; }
await 15 panicked || fail "after a panic $b is $(state "$b")"
all_back "$b" "$proxy"
check "start" ctl start "$b"
await 60 is_up "$b" || fail "$b does not come back"
check "nothing is left" on boot rm -r $D

dmesg_clean
echo "$EVENTS changes seen by who watches"

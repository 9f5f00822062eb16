#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Another image has moved a directory that a client knows by its old name: the
# client finds it, renames it and renames over it at once, as on a local file
# system, also while the client itself renames from one directory to another all the
# time, and while a process of it has the directory as its own.

. "$(dirname "$0")/lib.sh"

T=10
D=/srv/shared/moved
read -ra clients < <(clients)
a=${clients[0]}
trap 'on boot rm -rf $D; on "$a" pkill -f moved.here' EXIT

# fresh: c/d with a file in it, which the client has seen; then it is b/d.
fresh() {
	check "directories" on boot sh -ec "rm -rf $D; mkdir -p $D/a/x $D/b $D/c/d; $1"
	check "a look" on "$a" sh -c "ls -lR $D/a $D/b $D/c && stat $D/c/d"
	check "moved" on boot mv $D/c/d $D/b/d
}

# renames WHAT FROM TO: without a look at either before.
renames() {
	check "$1" on "$a" python3 -c 'import os, sys; os.rename(sys.argv[1], sys.argv[2])' $D/$2 $D/$3
	on boot test -d $D/$3 || fail "$1: the owner has no $3"
	on boot test -e $D/$2 && fail "$1: the owner still has $2"
}

dmesg_mark
fresh "touch $D/c/d/f"
renames "rename of what was moved" b/d a/y
fresh :
renames "rename over what was moved" a/x b/d
fresh "touch $D/c/d/f"
check "a look at what was moved" on "$a" stat $D/b/d/f
refuses "No such file" on "$a" stat $D/c/d/f

# A call of os on the paths, again and again: it says what is wanted ("ok", or the name
# of an error), or that there is no such file. And renames, there and back.
CALLS='
import errno, os, sys, time
end, call, want = time.time() + float(sys.argv[1]), getattr(os, sys.argv[2]), sys.argv[3]
bad, seen = {}, 0
while time.time() < end:
	for path in sys.argv[4:]:
		said = "ok"
		try:
			call(path)
		except OSError as e:
			said = errno.errorcode[e.errno]
		if said == want:
			seen += 1
		elif said != "ENOENT":
			bad[said] = bad.get(said, 0) + 1
print(sys.argv[2], "said", want, seen, "times", bad or "")
sys.exit(1 if bad or not seen else 0)'
RENAMES='
import os, sys, time
end, n = time.time() + float(sys.argv[1]), 0
while time.time() < end:
	os.rename(sys.argv[2], sys.argv[3])
	os.rename(sys.argv[3], sys.argv[2])
	n += 2
	time.sleep(float(sys.argv[4]))
print(n, "renames")'

fresh "touch $D/c/d/f"
check "files" on boot sh -c "cd $D && touch a/1 a/2 && mv b/d b/X"
on "$a" python3 -c 'import os, sys, time; os.chdir(sys.argv[1]); time.sleep(100)' \
	$D/b/X moved.here >/dev/null & here=$!
await 20 on "$a" pgrep -f moved.here >/dev/null || fail "nobody is there"
pids=()
on boot python3 -c "$RENAMES" "$T" $D/b/X $D/c/X 0.005 & pids+=($!)
for i in 1 2; do
	on "$a" python3 -c "$RENAMES" "$T" $D/a/$i $D/a/x/$i 0 & pids+=($!)
done
on "$a" python3 -c "$CALLS" "$T" stat ok $D/b/X $D/c/X & pids+=($!)
on "$a" python3 -c "$CALLS" "$T" stat ok $D/c/X $D/b/X & pids+=($!)
on "$a" python3 -c "$CALLS" "$T" rmdir ENOTEMPTY $D/c/X $D/b/X & pids+=($!)
for pid in "${pids[@]}"; do
	wait "$pid" || bad=yes
done
[ -z "${bad-}" ] || fail "not what a local file system says"
check "end" on "$a" pkill -f moved.here
wait $here
is_up "$a"
dmesg_clean
echo "moved directories are found where they are"

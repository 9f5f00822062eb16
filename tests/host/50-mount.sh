#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mount.ccfs as a user meets it without a partitioned box: what cannot be ends
# with one line and a status. Then, if this kernel's FUSE has passthrough, a
# mount through proxyd's test socket: data takes the way that it takes on the
# owner's own mount. If it has not, mount.ccfs has to say that.

. "$(dirname "$0")/mount.lib"
mount=$BIN/mount.ccfs
TESTS=$(realpath "${TESTS:-build/tests}") || exit 1

# refuses STATUS TEXT ARG...
refuses() {
	local want=$1 text=$2 out rc

	shift 2
	out=$(timeout 30 "$mount" "$@" 2>&1)
	rc=$?
	[ $rc = "$want" ] || fail "status $rc instead of $want: $*: $out"
	[[ $out == *"$text"* ]] || fail "$* said: $out (wanted: $text)"
}

[ -e /dev/sharedpc ] || refuses 32 "is sharedpc.ko loaded?" boot:/srv "$m"
refuses 32 "No such file" boot:/srv "$m/nosuch"
refuses 32 "not a directory" boot:/srv /etc/passwd
refuses 1 "unknown option 'colour=red'" boot:/srv "$m" -o rw,colour=red
refuses 1 "IMAGE:/PATH" boot "$m"
refuses 1 "remount" boot:/srv "$m" -o remount,ro
refuses 1 "mount point" boot:/srv
refuses 32 "cannot connect" boot:/srv "$m" -o "connect=unix:$tmp/none"
[ -z "$(ldd "$mount" 2>/dev/null | grep '=>')" ] || fail "$mount is not static"

proxyd_run

refuses 32 "has no export /nosuch" boot:/nosuch "$m" -o "$opt"
refuses 32 "read-only" boot:/usr "$m" -o "$opt"

# With few descriptors: what it inherits does not count.
out=$(ulimit -n 64; timeout 30 "$mount" boot:"$exported" "$m" -o "$opt" 2>&1)
rc=$?
if [ $rc = 32 ] && [[ $out == *"no passthrough"* ]]; then
	echo "this kernel's FUSE has no passthrough, and mount.ccfs says so"
	exit 0
fi
[ $rc = 0 ] || fail "mount: status $rc: $out"
grep -q " $m fuse.ccfs rw" /proc/mounts || fail "not in /proc/mounts"

ccfs=
for p in /proc/[0-9]*; do
	[[ "$(tr '\0' ' ' 2>/dev/null <"$p/cmdline")" != *"mount.ccfs boot:$exported "* ]] ||
		ccfs=${p#/proc/}
done
[ -n "$ccfs" ] || fail "no process behind the mount"
proxy=$(cat "/proc/$proxyd/task/$proxyd/children")
proxy=${proxy%% *}
user=(setpriv --reuid 1234 --regid 1234 --clear-groups)

top=$PWD
cd "${m:?}" || fail "cd"
same() { cmp "$1" "$exported/$1" || fail "$1 differs"; }
echo hello >a && echo more >>a || fail "write"
[ "$(cat "$exported/a")" = $'hello\nmore' ] || fail "what was written is not there"
same a
mkdir d && mv a d/b && ln d/b hard && ln -s d/b soft && same soft || fail "names"
[ "$(stat -c '%i %h' hard)" = "$(stat -c '%i %h' "$exported/d/b")" ] || fail "inode"
dd if=/dev/urandom of=big bs=1M count=4 conv=fsync status=none || fail "dd"
same big
cp big copy && truncate -s 1000 copy && fallocate -l 9000 copy && same copy || fail "cut"
dd if=big of=direct bs=4096 count=16 iflag=direct status=none || fail "O_DIRECT"
same direct
cp /bin/true program && ./program || fail "exec"
(umask 027; mkdir masked)
[ "$(stat -c %a "$exported/masked")" = 750 ] || fail "umask"
mkdir -m 700 private
setpriv --reuid 1234 --regid 1234 --clear-groups ls private 2>/dev/null && fail "no permissions"
touch setid && chmod 6777 setid || fail "set-id"
setpriv --reuid 1234 --regid 1234 --clear-groups sh -c 'echo >>setid' 2>/dev/null
[ ! -s setid ] || [ "$(stat -c %a "$exported/setid")" = 777 ] || fail "a write left set-id bits"
chown 1234:1234 setid && chmod 6777 setid
setpriv --reuid 1234 --regid 1234 --clear-groups sh -c 'echo >>setid' || fail "set-id of one's own"
[ "$(stat -c %a "$exported/setid")" = 777 ] || fail "a write left set-id bits"
mkdir many
(cd many && seq 500 | xargs touch)
[ "$(ls many | wc -l)" = 500 ] || fail "a list of 500"

# More open files of one user than a process usually has descriptors.
(cd many && seq 501 1600 | xargs touch) || fail "1600 files"
(
	ulimit -n 4096
	exec "${user[@]}" bash -c 'for i in {1..1600}; do exec {fd}<many/$i || exit; done
		echo all; exec sleep 60'
) >"$tmp/opened" 2>&1 &
holder=$!
for _ in $(seq 150); do [ -s "$tmp/opened" ] || sleep 0.2; done
[ "$(cat "$tmp/opened")" = all ] || fail "1600 open files: $(cat "$tmp/opened")"
cmp d/b "$exported/d/b" && ./program || fail "with 1600 open files"
"${user[@]}" cat d/b >/dev/null || fail "a user's cat with 1600 open files"
[ "$(ls "/proc/$ccfs/fd" | wc -l)" -lt 300 ] || fail "ccfs keeps descriptors of open files"
kill $holder
wait $holder 2>/dev/null

# A look-up that fails for lack of descriptors does not unmount what is there.
mkdir mp && mount -t tmpfs none mp && : >mp/in || fail "a mount below"
for p in "$proxy" "$ccfs"; do
	limit=$(prlimit --pid "$p" --nofile --raw --noheadings -o SOFT,HARD) || fail "prlimit"
	prlimit --pid "$p" --nofile="3:${limit##* }"
	"${user[@]}" stat mp/in >/dev/null 2>"$tmp/err" && fail "a stat without descriptors"
	prlimit --pid "$p" --nofile="${limit/ /:}"
	grep -q "Cannot allocate memory" "$tmp/err" || fail "no descriptors: $(cat "$tmp/err")"
	"${user[@]}" stat mp/in >/dev/null || fail "a failed look-up unmounted what is below"
done
umount mp || fail "umount mp"

"$TESTS/willneed" d/b >/dev/null || fail "read ahead"
dmesg 2>/dev/null | grep -F "$exported" | grep "passed through" && fail "read ahead is logged"
dd if=/dev/urandom of=large bs=1M count=40 status=none
cp large copied && same copied || fail "a copy in parts"
long=$(printf 'n%.0s' $(seq 256))
touch "$long" 2>"$tmp/err" && fail "a name of 256 bytes"
grep -q "too long" "$tmp/err" || fail "a long name: $(cat "$tmp/err")"
touch still-there || fail "a long name ended the mount"
cd "$top" || fail "cd"

# The proxy dies: calls fail at once, none hangs.
kill -9 "$proxy" || fail "no proxy"
sleep 0.5
timeout 10 ls "$m" 2>"$tmp/err"
rc=$?
[ $rc != 124 ] && [ $rc != 0 ] || fail "status $rc from a mount whose proxy is dead"
grep -q "Input/output error" "$tmp/err" || fail "a dead proxy: $(cat "$tmp/err")"
umount "$m" || fail "umount"
echo "mounted, used, ended"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# A file that another image removes stays a file for who has it (O_PATH, a working directory,
# an open file), as locally, for as long as he likes: and no longer. What nobody has is
# forgotten, so that its space is free, though its name was known here; also when what says
# so gets lost. The control: when it always gets lost, the space is not free.

. "$(dirname "$0")/lib.sh"

D=/srv/shared/removed
INJECT=/sys/kernel/debug/sharedpc/inject
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
out=$(mktemp -d)
keeper=

restore() {
	on "$a" pkill -f "^python3 /tmp/keep.py" 2>/dev/null
	on boot sh -c "echo removed cut 0 >$INJECT; rm -rf $D" 2>/dev/null
	wait
	rm -rf "$out"
}
trap restore EXIT

# Has what is no more and lies in D, on standard output: proxies' descriptors.
held() {
	on boot sh -c "for p in \$(pidof proxyd); do ls -l /proc/\$p/fd 2>/dev/null; done | grep '/removed/.*(deleted)'" | sed 's/.*removed.//' | sort -u
}
holds_none() { [ -z "$(held)" ]; }
holds() { [ "$(held | wc -l)" = "$1" ]; }
free_blocks() { on boot stat -f -c %a /srv/shared; }

# Keeps what it is told by names, says when it has it; then a line is what it is to say of it.
cat >"$out/keep.py" <<'PY'
import os, sys
d = sys.argv[1]
path = os.open(d + "/path", os.O_PATH)
sub = os.open(d + "/dir", os.O_PATH)
link = os.open(d + "/link", os.O_PATH | os.O_NOFOLLOW)
fifo = os.open(d + "/fifo", os.O_PATH)
opened = os.open(d + "/open", os.O_RDWR)
os.chdir(d + "/cwd")
def error(call, *args):
	try:
		call(*args)
		return "nothing"
	except OSError as e:
		return os.strerror(e.errno)
def look():
	for fd in path, sub, link, fifo, opened:
		assert os.fstat(fd).st_nlink == 0, (fd, os.fstat(fd))
	assert os.stat(".").st_nlink == 0, os.stat(".")
	again = os.open("/proc/self/fd/%d" % path, os.O_RDWR)
	assert os.pread(again, 100, 0) == b"path\n", os.pread(again, 100, 0)
	assert os.pwrite(again, b"PATH", 0) == 4
	os.close(again)
	again = os.open("/proc/self/fd/%d" % path, os.O_RDWR)
	assert os.pread(again, 100, 0) == b"PATH\n"
	assert os.pwrite(again, b"path", 0) == 4
	os.close(again)
	assert os.pread(opened, 100, 0) == b"open\n"
	assert os.readlink("", dir_fd=link) == "path"
	os.fchmod(opened, 0o640)
	assert os.fstat(opened).st_mode & 0o777 == 0o640
	assert error(os.mkdir, "new") == "No such file or directory"
	assert error(os.stat, "in") == "No such file or directory"
	assert os.listdir(".") == [], os.listdir(".")
# What Linux here says without asking anybody, who has been told.
def look_here():
	assert error(os.getcwd) == "No such file or directory", os.getcwd()
	assert os.readlink("/proc/self/fd/%d" % path).endswith(" (deleted)")
print("has", flush=True)
for line in sys.stdin:
	look()
	if line == "told\n":
		look_here()
	print("looked", flush=True)
PY

looks() {
	local before
	before=$(grep -c looked "$out/kept")
	echo "$1" >&"${keeper}"
	looked() { [ "$(grep -c looked "$out/kept")" -gt "$before" ]; }
	await 60 looked || fail "what is kept: $(tail -n 5 "$out/kept")"
}

dmesg_mark
check "programs" "$BOX" cp "$out/keep.py" "$a:/tmp/keep.py"
make_them="rm -rf $D; mkdir -p $D/dir $D/cwd; cd $D; echo path >path; echo open >open; ln -s path link; mkfifo fifo; dd if=/dev/zero of=known bs=1M count=16 status=none; echo x >other; mkdir empty"

for who in "$b" boot; do
	check "files" on boot sh -c "$make_them"
	mkfifo "$out/say"
	timeout $((250 * ${SLOW-1})) "$BOX" exec "$a" -- python3 /tmp/keep.py $D <"$out/say" >"$out/kept" 2>&1 &
	exec {keeper}>"$out/say"
	await 60 grep -q has "$out/kept" || fail "nothing is kept: $(cat "$out/kept")"
	# What it knows, and does not have.
	check "known" on "$a" sh -c "ls -lR $D >/dev/null; cat $D/known >/dev/null; stat $D/other $D/empty >/dev/null"
	check "no space is left" on boot sync
	before=$(free_blocks)
	[ "$who" != boot ] || check "what says so gets lost" on boot sh -c "echo removed drop 20 >$INJECT"
	check "remove" on "$who" sh -c "rm -r $D/*"
	looks soon
	kept() { holds 6 && [ "$(free_blocks)" -gt $((before + 3000)) ]; }
	await 60 kept || fail "of $who's what is held is $(held | tr '\n' ' '), of $before blocks $(free_blocks) are free"
	told() { [ "$(on "$a" sh -c 'p=$(pgrep -of "^python3 /tmp/keep.py"); ls -l /proc/$p/fd /proc/$p/cwd' | grep -c '(deleted)$')" = 5 ]; }
	await 60 told || fail "$a has not been told of all"
	looks told
	sleep 6		# when it was let go of, once
	looks told
	holds 6 || fail "what is held is $(held | tr '\n' ' ')"
	exec {keeper}>&-
	rm "$out/say"
	await 60 holds_none || fail "who had it has gone, and what is held is $(held | tr '\n' ' ')"
done

# The control.
check "files" on boot sh -c "$make_them; sync"
check "known" on "$a" sh -c "ls -lR $D >/dev/null"
check "what says so is cut" on boot sh -c "echo removed cut 1000000 >$INJECT"
check "remove" on boot sh -c "rm -r $D/*"
sleep 10
holds_none && fail "nobody told $a, and nothing is held"
check "it is not any more" on boot sh -c "echo removed cut 0 >$INJECT"
await 60 holds_none || fail "what is held is $(held | tr '\n' ' ')"

dmesg_clean
echo "what others remove stays for who has it, and for nobody else"

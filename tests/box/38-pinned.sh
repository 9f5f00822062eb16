#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# A page that a client's pipe holds does not keep the owner waiting, is not
# given to anybody else meanwhile, and comes back when the pipe lets go - or
# when the client is no more.

. "$(dirname "$0")/lib.sh"

T=/usr/lib/ccluster/tests
DIR=/srv/shared/pinned
read -ra clients < <(clients)
a=${clients[0]}

kept_is() { [ "$(kept "$a")" = "$1" ]; }
# Written back already: ext4 fills what it writes out with zeros from the file's end
# on, which is its beginning while the owner waits for a page that is cut off.
file() {
	check "file" on boot sh -c "rm -f $DIR/*; printf 'the old text\n' >$DIR/f
		truncate -s 64K $DIR/f; sync $DIR/f"
}
hold() {
	on "$a" $T/pinned $DIR/f "$1$DIR/held" $DIR/drain >"/tmp/pinned.$$" 2>&1 &
	holder=$!
	await 30 on boot test -e $DIR/held || fail "nothing held: $(cat "/tmp/pinned.$$")"
}
# The owner cuts the file off and uses much memory of the region again.
cut() {
	local t0=$SECONDS

	check "truncate" on boot truncate -s 0 $DIR/f
	[ $((SECONDS - t0)) -lt 15 ] || fail "truncate took $((SECONDS - t0)) s"
	kept_is 1 || fail "$a keeps '$(kept "$a")' frames, not 1"
	check "other pages" on "${clients[-1]}" sh -c \
		"head -c 60M /dev/zero | tr '\\0' x >$DIR/other && cat $DIR/other >/dev/null"
}
drain() {
	check "drain" on boot touch $DIR/drain
	wait $holder || fail "the holder: $(cat "/tmp/pinned.$$")"
	[ "$(cat "/tmp/pinned.$$")" = "the old text" ] ||
		fail "the pipe did not give the text: $(od -c "/tmp/pinned.$$" | head -n 4)"
	await 10 kept_is 0 || fail "$a keeps $(kept "$a") frames that nobody holds"
}

dmesg_mark
check "directory" on boot sh -c "rm -rf $DIR; mkdir -m 777 $DIR"
kept_is 0 || fail "$a keeps '$(kept "$a")' frames at the beginning"
# What is closed is to be given back, not kept for a later open. A restart ends that.
spares=/sys/module/sharedpc/parameters/spare_files
check "nothing kept for later" on "$a" sh -c "echo 0 >$spares"
trap 'on "$a" sh -c "echo 1024 >$spares"' EXIT

file; hold +; cut; drain		# still mapped when it is revoked
file; hold ''				# closed: the proxy itself takes it back
await 20 kept_is 1 || fail "closed: $a keeps '$(kept "$a")' frames"
cut; drain

# A client that dies holding it.
file; hold ''
await 20 kept_is 1 || fail "closed: $a keeps '$(kept "$a")' frames"
check "restart" ctl restart "$a"
wait $holder 2>/dev/null
await 60 is_up "$a" || fail "$a does not come back"
kept_is 0 || fail "the dead $a keeps $(kept "$a") frames"
check "clean up" on boot rm -rf $DIR
rm -f "/tmp/pinned.$$"
dmesg_clean
echo "held pages are kept and come back"

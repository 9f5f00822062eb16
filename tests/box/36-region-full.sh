#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# A client that wants more of the region than there is gets an error, soon; the
# owner's kernel kills nobody for memory; other images go on with what they
# have; and everything works again when the client has let go.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
F=/srv/shared/region-full
small=/srv/shared/region-small

dmesg_mark
check "small file" on "$b" sh -c "seq 10000 >$small"
sum=$(on "$b" cksum "$small")
# A sparse file costs no disk, but each page that is looked at costs a frame.
check "file" on boot truncate -s 64G $F

t0=$SECONDS
# read() gives ENOSPC. A page of the program itself may be the one that has no
# room any more, so it may also die of SIGBUS before it can say that.
refuses "" on "$a" dd if=$F of=/dev/null bs=1M count=65536
echo "refused after $((SECONDS - t0)) s"

# What others hold stays good, and the owner is well.
[ "$(on "$b" cksum "$small")" = "$sum" ] || fail "$b reads something else"
check "owner" on boot true
is_up "$a" "$b"
on boot sh -c 'dmesg | tac | sed /box-test-mark/q' | grep -qi 'out of memory\|oom-kill' &&
	fail "the owner's OOM killer ran"

check "let go" on boot rm $F
again() { on "$a" cmp $small $small && on "$a" sh -c "seq 100000 >$small.2; cksum $small.2"; }
await 30 again || fail "$a does not get frames again"
check "clean up" on boot rm $small $small.2
dmesg_clean
echo "the region is full for who wants more, and only while it wants it"

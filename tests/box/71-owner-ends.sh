#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# owners: yes
# may log: ^lives/.*|asks for the end of image|fencing it
# timeout: 400
#
# An owner that is not the boot image ends while others use its files: they get errors, and
# it is started again only when nobody has one of its frames any more, be it for I/O. And
# such an owner takes back what a client has that is silent, or says that it has stopped while
# it stores on: when the boot image has proved that it does not any more.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/owners.sh"

T=/usr/lib/ccluster/tests
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]} c=${clients[2]}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# user IMAGE: stores to a file of the owner, through a mapping.
user() {
	timeout 120 "$BOX" exec "$1" -- $T/adder /tmp/stop "/mnt/$owner/f" \
		>"$out/user.$1" 2>&1 </dev/null &
	users+=("$!:$1")
}

dmesg_mark

# It ends while three store to a file of its.
owner=$b users=()
check "file" on "$owner" sh -c 'rm -rf /tmp/*; truncate -s 4096 /tmp/f; chmod 666 /tmp/f'
user boot; user "$a"; user "$c"
grows() { [ "$(on "$owner" od -An -t u8 -N 8 /tmp/f | tr -d ' ')" -gt 3000 ]; }
await 30 grows || fail "nobody adds: $(cat "$out"/*)"
t0=$SECONDS
check "stop" ctl stop "$owner"
[ $((SECONDS - t0)) -lt 20 ] || fail "stopping took $((SECONDS - t0)) s"
for user in "${users[@]}"; do
	! wait "${user%%:*}" || fail "${user#*:} added to a file that is gone"
	grep -q SIGBUS "$out/user.${user#*:}" ||
		fail "${user#*:}: $(cat "$out/user.${user#*:}")"
done
! on "$a" cat "/mnt/$owner/f" >/dev/null 2>&1 || fail "$a reads what is gone"
state_is "$owner" stopped || fail "$owner is $(state "$owner")"
started_again

# A pipe of a client has one of its frames.
check "file" on "$owner" sh -c 'echo "the old text" >/tmp/f; chmod 666 /tmp/f'
check "marks" on boot rm -f /srv/shared/held /srv/shared/drain
on "$a" $T/pinned "/mnt/$owner/f" /srv/shared/held /srv/shared/drain >"$out/pinned" 2>&1 &
holder=$!
await 30 on boot test -e /srv/shared/held || fail "nothing held: $(cat "$out/pinned")"
refuses "still being stopped" ctl stop "$owner"
check "drain" on boot touch /srv/shared/drain
wait $holder || fail "the holder: $(cat "$out/pinned")"
[ "$(cat "$out/pinned")" = "the old text" ] || fail "the pipe gave: $(cat "$out/pinned")"
check "stop" ctl stop "$owner"
started_again
on boot rm -f /srv/shared/held /srv/shared/drain

# A client of its is silent.
check "file" on "$owner" sh -c 'rm -rf /tmp/*; truncate -s 64K /tmp/f; chmod 666 /tmp/f'
timeout 100 "$BOX" exec "$c" -- $T/mapped await "/mnt/$owner/f" 0 1 >/dev/null 2>&1 &
holder=$!
mapped() { [ "$(on "$owner" $T/mapped read /tmp/f 8)" = 1 ]; }
await 20 mapped || fail "$c does not map the file"
starve "$c"
t0=$SECONDS
check "truncate" on "$owner" truncate -s 0 /tmp/f
t=$((SECONDS - t0))
[ $t -ge 10 ] && [ $t -lt 60 ] || fail "truncate took $t s; the time limit is 20 s"
await 10 state_is "$c" fenced || fail "$c is $(state "$c") after that"
wait $holder $starver
on boot dmesg | grep -q "image $owner asks for the end of image $c" || fail "who fenced $c?"
holds() { on "$owner" sed -n "s/.* name $1 .* granted \([0-9]*\) kept \([0-9]*\) .*/\1 \2/p" \
	/sys/kernel/debug/sharedpc/images; }
let_go() { [ "$(holds "$c")" = "0 0" ]; }
await 20 let_go || fail "$owner: the dead $c holds and keeps $(holds "$c")"
old=$owner owner=$c
started_again
owner=$old

# One says that it has stopped, and stores on.
id=$(field "$c" id)
ctl=$(on "$c" cat /sys/module/sharedpc/parameters/ctl)
LIAR='
import mmap, os, struct, sys
f = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(f, 65536)
for p in range(0, 65536, 4096):
	m[p] = 1
mem = os.open("/dev/mem", os.O_RDWR)
s = mmap.mmap(mem, 4096, offset=int(sys.argv[2]))
if struct.unpack_from("I", s)[0] != 2:
	sys.exit("no slot there")
print("ready", flush=True)
struct.pack_into("I", s, 0, 1)
while True:
	for p in range(0, 65536, 4096):
		m[p] = (m[p] + 1) & 255'
check "file" on "$owner" sh -c 'head -c 64K /dev/zero >/tmp/f; chmod 666 /tmp/f'
on "$c" python3 -c "$LIAR" "/mnt/$owner/f" $((ctl + 4096 + id * 4096)) >"$out/liar" 2>&1 </dev/null &
liar=$!
await 30 grep -q ready "$out/liar" || fail "the liar: $(cat "$out/liar")"
t0=$SECONDS
check "truncate" on "$owner" truncate -s 0 /tmp/f
t2=$((SECONDS - t0))
# Its frames are others' at once: what they write stays as it is.
check "others' pages" on "$a" sh -c "head -c 60M /dev/zero >/mnt/$owner/zero; sleep 1
	cmp -n 62914560 /mnt/$owner/zero /dev/zero; rm /mnt/$owner/zero"
wait $liar 2>/dev/null
await 20 state_is "$c" fenced || fail "the liar's image is $(state "$c")"
old=$owner owner=$c
started_again
owner=$old
for image in "${clients[@]}"; do
	on "$image" sh -c 'rm -rf /tmp/*'
done
is_up "${clients[@]}"
dmesg_clean
echo "ended, started again; a silent client was fenced after $t s, a liar after $t2 s"

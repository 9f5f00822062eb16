#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# long: LIES=0,1,3,4,5,6,7,8,4294967295,epoch
# long timeout: 600
# may log: ^lives/.*
#
# An image's slot says that it has stopped while it stores to frames of the owner: a
# wild store may do that. The owner does not take the frames for others' before the
# CPUs have had their INIT. LIES: what the state is set to; "epoch": another life.

. "$(dirname "$0")/lib.sh"

FILE=/srv/shared/liar
LIES=${LIES:-1,6,epoch}
read -ra clients < <(clients)
a=${clients[0]}
id=$(field "$a" id)
ctl=$(on "$a" cat /sys/module/sharedpc/parameters/ctl)

# Maps the file, stores to it, writes to the slot, goes on storing.
LIAR='
import mmap, os, struct, sys
slot, lie = int(sys.argv[2]), sys.argv[3]
f = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(f, 4096)
m[0] = 1
mem = os.open("/dev/mem", os.O_RDWR)
s = mmap.mmap(mem, 4096, offset=slot)
state, epoch = struct.unpack_from("II", s)
if state != 2:
	sys.exit("no slot there: state %d" % state)
print("ready", flush=True)
if lie == "epoch":
	struct.pack_into("I", s, 4, epoch + 1)
else:
	struct.pack_into("I", s, 0, int(lie))
m[1] = 1	# only memory still says so
while True:
	m[0] = (m[0] + 1) & 255'

# after CMD on the boot image: how often it has said, by then, that the image has stopped.
after() { on boot sh -c "$1; dmesg | grep -c 'ccboot: $a has stopped'"; }

dmesg_mark
for lie in ${LIES//,/ }; do
	check "file" on boot sh -c "rm -f $FILE; head -c 4096 /dev/zero >$FILE"
	before=$(after true) proxy=$(proxy_of "$a")
	on "$a" python3 -c "$LIAR" $FILE $((ctl + 4096 + id * 4096)) "$lie" \
		>/tmp/liar.$$ 2>&1 </dev/null & pid=$!
	await 20 grep -q ready /tmp/liar.$$ || fail "$lie: $(cat /tmp/liar.$$)"
	# Once it has lied the owner takes the page back, and looks at once.
	now=$(after "until [ \$(od -An -tu1 -j1 -N1 $FILE) = 1 ]; do :; done; truncate -s 0 $FILE")
	[ "$now" = $((before + 1)) ] ||
		fail "$lie: the frame is free, but $a has stopped $now times, $before before"
	wait $pid 2>/dev/null
	await 20 test "$(state "$a")" != running || fail "$lie: $a is $(state "$a")"
	all_back "$a" "$proxy"
	check "start" ctl start "$a"
	is_up "$a"
done
rm -f /tmp/liar.$$
on boot rm -f $FILE
dmesg_clean
echo "believed only when it was proved: $LIES"

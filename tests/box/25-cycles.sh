#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: CYCLES=3
# timeout: 400
# long: CYCLES=50
# long timeout: 1200
#
# CYCLES (8) times stop and start of one image while another works on shared
# files: no failure, the work never stops, nothing leaks (frames, memory, CPUs).

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

CYCLES=${CYCLES:-8}
FILE=/srv/shared/cycles

dmesg_mark
is_up "$a" "$b"
check "directory" on boot mkdir -p $FILE
on boot sh -c "rm -f $FILE/*; truncate -s 8M $FILE/data"

# The work: write, map, read back and compare, again and again.
cat >"/tmp/cycles.$$.py" <<'PY'
import mmap, os, sys, time
base = sys.argv[1]
with open(base + "/data", "r+b") as f:
	m = mmap.mmap(f.fileno(), 0)
n = 0
while not os.path.exists(base + "/stop"):
	at = (n * 4096 + n % 4000) % (len(m) - 8)
	m[at:at + 8] = n.to_bytes(8, "little")
	with open(base + "/data", "rb") as f:
		f.seek(at)
		got = int.from_bytes(f.read(8), "little")
	if got != n:
		sys.exit("round %d: read %d" % (n, got))
	with open(base + "/small.%d" % (n % 16), "w") as f:
		f.write("x" * (n % 5000))
	n += 1
	if n % 20 == 0:
		with open(base + "/progress.new", "w") as f:
			f.write(str(n))
		os.replace(base + "/progress.new", base + "/progress")
print("rounds", n)
PY
check "copy the work" "$BOX" cp "/tmp/cycles.$$.py" boot:$FILE/work.py
rm -f "/tmp/cycles.$$.py"

rounds() { on boot cat $FILE/progress 2>/dev/null || echo 0; }
begun() { [ "$(rounds)" -gt 0 ]; }
# kB, with what lies on the CPUs' own lists (some ten MB, more or less each time).
free_memory() {
	on boot sh -c 'sync; echo 3 >/proc/sys/vm/drop_caches; awk "
		/^MemFree:/ { kb += \$2 } /^ +count:/ { kb += 4 * \$2 }
		END { print kb }" /proc/meminfo /proc/zoneinfo'
}

# One cycle first, so that what is made once is there when we count.
check "first cycle" ctl restart "$b"
await 30 holds_nothing $(clients) ||
	fail "frames are held before the work: $a $(field "$a" frames), $b $(field "$b" frames)"
before=$(free_memory)
timeout 1200 "$BOX" exec "$a" -- python3 $FILE/work.py $FILE >"/tmp/cycles.$$" 2>&1 &
worker=$!
await 30 begun || fail "the work does not begin: $(cat "/tmp/cycles.$$")"

last=0
for i in $(seq 1 "$CYCLES"); do
	check "stop $i" ctl stop --timeout 20 "$b"
	check "start $i" ctl start "$b"
	kill -0 $worker 2>/dev/null || fail "cycle $i: the work ended: $(cat "/tmp/cycles.$$")"
	now=$(rounds)
	[ "$now" -gt "$last" ] || fail "cycle $i: the work stands still at $now"
	last=$now
done
on boot touch $FILE/stop
wait $worker || fail "the work failed: $(cat "/tmp/cycles.$$")"
cat "/tmp/cycles.$$"
rm -f "/tmp/cycles.$$"
is_up "$a" "$b"
await 30 holds_nothing $(clients) ||
	fail "frames are held after the work: $a $(field "$a" frames), $b $(field "$b" frames)"
for image in $(clients); do
	[ "$(kept "$image")" = 0 ] || fail "$image keeps $(kept "$image") frames"
done
after=$(free_memory)
[ "$(field "$b" starts)" -gt "$CYCLES" ] || fail "$b counts $(field "$b" starts) starts"
# Slab and per-CPU noise, and no leak that grows with the cycles: 20 MB for 50.
[ $((before - after)) -lt $((10000 + 200 * CYCLES)) ] ||
	fail "$((before - after)) kB of the boot image's memory are gone"
on boot rm -rf $FILE
dmesg_clean
echo "$CYCLES cycles: nothing failed, nothing leaked ($((before - after)) kB less free)"

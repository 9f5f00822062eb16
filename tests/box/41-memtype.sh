#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: yes
#
# The region and the control area are mapped write-back on every image: read
# from what the kernel says (the list of memory types), since emulation would
# not be slower if they were not.

. "$(dirname "$0")/lib.sh"

# types IMAGE: its list of memory types; it names what is not plain RAM.
types() { on "$1" cat /sys/kernel/debug/x86/pat_memtype_list; }
# judge LIST want|none START-END...: all of each range write-back, or (none, of
# plain RAM) no part of it another type.
judge() {
	python3 - "$@" <<'PY'
import re, sys
listed, how, *ranges = sys.argv[1:]
types = [(int(a, 16), int(b, 16), t) for a, b, t in
	 re.findall(r"0x([0-9a-f]+)-0x([0-9a-f]+)\] ([a-z-]+)", listed)]
for r in ranges:
	s, e = (int(x, 16) for x in r.split("-"))
	over = [t for a, b, t in types if a <= e and b > s]
	whole = any(a <= s and b > e and t == "write-back" for a, b, t in types)
	if any(t != "write-back" for t in over) or how == "want" and not whole:
		sys.exit("%s: %s" % (r, over))
PY
}

read -ra clients < <(clients)
[ ${#clients[@]} -ge 2 ] || fail "only ${#clients[@]} clients"
read -r start size < <(on "${clients[0]}" cat /proc/cmdline |
	sed -nE 's/.*sharedpc\.ctl=([^ ]+) sharedpc\.ctl_size=([^ ]+).*/\1 \2/p')
ctl=$(printf '%x-%x' "$start" $((start + size - 1)))
for image in "${clients[@]}"; do
	region=$(on "$image" sed -nE 's/^ *([0-9a-f]+-[0-9a-f]+) : .*sharedpc region.*/\1/p' /proc/iomem)
	[ -n "$region" ] || fail "$image: no region in /proc/iomem"
	# shellcheck disable=SC2086
	out=$(judge "$(types "$image")" want $region "$ctl" 2>&1) || fail "$image: not write-back: $out"
	echo "$image: region $(tr '\n' ' ' <<<"$region")and control area $ctl write-back"
done

# On the owner the region is RAM of a node of its own, which is write-back unless
# something says otherwise: another type in the list, or an MTRR.
region=$(on boot sed -nE 's/^ *([0-9a-f]+-[0-9a-f]+) : System RAM \(sharedpc\).*/\1/p' /proc/iomem)
[ -n "$region" ] || fail "the owner has no region in /proc/iomem"
# shellcheck disable=SC2086
out=$(judge "$(types boot)" none $region 2>&1) || fail "owner: $out"
out=$(judge "$(types boot)" want "$ctl" 2>&1) || fail "owner: not write-back: $out"
mtrr=$(on boot sed -nE 's/.*base=0x([0-9a-f]+) .*size= *([0-9]+)MB.*: (.*)/\1 \2 \3/p' /proc/mtrr 2>/dev/null)
python3 - "$mtrr" $region <<'PY' || fail "an MTRR makes the owner's region something else: $mtrr"
import sys
for line in sys.argv[1].splitlines():
	base, mb, kind = line.split(None, 2)
	lo = int(base, 16)
	hi = lo + (int(mb) << 20)
	for r in sys.argv[2:]:
		s, e = (int(x, 16) for x in r.split("-"))
		if lo <= e and hi > s and not kind.startswith("write-back"):
			sys.exit(1)
PY
echo "owner: region $(tr '\n' ' ' <<<"$region")write-back"

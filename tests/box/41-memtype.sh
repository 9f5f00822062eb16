#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The region and the control area are mapped write-back on every image: read
# from what the kernel says (the list of memory types), since emulation would
# not be slower if they were not.

. "$(dirname "$0")/lib.sh"

for image in $(clients); do
	list=$(on "$image" cat /sys/kernel/debug/x86/pat_memtype_list)
	iomem=$(on "$image" cat /proc/iomem)
	region=$(grep 'sharedpc region' <<<"$iomem") || fail "$image: no region in /proc/iomem"
	python3 - "$list" "$region" <<'PY' || fail "$image: not write-back: $region"
import re, sys
types, region = sys.argv[1:]
for start, end in re.findall(r"([0-9a-f]+)-([0-9a-f]+) : ", region):
	s, e = int(start, 16), int(end, 16)
	if not any(int(a, 16) <= s and int(b, 16) > e for a, b in
		   re.findall(r"0x([0-9a-f]+)-0x([0-9a-f]+)\] write-back", types)):
		sys.exit(1)
PY
	echo "$image: $(wc -l <<<"$region") range(s) of the region write-back"
done
# The owner's is ordinary RAM, of a node of its own.
check "the owner's region" on boot grep -q 'System RAM (sharedpc)' /proc/iomem

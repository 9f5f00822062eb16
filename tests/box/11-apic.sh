#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: yes
#
# Each kernel runs its CPUs' APICs as the machine does, and a doorbell reaches the
# CPU that it is for: the interrupt is counted there, on the owner and on each
# client, when they speak to each other.

. "$(dirname "$0")/lib.sh"

CALLS=20
want=$("$BOX" status | sed -n 's/^machine:.* apic=\([a-z0-9]*\).*/\1/p')
read -ra clients < <(clients)

# mode IMAGE: xapic or x2apic
mode() {
	on "$1" dmesg | sed -n 's/.*APIC: Switched APIC routing to: //p' | tail -n 1 |
		grep -q x2apic && echo x2apic || echo xapic
}

# rings IMAGE: how often its bell has rung, on its CPU 0.
rings() { on "$1" awk '$NF == "sharedpc" { print $2 }' /proc/interrupts; }

dmesg_mark
for image in boot "${clients[@]}"; do
	[ "$(mode "$image")" = "$want" ] || fail "$image is in mode $(mode "$image"), not $want"
done

for image in "${clients[@]}"; do
	owner=$(rings boot) client=$(rings "$image")
	check "create and remove" on "$image" sh -c "for i in \$(seq $CALLS); do
		: >/srv/shared/apic.\$i && rm /srv/shared/apic.\$i || exit; done"
	owner=$(($(rings boot) - owner)) client=$(($(rings "$image") - client))
	[ "$owner" -ge $CALLS ] || fail "the owner's bell rang $owner times for $((2 * CALLS)) calls of $image"
	[ "$client" -ge $CALLS ] || fail "the bell of $image rang $client times for $((2 * CALLS)) calls"
done
is_up "${clients[@]}"
dmesg_clean
echo "$want: every bell rings"

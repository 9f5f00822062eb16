#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# x2apic: yes
# timeout: 240
# may log: ^lives/.*Call Trace:
#
# Start and stop, and everything that can be wrong with a start: the message
# is clear, the box is as it was.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}

dmesg_mark
is_up "$b"
cpus=$(field "$b" cpus | tr -d '[] ')

cpus_back() {
	local cpu

	for cpu in ${cpus//,/ }; do
		[ "$(on boot cat "/sys/devices/system/cpu/cpu$cpu/online")" = 1 ] ||
			fail "CPU $cpu did not come back after $1"
	done
}

refuses "already running" ctl start "$b"
refuses "there is no image" ctl start nosuch
refuses "boot image" ctl start boot
refuses "boot image" ctl stop boot
refuses "which image" ctl start
is_up "$b"

check "stop" ctl stop "$b"
[ "$(state "$b")" = stopped ] || fail "after stop $b is $(state "$b")"
cpus_back "stop"
check "stop once more" ctl stop "$b"
refuses "does not run" on "$b" true

# with_plan EDIT COMMAND...: a plan with one thing wrong, put back at once.
with_plan() {
	local edit=$1

	shift
	on boot cp /var/lib/ccluster/plan /run/plan.saved
	on boot python3 -c '
import json, sys
with open("/var/lib/ccluster/plan") as f:
	plan = json.load(f)
images = {image["name"]: image for image in plan["images"]}
image = images[sys.argv[1]]
exec(sys.argv[2])
with open("/var/lib/ccluster/plan", "w") as f:
	json.dump(plan, f)' "$b" "$edit"
	("$@")
	rc=$?
	on boot cp /run/plan.saved /var/lib/ccluster/plan
	[ $rc = 0 ] || exit 1
}

with_plan 'image["kernel"] = "/no/kernel"' refuses "/no/kernel" ctl start "$b"
with_plan 'image["kernel"] = "/etc/passwd"' refuses "not a bzImage" ctl start "$b"
with_plan 'image["initrd"] = "/no/initrd"' refuses "/no/initrd" ctl start "$b"
check "large file" on boot truncate -s 1G /run/large
with_plan 'image["initrd"] = "/run/large"' refuses "too large" ctl start "$b"
on boot rm /run/large
cpus_back "a failed start"

# A CPU that another image has.
with_plan "image['cpus'] = images['$a']['cpus']" refuses "busy" ctl start "$b"
is_up "$a"

# An image that is not up in time, and one whose kernel panics: last lines are
# shown, it is stopped, its CPUs come back.
refuses "did not come up within 1 s" ctl start --timeout 1 "$b"
refuses "last lines of $b" ctl start --timeout 1 "$b"
state_is "$b" running && fail "an image that did not come up in time still runs"
cpus_back "a start that took too long"
with_plan 'image["cmdline"] = "rdinit=/no/init"' \
	refuses "panicked while it started" ctl start --timeout 40 "$b"
state_is "$b" running && fail "an image that did not come up still runs"

for i in 1 2 3; do
	check "start $i" ctl start "$b"
	is_up "$b"
	check "stop $i" ctl stop "$b"
done

# Two at once: one starts it, the other waits and finds it running.
before=$(field "$b" starts)
ctl start "$b" >"/tmp/start.$$" 2>&1 &
first=$!
second=0 out=$(ctl start "$b" 2>&1) || second=$?
wait $first
rc=$?
[ $((rc == 0)) != $((second == 0)) ] || fail "two starts: $rc: $(cat "/tmp/start.$$"), $second: $out"
cat "/tmp/start.$$" <(echo "$out") | grep -q "already running" ||
	fail "two starts said: $(cat "/tmp/start.$$"), $out"
rm -f "/tmp/start.$$"
[ "$(field "$b" starts)" = $((before + 1)) ] || fail "two starts made $(field "$b" starts) of $before"
is_up "$b"
check "stop" ctl stop "$b"

# A lent CPU cannot be taken back behind ccctl's back.
check "start" ctl start "$b"
for cpu in ${cpus//,/ }; do
	on boot sh -c "echo 1 >/sys/devices/system/cpu/cpu$cpu/online" 2>/dev/null &&
		fail "CPU $cpu came on-line while it was lent"
done
check "restart" ctl restart "$b"
with_plan 'image["kernel"] = "/no/kernel"' refuses "/no/kernel" ctl restart "$b"
is_up "$b"	# looked before it stopped
check "forced stop" ctl stop --force "$b"
check "start again" ctl start "$b"
is_up "$b"
check "up changes nothing" ctl up
dmesg_clean
echo "start, stop, restart and their errors: all right"

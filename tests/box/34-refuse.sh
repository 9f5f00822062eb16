#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# Mounts that cannot be: each ends soon with one line that says why, and leaves
# nothing behind.

. "$(dirname "$0")/lib.sh"

CONF=/etc/ccluster/partitions.conf
read -ra clients < <(clients)
a=${clients[0]} b=${clients[1]}
M=/tmp/refuse
for image in boot "$a" "$b"; do check "directory" on "$image" mkdir -p $M; done

try() { on "$1" mount -t ccfs "${@:2}"; }
nothing_mounted() {
	on "$1" grep -q " $M " /proc/mounts && fail "$1: something is mounted on $M"
	true
}

dmesg_mark
refuses "has no image 'nosuch'" try "$a" nosuch:/srv/shared $M
refuses "has no export /nosuch" try "$a" boot:/nosuch $M
refuses "has no export" try "$a" boot:/srv/shared/../.. $M
refuses "not IMAGE:/PATH" try "$a" boot $M
refuses "unknown option 'colour=red'" try "$a" boot:/srv/shared $M -o colour=red
refuses "No such file" on "$a" mount.ccfs boot:/srv/shared $M/nosuch
refuses "not a directory" on "$a" mount.ccfs boot:/srv/shared /etc/passwd
refuses "is proxyd running" try "$a" "$b":/srv/shared $M
nothing_mounted "$a"
status=0
on "$a" mount.ccfs boot:/nosuch $M 2>/dev/null || status=$?
[ $status = 32 ] || fail "the status of a failed mount is $status"

# Exports as partitions.conf says, which may change while the box runs.
restore() { on boot sh -c "[ ! -e $CONF.saved ] || mv $CONF.saved $CONF"; }
trap restore EXIT
check "conf" on boot sh -c "cp $CONF $CONF.saved; cat >>$CONF" <<EOT

export refuse-ro {
	path = "/usr"
	to   = {"$a"}
	mode = "ro"
}
EOT
refuses "does not export /usr to $b" try "$b" boot:/usr $M
refuses "read-only" try "$a" boot:/usr $M -o rw
check "ro mount" try "$a" boot:/usr $M -o ro
refuses "Read-only file system" on "$a" touch $M/x
refuses "Read-only file system" on "$a" rm $M/bin/true
check "reads" on "$a" cmp $M/bin/true /usr/bin/true
check "umount" on "$a" umount $M
check "a broken conf" on boot sh -c "echo 'nonsense' >>$CONF"
refuses "ccctl check" try "$a" boot:/srv/shared $M
restore
check "mount" try "$a" boot:/srv/shared $M
check "umount" on "$a" umount $M

# The owner's own mount is refused and granted like any other.
refuses "has no export" try boot boot:/nosuch $M
check "own mount" try boot boot:/srv/shared $M
check "own umount" on boot umount $M
# With its mount a proxy of the owner ends, and the next mount starts another.
one_proxy() { [ "$(proxies_of boot | wc -w)" = 1 ]; }
await 20 one_proxy || fail "proxies of the owner: $(proxies_of boot)"
proxy=$(proxies_of boot)
check "last own umount" on boot umount -a -t fuse.ccfs
await 20 dead "$proxy" || fail "the owner's proxy outlives its last mount"
check "mounts of the configuration" ctl up
one_proxy && [ "$(proxies_of boot)" != "$proxy" ] || fail "no new proxy for boot"

# nosuid, nodev, noexec are the kernel's, as on any mount.
check "noexec mount" try "$a" boot:/srv/shared $M -o noexec,nosuid,nodev
check "program" on "$a" sh -c "cp /bin/true $M/refuse-true"
refuses "Permission denied" on "$a" sh -c $M/refuse-true
check "clean up" on "$a" sh -c "rm $M/refuse-true; umount $M"

# An image that is not up owns nothing.
if [ ${#clients[@]} -gt 2 ]; then
	down=${clients[-1]}
	check "stop" ctl stop "$down"
	refuses "is not up" try "$a" "$down":/srv/shared $M
	check "start" ctl start "$down"
	await 60 is_up "$down" || fail "$down does not come back"
fi
for image in boot "$a" "$b"; do nothing_mounted "$image"; done

# No process of a mount that ended is left: one for each mount.
for image in "$a" "$b"; do
	# what is below the overlay of the root is not seen from there
	mounts=$(on "$image" grep -cE ' fuse.ccfs | / overlay ' /proc/mounts)
	await 10 sh -c "[ \$($BOX exec $image -- pgrep -c mount.ccfs) -le $mounts ]" ||
		fail "$image: $(on "$image" pgrep -c mount.ccfs) processes for $mounts mounts"
done
dmesg_clean
echo "all refused with a reason"

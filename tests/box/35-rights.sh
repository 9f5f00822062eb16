#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who may do what is decided by the owner's kernel for the caller on the client:
# uid, groups, umask, set-id bits that a write takes away, attributes that only
# root may set. The same on a client and on the owner's own mount.

. "$(dirname "$0")/lib.sh"

read -ra clients < <(clients)
D=rights-test

# as IMAGE GROUPS CMD...: as user 1234, group 1234, with GROUPS (a list, or -).
as() {
	local image=$1 groups=--clear-groups

	[ "$2" = - ] || groups=--groups=$2
	shift 2
	on "$image" setpriv --reuid 1234 --regid 1234 $groups "$@"
}

mode_is() {
	local got

	got=$(on "$image" stat -c %a "$2")
	[ "$got" = "$1" ] || fail "$image: $3 leaves mode $got, not $1"
}

try_all() {
	local image=$1 d=$2/$D

	check "directory" on "$image" sh -c "mkdir $d && chmod 777 $d"

	check "create" as "$image" - sh -c "umask 027; echo mine >$d/mine; mkdir $d/sub"
	[ "$(on "$image" stat -c '%u:%g:%a' $d/mine)" = 1234:1234:640 ] ||
		fail "$image: created as $(on "$image" stat -c '%u:%g:%a' $d/mine)"
	[ "$(on boot stat -c '%u:%g:%a' /srv/shared/$D/sub)" = 1234:1234:750 ] ||
		fail "the owner sees $(on boot stat -c '%u:%g:%a' /srv/shared/$D/sub)"

	check "secret" on "$image" sh -c "echo s >$d/secret; chmod 640 $d/secret; chgrp 77 $d/secret"
	refuses "Permission denied" as "$image" - cat $d/secret
	check "by group" as "$image" 77 cat $d/secret
	refuses "Permission denied" as "$image" 77 sh -c "echo x >>$d/secret"
	refuses "not permitted" as "$image" 77 chmod 666 $d/secret
	refuses "not permitted" as "$image" - chown 0 $d/mine
	check "closed" on "$image" sh -c "mkdir -m 700 $d/closed; echo x >$d/closed/x"
	refuses "Permission denied" as "$image" - cat $d/closed/x
	refuses "Permission denied" as "$image" - ls $d/closed
	refuses "Permission denied" as "$image" - touch $d/closed/y
	check "sticky" on "$image" sh -c "mkdir -m 1777 $d/sticky; echo x >$d/sticky/x"
	refuses "not permitted" as "$image" - rm -f $d/sticky/x

	check "run only" on "$image" sh -c "cp /bin/true $d/prog; chmod 711 $d/prog"
	check "runs unread" as "$image" - $d/prog
	refuses "Permission denied" as "$image" - cat $d/prog
	check "no x" on "$image" chmod 644 $d/prog
	refuses "Permission denied" as "$image" - $d/prog

	# An open descriptor keeps its right.
	check "open, then closed to all" as "$image" - sh -c \
		"exec 3>>$d/mine; chmod 0 $d/mine; echo more >&3 && chmod 640 $d/mine"

	for how in "echo x >>" "truncate -s 1" ": >"; do
		check "set-id" on "$image" sh -c \
			"echo data >$d/setid; chown 1234:1234 $d/setid; chmod 6755 $d/setid"
		check "$how" as "$image" - sh -c "$how $d/setid"
		mode_is 755 $d/setid "$how"
	done

	check "user attribute" as "$image" - setfattr -n user.a -v 1 $d/mine
	refuses "not permitted" as "$image" - \
		setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 $d/mine
	refuses "not permitted" as "$image" - setfattr -n trusted.a -v 1 $d/mine
	refuses "not permitted" as "$image" - mknod $d/disk b 8 0
	check "clean up" on "$image" rm -r $d
}

dmesg_mark
try_all "${clients[0]}" /srv/shared
try_all boot /mnt/shared
dmesg_clean
echo "the owner's kernel decides, for the caller"

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# owners.sh - what box tests of owners that end have in common. $owner is the image.

# mount_again IMAGE...: they have $owner's /tmp again, which has the file "new".
mount_again() {
	local image

	for image; do
		[ "$image" != "$owner" ] || continue
		on "$image" umount -l "/mnt/$owner"
		check "$image mounts $owner again" on "$image" \
			mount -t ccfs "$owner:/tmp" "/mnt/$owner"
		check "$image in it" on "$image" sh -c \
			"grep -qx again /mnt/$owner/new && [ ! -e /mnt/$owner/f ]"
	done
}

# $owner has ended: it is started, and all others mount what it exports.
started_again() {
	check "start" ctl start "$owner"
	await 30 is_up "$owner" || fail "$owner does not come back"
	check "a file" on "$owner" sh -c '[ ! -e /tmp/f ] && echo again >/tmp/new'
	mount_again boot "${clients[@]}"
}

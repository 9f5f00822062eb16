#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
#
# The way from a plain machine to a running box, and back, and up again with
# another configuration. A part is missing: on the machine before it is partitioned, and on the boot
# image before the others run. Every command says which part, in bounded time,
# and changes nothing; with the part back it works. The box is left with the configuration
# that it came with, but for an image that has another name.

. "$(dirname "$0")/lib.sh"

# Hides FILE of the machine while CMD... must fail and say PART.
without() {
	local file=$1 part=$2

	shift 2
	check "hide $file" on - mv "$file" "$file.hidden"
	refuses "$part" "$@"
	check "put $file back" on - mv "$file.hidden" "$file"
}
all_cpus() {
	[ "$(on - cat /sys/devices/system/cpu/online)" = 0-3 ] ||
		fail "after $*: CPUs $(on - cat /sys/devices/system/cpu/online) are on-line"
}
read -ra clients < <(clients)
kernel=$(on - uname -r)
modules=/usr/lib/modules/$kernel/extra

conf=$(mktemp)
trap 'rm -f "$conf"' EXIT
check "conf" "$BOX" cp boot:/etc/ccluster/partitions.conf "$conf"
"$BOX" down
check "boot" "$BOX" boot -B
check "conf" "$BOX" cp "$conf" -:/etc/ccluster/partitions.conf
for cmd in up "start web" "stop web" "restart web" "exec web -- true" "console web" "log web"; do
	# shellcheck disable=SC2086
	refuses "not partitioned" on - ccctl $cmd
done
on - mkdir /tmp/m
refuses "is sharedpc.ko loaded?" on - mount -t ccfs boot:/srv/shared /tmp/m
refuses "is sharedpc.ko loaded?" on - proxyd
without /usr/sbin/kexec "kexec" on - ccctl partition
without /etc/ccluster/partitions.conf "No such file" on - ccctl partition
all_cpus "errors before the partition"

check "partition" "$BOX" partition -c "$conf"
without $modules/sharedpc.ko "cannot load sharedpc.ko" ctl up
without /usr/sbin/proxyd "proxyd: No such file" ctl up
without /usr/lib/ccluster/initrd.img "initrd.img: the initrd of image ${clients[0]}: No such file" ctl up
without "$(on - readlink -f /boot/vmlinuz)" "vmlinuz: the kernel of image ${clients[0]}: No such file" ctl up
all_cpus "errors before the images"
check "up" ctl up
is_up "${clients[@]}"
check "the owner's mount" on - findmnt -t fuse.ccfs

# Down, another partitions.conf, and up again, on the same machine.
check "down" ctl down
all_cpus "down"

# A kexec that fails changes nothing: the old plan counts.
plan() { on - cat /var/lib/ccluster/plan /var/lib/ccluster/topology | md5sum; }
old=$(plan)
check "a kexec that fails" on - sh -c 'mv /usr/sbin/kexec /usr/sbin/kexec.hidden
	printf "#!/bin/sh\necho no kexec today >&2; exit 1\n" >/usr/sbin/kexec; chmod 755 /usr/sbin/kexec'
refuses "no kexec today" on - ccctl partition
check "kexec is back" on - mv /usr/sbin/kexec.hidden /usr/sbin/kexec
[ "$(plan)" = "$old" ] || fail "a partition that failed left another plan"
on boot grep -q "sharedpc" /proc/modules /proc/iomem && fail "sharedpc is still there after down"
last=${clients[-1]}
sed -i "s/^image $last /image other /" "$conf"
check "partition again" "$BOX" partition -c "$conf"
check "up again" ctl up
read -ra clients < <(clients)
[ "${clients[-1]}" = other ] || fail "the images are ${clients[*]}"
is_up "${clients[@]}"
echo "every missing part was named"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Is a file a partitions.conf for the machine? Said before it is booted.
#
#   box/conf.sh CPUS MEMORY-MIB NODES FILE
#
# This is ccctl check in the tree that root.img is made of, for the CPUs, memory
# and PCI functions that QEMU's q35 gives such a machine. Changes nothing.

. "$(dirname "$0")/common.sh"

MIB=1048576

range() { printf '%s"%#x-%#x"' "${3-, }" "$1" "$2"; }

# ram FROM TO LOW: physical ranges of MiB FROM to TO of the machine's memory, of
# which LOW MiB are below 4 GiB. Firmware keeps some at the top of these, and
# what a PC has below 1 MiB.
ram() {
	local from=$1 to=$2 low=$3 sep=' '

	if [ "$from" = 0 ]; then
		range 0 $((0x9fbff)) "$sep"
		sep=', ' from=1
	fi
	if [ "$from" -lt "$low" ]; then
		if [ "$to" -lt "$low" ]; then
			range $((from * MIB)) $((to * MIB - 1)) "$sep"
		else
			range $((from * MIB)) $(((low * 4 - 1) * MIB / 4 - 1)) "$sep"
		fi
		sep=', ' from=$low
	fi
	[ "$to" -le "$low" ] ||
		range $(((4096 + from - low) * MIB)) $(((4096 + to - low) * MIB - 1)) "$sep"
}

topology() {
	local cpus=$1 memory=$2 nodes=$3 low=$2 n

	[ "$memory" -lt 2816 ] || low=2048
	echo 'block_size = "128M"'
	echo 'devices = { "0000:00:00.0 060000", "0000:00:01.0 010802",
		"0000:00:02.0 010000", "0000:00:03.0 00ff00", "0000:00:04.0 078000",
		"0000:00:1f.0 060100", "0000:00:1f.2 010601", "0000:00:1f.3 0c0500" }'
	for ((n = 0; n < nodes; n++)); do
		printf 'node %d {\n\tcpus = {"%s"}\n\tram = {%s }\n}\n' $n \
			"$(seq -s '", "' $((n * cpus / nodes)) $(((n + 1) * cpus / nodes - 1)))" \
			"$(ram $((n * memory / nodes)) $(((n + 1) * memory / nodes)) "$low")"
	done
}

# Inside a mount namespace of its own.
check() {
	local tree=$BOXDIR/tree file=${4//[\\&|]/\\&}

	mount --make-rprivate /
	mount --bind "$BOXDIR/data" "$tree/srv/shared"
	mount -t tmpfs tmpfs "$tree/run"
	topology "$1" "$2" "$3" >"$tree/run/topology"
	cat -- "$4" >"$tree/run/conf"
	chroot "$tree" ccctl check -c /run/conf --topology /run/topology 2>&1 |
		sed "s|/run/conf|$file|g; s|/run/topology|the machine|g" >&2
}

need_root "$@"
case ${1-} in
-h|--help|'') usage ;;
.inside) shift; check "$@" ;;
*)	exec unshare -m -- "$0" .inside "$@" ;;
esac

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

# range NODE FIRST LAST: a line for each
range() { echo "{\"node\": $1, \"start\": $(($2)), \"size\": $(($3 - $2 + 1))}"; }

# ram NODE FROM TO LOW: physical ranges of MiB FROM to TO of the machine's memory, of
# which LOW MiB are below 4 GiB. Firmware keeps some at the top of these, and
# what a PC has below 1 MiB.
ram() {
	local node=$1 from=$2 to=$3 low=$4

	if [ "$from" = 0 ]; then
		range "$node" 0 0x9fbff
		from=1
	fi
	if [ "$from" -lt "$low" ]; then
		if [ "$to" -lt "$low" ]; then
			range "$node" $((from * MIB)) $((to * MIB - 1))
		else
			range "$node" $((from * MIB)) $(((low * 4 - 1) * MIB / 4 - 1))
		fi
		from=$low
	fi
	[ "$to" -le "$low" ] ||
		range "$node" $(((4096 + from - low) * MIB)) $(((4096 + to - low) * MIB - 1))
}

# devices ADDRESS CLASS...
devices() { printf '{"address": "0000:00:%s", "class": "%s"}\n' "$@"; }

# list NAME: of the lines that come in
list() { echo "\"$1\": [$(paste -sd,)]"; }

# topology CPUS MEMORY-MIB NODES, as ccctl(1) has it
topology() {
	local cpus=$1 memory=$2 nodes=$3 low=$2 n

	[ "$memory" -lt 2816 ] || low=2048
	{
		devices 00.0 060000 01.0 010802 02.0 010000 03.0 00ff00 04.0 078000 \
			1f.0 060100 1f.2 010601 1f.3 0c0500 | list devices
		for ((n = 0; n < nodes; n++)); do
			seq -f "{\"node\": $n, \"cpu\": %g}" $((n * cpus / nodes)) \
				$(((n + 1) * cpus / nodes - 1))
		done | list cpus
		for ((n = 0; n < nodes; n++)); do
			ram $n $((n * memory / nodes)) $(((n + 1) * memory / nodes)) "$low"
		done | list ram
	} | paste -sd, | sed 's/.*/{&}/'
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

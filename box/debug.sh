#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check KERNEL=debug: the box tests, with all images on a kernel that looks at itself.
#
#   box/debug.sh [--kernel] [NAME...]    tests as in tests/run --box
#
# The kernel is compiled from Debian's linux-source-6.12 in a Debian tree of its own
# (box/kernel-debug has its options; KASAN=yes adds KASAN to them), into build/kernel; that
# takes a quarter of an hour on two CPUs, once. Then this source tree is copied to
# build/debug, with Debian trees in which that kernel takes the place of Debian's, and is
# built and tested there. --kernel: no more than the kernel and those trees.

. "$(dirname "$(readlink -f "$0")")/common.sh"

KERNEL=$BUILD/kernel
COPY=$BUILD/debug

compile() {
	"$TOP/box/root.sh" make kernel
	cp "$ROOTS/run/boot/config-$("$TOP/box/root.sh" kver run)" "$BUILD/kernel.config"
	"$TOP/box/root.sh" enter kernel env ${KASAN+KASAN=$KASAN} ${JOBS+JOBS=$JOBS} \
		box/kernel-debug /src/build/kernel.config /src/build/kernel
}

# What the kernel is made of: when it changes it is made again.
recipe() {
	cat "$ROOTS"/{run,build}.stamp "$TOP/box/kernel-debug" "$TOP/box/kernel.pkgs"
	echo "${KASAN-}"
}

ensure_kernel() {
	[ -d "$KERNEL/out" ] && [ "$(cat "$KERNEL/stamp" 2>/dev/null)" = "$(recipe)" ] && return
	rm -f "$KERNEL/stamp"
	step "debug kernel" compile
	recipe >"$KERNEL/stamp"
}

# Trees of hard links, in which nothing is written but to new files.
copy_trees() {
	local roots=$COPY/build/roots kver

	kver=$(basename "$KERNEL"/out/boot/vmlinuz-*)
	kver=${kver#vmlinuz-}
	rm -rf --one-file-system "$roots"
	mkdir -p "$roots"
	cp -al "$ROOTS"/{build,run} "$roots/"
	cp "$ROOTS"/{build,run}.stamp "$roots/"
	rm -rf "$roots"/run/boot/* "$roots"/run/usr/lib/modules/* \
		"$roots"/build/usr/src/linux-headers-* "$roots"/build/usr/lib/modules/*
	cp "$KERNEL"/out/boot/* "$roots/run/boot/"
	cp -a "$KERNEL/out/modules/lib/modules/$kver" "$roots/run/usr/lib/modules/"
	depmod -b "$roots/run/usr" "$kver" 2>/dev/null || depmod -b "$roots/run" "$kver"
	cp -a "$KERNEL/out/headers/linux-headers-$kver" "$roots/build/usr/src/"
	mkdir "$roots/build/usr/lib/modules/$kver"
	ln -s "/usr/src/linux-headers-$kver" "$roots/build/usr/lib/modules/$kver/build"
}

copy_sources() {
	mkdir -p "$COPY"
	find "$COPY" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf --one-file-system {} +
	tar -C "$TOP" --exclude=./build --exclude=./.git -cf - . | tar -C "$COPY" -xf -
}

need_root "$@"
need_tools depmod:kmod
only=no
[ "${1-}" != --kernel ] || { only=yes; shift; }
"$TOP/box/root.sh" make build
"$TOP/box/root.sh" make run
[ ${#COPY} -le 85 ] || die "the path of this tree is $((${#COPY} - 85)) bytes too long for QEMU's sockets in build/debug: $TOP"
ensure_kernel
copy_sources
[ "$(cat "$COPY/build/kernel.stamp" 2>/dev/null)" = "$(recipe)" ] || {
	step "Debian trees with the debug kernel" copy_trees
	recipe >"$COPY/build/kernel.stamp"
}
[ $only = no ] || exit 0
cd "$COPY"
# With KASAN an image may take longer than a minute to come up, and all else, too.
export BOX_UP_TIMEOUT=${BOX_UP_TIMEOUT-240} SLOW=${SLOW-5}
exec tests/run --box "$@"

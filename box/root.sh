#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The two Debian 13 trees under build/roots/, made by mmdebstrap:
#
#   build   compiler, kernel headers, libraries, QEMU; all of this project is
#           compiled in it, with the source tree on /src
#   run     kernel and tools; becomes the disk of the box
#
#   box/root.sh make build|run        make the tree unless it is up to date
#   box/root.sh enter [--user] build CMD [ARG...]
#                                     run CMD in it, in a mount namespace of
#                                     its own, so nothing stays mounted
#   box/root.sh enter --same-paths build CMD [ARG...]
#                                     with the source tree where it is here, too
#   box/root.sh kver build|run        the kernel version the tree is for
#   box/root.sh remove PATH...        remove build/PATH; ".": all of build/
#
# A tree is made again when its package list or what is left out of it changes
# (the stamp beside it holds a hash of both), when it is not root's (a copy that
# somebody else made), and when the two trees have different kernel versions:
# then the older one is made again.

. "$(dirname "$0")/common.sh"

SUITE=trixie
RECIPE=1	# to be counted up when the way a tree is made changes
PUBLIC=http://deb.debian.org/debian
MIRROR=$PUBLIC
SECURITY=$PUBLIC-security

# The host's Debian mirrors: all addresses in sources.list and deb822 files.
host_mirrors() {
	local f

	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$f" ] && sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p' "$f"
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -r "$f" ] && sed -nE 's/^URIs: *([^ ]+).*/\1/p' "$f"
	done
	true
}

pick_mirrors() {
	local uri

	for uri in $(host_mirrors | tac); do
		case ${uri%/} in
		http*/debian) MIRROR=${uri%/} ;;
		http*/debian-security) SECURITY=${uri%/} ;;
		esac
	done
}

# Settings of the host's apt that reaching the mirror may depend on.
host_aptopts() {
	apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date|Retries) ' || true
}

packages() { sed -e 's/#.*//' -e '/^ *$/d' "$TOP/box/$1.pkgs" | paste -sd,; }
fingerprint() {
	{ echo "$SUITE $RECIPE"; packages "$1"; excludes; } | sha256sum | cut -d' ' -f1
}

# Documentation, translations and, of the graphics stack that stress-ng links
# with, the drivers and the compiler behind them (they are loaded on demand).
excludes() {
	local p

	for p in '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' \
		'/usr/share/info/*' '/usr/share/lintian/*' '/usr/share/bug/*' \
		'/usr/share/icons/*' '/usr/share/i18n/*' \
		'/usr/lib/x86_64-linux-gnu/libLLVM*' \
		'/usr/lib/x86_64-linux-gnu/libgallium*' \
		'/usr/lib/x86_64-linux-gnu/libz3*' \
		'/usr/lib/x86_64-linux-gnu/dri/*' \
		'/usr/lib/x86_64-linux-gnu/libgbm/*' \
		'/usr/lib/llvm*'; do
		printf '%s\n' "--dpkgopt=path-exclude=$p"
	done
}

# bootstrap NAME DIR SUITES: one mmdebstrap run.
bootstrap() {
	local name=$1 dir=$2 opt args=(--mode=root --variant=essential --format=directory)

	while read -r opt; do
		args+=("--aptopt=$opt")
	done < <(host_aptopts)
	mapfile -t -O ${#args[@]} args < <(excludes)
	args+=(--aptopt='APT::Install-Recommends "false"'
		--include="$(packages "$name")")
	mmdebstrap "${args[@]}" "$SUITE" "$dir" - >"$ROOTS/$name.log" 2>&1
}

sources() {
	echo "deb $MIRROR $SUITE main"
	[ "$1" = all ] || return 0
	echo "deb $MIRROR $SUITE-updates main"
	echo "deb $SECURITY $SUITE-security main"
}

# try_mirror NAME DIR: with the suite's updates, or else without.
try_mirror() {
	local name=$1 new=$2

	rm -rf --one-file-system "$new"
	sources all | bootstrap "$name" "$new" && return
	say "root $name: the updates of $SUITE cannot be read, using $SUITE alone"
	rm -rf --one-file-system "$new"
	sources main | bootstrap "$name" "$new" && return
	tail -n 20 "$ROOTS/$name.log" >&2
	return 1
}

make_tree() {
	local name=$1 dir=$ROOTS/$1 new=$ROOTS/$1.new

	need_tools mmdebstrap mount unshare:util-linux flock:util-linux
	pick_mirrors
	try_mirror "$name" "$new" || {
		[ "$MIRROR" != $PUBLIC ] || return 1
		say "root $name: this machine's mirror does not do, trying Debian's public one"
		MIRROR=$PUBLIC SECURITY=$PUBLIC-security
		try_mirror "$name" "$new"
	} || return 1
	rm -f "$dir.stamp"
	rm -rf --one-file-system "$dir"
	rm -f "$new"/boot/initrd.img* "$new"/var/log/*.log "$new"/var/log/apt/*
	mkdir -p "$new/src"
	mv "$new" "$dir"
	fingerprint "$name" >"$dir.stamp"
}

up_to_date() {
	[ "$(stat -c %u "$ROOTS/$1" 2>/dev/null)" = 0 ] &&
		[ "$(cat "$ROOTS/$1.stamp" 2>/dev/null)" = "$(fingerprint "$1")" ]
}

# Two makes at once must not both make the tree: hence the lock.
ensure_tree() {
	up_to_date "$1" && return
	mkdir -p "$ROOTS"
	(
		flock -n 9 || {
			say "root $1: another one makes it, waiting"
			flock 9
		}
		up_to_date "$1" ||
			step "Debian $SUITE tree '$1' (mmdebstrap)" make_tree "$1"
	) 9>"$ROOTS/$1.lock"
}

kver() {
	local dir

	case $1 in
	build) dir=$ROOTS/build/usr/src/linux-headers-*-cloud-amd64 ;;
	run) dir=$ROOTS/run/boot/vmlinuz-* ;;
	esac
	# shellcheck disable=SC2086
	set -- $dir
	[ -e "$1" ] || return 0
	basename "$1" | sed -E 's/^(linux-headers|vmlinuz)-//'
}

# The tree that was just made is the newer one, unless both are old.
match_kernels() {
	local b r old

	b=$(kver build) r=$(kver run)
	[ -n "$b" ] && [ -n "$r" ] && [ "$b" != "$r" ] || return 0
	old=$(printf '%s\n' "$b" "$r" | sort -V | head -n 1)
	say "kernel $r in the run tree, headers for $b in the build tree"
	if [ "$old" = "$b" ]; then old=build; else old=run; fi
	rm -f "$ROOTS/$old.stamp"
	ensure_tree "$old"
	[ "$(kver build)" = "$(kver run)" ] ||
		die "the mirror has different versions of kernel and headers"
}

# Inside the new namespace: mounts, then the command in the tree.
enter_tree() {
	local user=() here=''

	case $1 in
	--user)
		user=("--userspec=$(stat -c %u:%g "$TOP")")
		chown "$(stat -c %u:%g "$TOP")" "$BUILD"
		shift ;;
	--same-paths)
		here=$TOP
		shift ;;
	esac
	local dir=$ROOTS/$1

	shift
	mount --make-rprivate /
	mount --bind "$TOP" "$dir/src"
	mount -t proc proc "$dir/proc"
	mount --rbind /dev "$dir/dev"
	mount --rbind /sys "$dir/sys"
	mount -t tmpfs tmpfs "$dir/tmp"
	chmod 1777 "$dir/tmp"
	if [ -n "$here" ]; then
		mkdir -p "$dir$here"
		mount --bind "$here" "$dir$here"
	fi
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C.UTF-8 \
		MAKEFLAGS="${MAKEFLAGS-}" ${BOX_OWNER+"BOX_OWNER=$BOX_OWNER"} \
		chroot "${user[@]}" "$dir" /bin/sh -c 'cd /src && exec "$@"' sh "$@"
}

remove() {
	local path

	for path; do
		path=${BUILD:?}/$path
		rm -rf --one-file-system "${path%/.}"
	done
}

main() {
	local cmd=${1-}

	case $cmd in
	-h|--help|'')
		usage
		return ;;
	kver)	kver "$2"; return ;;
	esac
	need_root "$@"
	shift
	case $cmd in
	make)	ensure_tree "$1"; match_kernels ;;
	enter)	need_tools mount
		exec unshare -m -- "$0" .entered "$@" ;;
	remove)	remove "$@" ;;
	.entered) enter_tree "$@" ;;
	*)	die "unknown command '$cmd', see --help" ;;
	esac
}

main "$@"

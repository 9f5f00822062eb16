#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The disks of the box, under build/box/: root.img (the run tree with this
# project installed in it) and data.img (what the boot image exports, on
# /srv/shared). Both are sparse raw files holding ext4, made by `mke2fs -d`
# from trees, and made again only when what goes into them has changed.
#
#   box/image.sh           make what is missing or old
#   box/image.sh fresh     a copy of data.img into build/box/run, for one start
#
# root.img is never written to: QEMU keeps what the machine writes in an
# overlay that ends with it. data.img's copy is written, so it can be looked at
# after the box has ended.

. "$(dirname "$0")/common.sh"

ROOT_SIZE=1200M
DATA_SIZE=1G

# One line per input: cheap to compare, complete enough to trust.
inputs() {
	cat "$ROOTS/run.stamp" "$ROOTS/build.stamp"
	stat -c '%n %s %Y' "$BUILD"/bin/* "$BUILD"/tests/* "$BUILD"/kmod/*/*.ko "$BUILD/initrd.img" \
		"$TOP/partitions.conf" "$TOP/build.mk" "$TOP/box/image.sh" 2>/dev/null || true
}

# A tree of hard links to the run tree, so that it costs nothing; `install`
# replaces files and never writes through a link.
root_tree() {
	local tree=$BOXDIR/tree

	rm -rf --one-file-system "$tree"
	cp -al "$ROOTS/run" "$tree"
	make --no-print-directory -s -C "$TOP" -f build.mk install \
		DESTDIR="$tree" KVER="$(box_kver)"
	[ ! -f "$TOP/partitions.conf" ] ||
		install -D -m 644 "$TOP/partitions.conf" "$tree/etc/ccluster/partitions.conf"
	mkdir -p "$tree/srv/shared" "$tree/root" "$tree/mnt"
	ln -sf /proc/mounts "$tree/etc/mtab"
	ln -sfn "vmlinuz-$(box_kver)" "$tree/boot/vmlinuz"
	rm -f "$tree/etc/hostname" "$tree/etc/resolv.conf"
	echo boot >"$tree/etc/hostname"
	install -m 755 "$BUILD/bin/box-init" "$tree/usr/sbin/box-init"
}

make_root() {
	local img=$BOXDIR/root.img

	root_tree
	truncate -s 0 "$img.tmp"
	truncate -s "$ROOT_SIZE" "$img.tmp"
	mke2fs -q -F -t ext4 -L ccroot -O ^metadata_csum_seed,^orphan_file \
		-E lazy_itable_init=0,lazy_journal_init=0 -d "$BOXDIR/tree" "$img.tmp"
	mv "$img.tmp" "$img"
}

# What the boot image exports: a word list, and a database made from it.
make_data() {
	local img=$BOXDIR/data.img tree=$BOXDIR/data

	rm -rf "$tree"
	mkdir -p "$tree"
	chmod 1777 "$tree"
	cp "$ROOTS/run/usr/share/dict/american-english-insane" "$tree/words"
	awk '{ print $0; print "line " NR " of the list" }' "$tree/words" >"$tree/words.txt"
	mkdir -p "$ROOTS/run/src"
	{ mdb_header; sed 's/\\/\\\\/g; s/^/ /' "$tree/words.txt"; echo DATA=END; } |
		chroot "$ROOTS/run" mdb_load -n /tmp/words.mdb
	mv "$ROOTS/run/tmp/words.mdb" "$tree/"
	rm -f "$ROOTS/run/tmp/words.mdb-lock" "$tree/words.txt"
	truncate -s 0 "$img.tmp"
	truncate -s "$DATA_SIZE" "$img.tmp"
	mke2fs -q -F -t ext4 -N 163840 -L ccdata -O ^metadata_csum_seed,^orphan_file \
		-E lazy_itable_init=0,lazy_journal_init=0 -d "$tree" "$img.tmp"
	mv "$img.tmp" "$img"
}

mdb_header() {
	printf '%s\n' VERSION=3 format=print type=btree mapsize=134217728 \
		maxreaders=126 HEADER=END
}

box_kver() { "$TOP/box/root.sh" kver run; }

# changed NAME CONTENTS: true unless the stamp of NAME has these contents.
changed() { [ ! -f "$BOXDIR/$1" ] || [ "$(cat "$BOXDIR/$1.stamp" 2>/dev/null)" != "$2" ]; }

make_images() {
	local now

	need_tools mke2fs:e2fsprogs depmod:kmod
	mkdir -p "$BOXDIR"
	now=$(cat "$ROOTS/run.stamp"; sed -n '/^make_data/,/^}/p;/^DATA_SIZE/p' "$TOP/box/image.sh")
	if changed data.img "$now"; then
		step "data disk" make_data
		echo "$now" >"$BOXDIR/data.img.stamp"
	fi
	now=$(inputs)
	if changed root.img "$now" || [ ! -d "$BOXDIR/tree" ]; then
		step "root disk" make_root
		echo "$now" >"$BOXDIR/root.img.stamp"
	fi
}

fresh() {
	mkdir -p "$RUNDIR"
	cp --sparse=always --reflink=auto "$BOXDIR/data.img" "$RUNDIR/data.img"
}

need_root "$@"
case ${1-} in
'')	make_images ;;
fresh)	fresh ;;
*)	usage; [ "$1" = --help ] ;;
esac

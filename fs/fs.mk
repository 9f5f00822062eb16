# SPDX-License-Identifier: GPL-2.0-only
# mount.ccfs: static, since it also makes an image's first mount.

STATIC_PROGS += mount.ccfs
mount.ccfs-objs := fs/mount.o fs/options.o fs/serve.o fs/owner.o fs/conn.o \
	fs/log.o fs/inode.o fs/ops.o fs/attr.o fs/names.o fs/dir.o fs/data.o \
	fs/xattr.o lib/msg.o
mount.ccfs-libs := -lfuse3 -lpthread
INITRD += /sbin/mount.ccfs=build/bin/mount.ccfs
INSTALL += /usr/share/man/man8/mount.ccfs.8=docs/man/mount.ccfs.8

# SPDX-License-Identifier: GPL-2.0-only
# mount.ccfs: static, since it also makes an image's first mount.

STATIC_PROGS += mount.ccfs
CCFS_CONN := fs/conn.o fs/link.o fs/watch.o fs/log.o fs/owner.o lib/msg.o lib/stream.o
CCFS_OPS := $(CCFS_CONN) fs/forget.o fs/slow.o fs/inode.o fs/ops.o fs/attr.o fs/names.o \
	fs/dir.o fs/listing.o fs/attach.o fs/hear.o fs/data.o fs/xattr.o fs/ioctl.o
mount.ccfs-objs := fs/mount.o fs/fsmount.o fs/options.o fs/serve.o $(CCFS_OPS)
mount.ccfs-libs := -lfuse3 -lpthread
INITRD += /sbin/mount.ccfs=build/bin/mount.ccfs
INSTALL += /usr/share/man/man8/mount.ccfs.8=docs/man/mount.ccfs.8

# The same with an older libfuse, and with a libfuse that finds no passthrough
# in the kernel, as tests/host/prog/ has it: for tests/host/51-libfuse.sh.
MOUNT_OLD := $(O)/tests/mount.ccfs-old
MOUNT_BARE := $(O)/tests/mount.ccfs-bare
$(MOUNT_OLD): LIBFUSE_WRAP := -Wl,--wrap=fuse_version -Wl,--wrap=fuse_pkgversion
$(MOUNT_BARE): LIBFUSE_WRAP := -Wl,--wrap=fuse_set_feature_flag
all: $(MOUNT_OLD) $(MOUNT_BARE)
$(O)/tests/mount.ccfs-%: $(O)/obj/tests/host/prog/libfuse-%.o \
		$(addprefix $(O)/obj/,$(mount.ccfs-objs))
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) -static $(LIBFUSE_WRAP) -pthread -o $@.tmp $^ $(mount.ccfs-libs) && \
		mv $@.tmp $@
.PRECIOUS: $(O)/obj/tests/host/prog/%.o

# For tests/host/50-mount.sh.
all: $(O)/tests/willneed
$(O)/tests/willneed: $(O)/obj/tests/host/prog/willneed.o
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) -o $@.tmp $< && mv $@.tmp $@

UNIT_TESTS += test-mount-options test-ccfs-conn test-ccfs-inode
test-mount-options-objs := tests/unit/test-mount-options.o fs/options.o
test-mount-options-libs := -lcmocka
test-ccfs-conn-objs := tests/unit/test-ccfs-conn.o fs/slow.o $(CCFS_CONN)
test-ccfs-conn-libs := -lcmocka
# ASK is answered by the test.
UNIT_TESTS += test-ccfs-link
test-ccfs-link-objs := tests/unit/test-ccfs-link.o $(CCFS_CONN)
test-ccfs-link-libs := -lcmocka -Wl,--wrap=ioctl
test-ccfs-inode-objs := tests/unit/test-ccfs-inode.o fs/inode.o
test-ccfs-inode-libs := -lcmocka

# What libfuse would say of a request's caller, the test says instead.
UNIT_TESTS += test-ccfs-ops
test-ccfs-ops-objs := tests/unit/test-ccfs-ops.o $(CCFS_OPS)
test-ccfs-ops-libs := -lfuse3 -lcmocka -Wl,--wrap=fuse_req_getgroups \
	-Wl,--wrap=fuse_req_ctx -Wl,--wrap=fuse_req_userdata \
	-Wl,--wrap=fuse_reply_err -Wl,--wrap=fuse_reply_write \
	-Wl,--wrap=fuse_reply_entry -Wl,--wrap=fuse_reply_attr \
	-Wl,--wrap=fuse_reply_create -Wl,--wrap=fuse_reply_open \
	-Wl,--wrap=fuse_passthrough_open -Wl,--wrap=fuse_passthrough_close \
	-Wl,--wrap=ioctl

UNIT_TESTS += test-ccfs-listing
test-ccfs-listing-objs := tests/unit/test-ccfs-listing.o $(CCFS_OPS)
test-ccfs-listing-libs := -lfuse3 -lcmocka -Wl,--wrap=fuse_req_ctx \
	-Wl,--wrap=fuse_req_userdata -Wl,--wrap=fuse_reply_err \
	-Wl,--wrap=fuse_reply_buf -Wl,--wrap=ioctl

UNIT_TESTS += test-ccfs-attach
test-ccfs-attach-objs := tests/unit/test-ccfs-attach.o $(CCFS_OPS)
test-ccfs-attach-libs := -lfuse3 -lcmocka -Wl,--wrap=open64 -Wl,--wrap=ioctl \
	-Wl,--wrap=fuse_req_userdata -Wl,--wrap=fuse_reply_err \
	-Wl,--wrap=fuse_reply_open

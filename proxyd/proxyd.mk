# SPDX-License-Identifier: GPL-2.0-only
# proxyd/proxyd.mk - the owner's daemon.

PROXY_OBJS := proxyd/process.o proxyd/pass.o proxyd/life/life.o proxyd/names/conn.o proxyd/names/hello.o proxyd/life/work.o proxyd/export/export.o
PROXY_OBJS += proxyd/names/asked.o proxyd/names/ops.o proxyd/names/ops-name.o proxyd/names/ops-attr.o
PROXY_OBJS += proxyd/names/ops-handle.o proxyd/names/ops-lock.o proxyd/names/ops-watch.o proxyd/names/ops-xattr.o proxyd/names/ops-ioctl.o proxyd/names/ops-open.o proxyd/names/ops-data.o
PROXY_OBJS += proxyd/names/node.o proxyd/names/dir.o proxyd/names/words.o proxyd/data/file.o proxyd/data/window.o
PROXY_OBJS += proxyd/data/call.o proxyd/data/callers.o proxyd/data/fault.o proxyd/data/touch.o proxyd/life/later.o
PROXY_OBJS += proxyd/export/cred.o proxyd/export/procfd.o proxyd/export/idmap.o proxyd/life/log.o
PROXY_OBJS += lib/msg.o $(filter-out boot/conf/conf-machine.o,$(CONF_OBJS))

# Static: an image that is an owner runs it from its initramfs.
STATIC_PROGS += proxyd
INITRD += /sbin/proxyd=build/bin/proxyd
proxyd-objs := proxyd/proxyd.o proxyd/limits.o proxyd/listener.o proxyd/children.o \
	lib/stream.o $(PROXY_OBJS)
proxyd-libs := -ljansson -lnuma
INSTALL += /usr/share/man/man8/proxyd.8=docs/man/proxyd.8

UNIT_TESTS += test-proto
test-proto-objs := tests/unit/test-proto.o lib/msg.o
test-proto-libs := -lcmocka

UNIT_TESTS += test-proxy
test-proxy-objs := tests/unit/test-proxy.o $(PROXY_OBJS)
test-proxy-libs := -ljansson -lnuma -lcmocka

UNIT_TESTS += test-mounts
test-mounts-objs := tests/unit/test-mounts.o $(PROXY_OBJS)
test-mounts-libs := -ljansson -lnuma -lcmocka

UNIT_TESTS += test-node
test-node-objs := tests/unit/test-node.o proxyd/names/node.o proxyd/life/later.o \
	proxyd/limits.o proxyd/export/cred.o proxyd/life/log.o
test-node-libs := -lcmocka

# What sharedpc.ko and the disk would say, the test says instead.
UNIT_TESTS += test-file
test-file-objs := tests/unit/test-file.o $(PROXY_OBJS)
test-file-libs := -ljansson -lnuma -lcmocka -Wl,--wrap=ioctl \
	-Wl,--wrap=mmap64 -Wl,--wrap=fsync

UNIT_TESTS += test-asked
test-asked-objs := tests/unit/test-asked.o $(PROXY_OBJS)
test-asked-libs := -ljansson -lnuma -lcmocka -Wl,--wrap=ioctl

UNIT_TESTS += test-words
test-words-objs := tests/unit/test-words.o $(PROXY_OBJS)
test-words-libs := -ljansson -lnuma -lcmocka -Wl,--wrap=ioctl -Wl,--wrap=open64

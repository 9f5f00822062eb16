# SPDX-License-Identifier: GPL-2.0-only
# proxyd/proxyd.mk - the owner's daemon.

PROXY_OBJS := proxyd/proxy.o proxyd/conn.o proxyd/work.o proxyd/export.o
PROXY_OBJS += proxyd/ops.o proxyd/ops-name.o proxyd/ops-attr.o
PROXY_OBJS += proxyd/ops-xattr.o proxyd/ops-open.o proxyd/ops-data.o
PROXY_OBJS += proxyd/node.o proxyd/dir.o proxyd/file.o proxyd/window.o
PROXY_OBJS += proxyd/call.o proxyd/fault.o proxyd/later.o
PROXY_OBJS += proxyd/cred.o proxyd/procfd.o proxyd/log.o
PROXY_OBJS += lib/msg.o $(filter-out boot/conf-machine.o,$(CONF_OBJS))

PROGS += proxyd
proxyd-objs := proxyd/proxyd.o proxyd/limits.o proxyd/listener.o \
	lib/stream.o $(PROXY_OBJS)
proxyd-libs := -lconfuse -lnuma
INSTALL += /usr/share/man/man8/proxyd.8=docs/man/proxyd.8

UNIT_TESTS += test-proto
test-proto-objs := tests/unit/test-proto.o lib/msg.o
test-proto-libs := -lcmocka

UNIT_TESTS += test-proxy
test-proxy-objs := tests/unit/test-proxy.o $(PROXY_OBJS)
test-proxy-libs := -lconfuse -lnuma -lcmocka

UNIT_TESTS += test-mounts
test-mounts-objs := tests/unit/test-mounts.o $(PROXY_OBJS)
test-mounts-libs := -lconfuse -lnuma -lcmocka

UNIT_TESTS += test-node
test-node-objs := tests/unit/test-node.o proxyd/node.o proxyd/later.o \
	proxyd/limits.o proxyd/cred.o proxyd/log.o
test-node-libs := -lcmocka

# What sharedpc.ko and the disk would say, the test says instead.
UNIT_TESTS += test-file
test-file-objs := tests/unit/test-file.o $(PROXY_OBJS)
test-file-libs := -lconfuse -lnuma -lcmocka -Wl,--wrap=ioctl \
	-Wl,--wrap=mmap64 -Wl,--wrap=fsync

# SPDX-License-Identifier: GPL-2.0-only
# Unit tests are added by the fragment of the directory that they test.

# Files of sharedpc.ko, the kernel's own source; tests/unit/kernel has what they want of the
# kernel.  It comes before the system's headers, which have some of the same names.
KERNEL_TESTS := test-ring test-call test-revoke test-frames test-server test-peer test-futex
UNIT_TESTS += $(KERNEL_TESTS)
TSAN_TESTS += $(KERNEL_TESTS)
KERNEL_CPPFLAGS := -I$(CURDIR)/sharedpc -I$(CURDIR)/tests/unit/kernel \
	-include $(CURDIR)/sharedpc/log.h
kernel-objs := $(addprefix tests/unit/kernel/,kernel.o xarray.o mm.o thread.o)
kernel_objs = $(foreach d,san tsan,$(addprefix $(O)/$(d)/obj/,\
	$(1:%=tests/unit/%.o) tests/unit/wire.o $(kernel-objs) sharedpc/%.o))
$(call kernel_objs,$(KERNEL_TESTS)): CPPFLAGS += $(KERNEL_CPPFLAGS)
# The kernel does not ask for -Wextra.
$(call kernel_objs,): CFLAGS += -Wno-sign-compare

test-ring-objs := tests/unit/test-ring.o sharedpc/link/ring.o $(kernel-objs)
test-ring-libs := -lcmocka
test-peer-objs := tests/unit/test-peer.o $(addprefix sharedpc/link/,peer.o ring.o) $(kernel-objs)
test-peer-libs := -lcmocka
test-futex-objs := tests/unit/test-futex.o $(addprefix sharedpc/futex/,wait.o wake.o) $(kernel-objs)
test-futex-libs := -lcmocka
test-call-objs := tests/unit/test-call.o $(addprefix sharedpc/client/,call.o session.o bounce.o) \
	tests/unit/wire.o $(kernel-objs)
test-call-libs := -lcmocka
test-revoke-objs := tests/unit/test-revoke.o \
	$(addprefix sharedpc/owner/,share.o revoke.o kept.o map.o grant.o) \
	tests/unit/wire.o $(kernel-objs)
test-revoke-libs := -lcmocka
test-server-objs := tests/unit/test-server.o $(addprefix sharedpc/owner/,server.o request.o) \
	tests/unit/wire.o $(kernel-objs)
test-server-libs := -lcmocka
test-frames-objs := tests/unit/test-frames.o sharedpc/client/frames.o sharedpc/client/pinned.o \
	tests/unit/wire.o $(kernel-objs)
test-frames-libs := -lcmocka

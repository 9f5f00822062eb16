# SPDX-License-Identifier: GPL-2.0-only
# Unit tests are added by the fragment of the directory that they test.

# The rings of sharedpc.ko are the kernel's own source; tests/unit/kernel has
# the few kernel headers that it wants.
CPPFLAGS += -idirafter $(CURDIR)/tests/unit/kernel
$(O)/san/obj/sharedpc/%.o: CPPFLAGS += -I$(CURDIR)/sharedpc
$(O)/san/obj/tests/unit/test-ring.o: CPPFLAGS += -I$(CURDIR)/sharedpc
UNIT_TESTS += test-ring
test-ring-objs := tests/unit/test-ring.o sharedpc/link/ring.o
test-ring-libs := -lcmocka

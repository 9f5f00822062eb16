# SPDX-License-Identifier: GPL-2.0-only
# Programs that box tests run on images, in /usr/lib/ccluster/tests/: one for
# each tests/box/prog/*.c, static.

TEST_PROGS := $(patsubst tests/box/prog/%.c,%,$(wildcard tests/box/prog/*.c))

all: $(TEST_PROGS:%=$(O)/tests/%)

$(O)/tests/%: $(O)/obj/tests/box/prog/%.o
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) -static -pthread -o $@.tmp $< && mv $@.tmp $@

INSTALL += $(foreach p,$(TEST_PROGS),/usr/lib/ccluster/tests/$p=$(O)/tests/$p)

.PRECIOUS: $(O)/obj/tests/box/prog/%.o

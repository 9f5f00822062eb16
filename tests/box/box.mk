# SPDX-License-Identifier: GPL-2.0-only
# Programs that box tests run on images, in /usr/lib/ccluster/tests/: one for
# each tests/box/prog/*.c and for each directory in tests/box/prog, static.

TEST_DIRS := $(patsubst tests/box/prog/%/,%,$(filter %/,$(wildcard tests/box/prog/*/)))
TEST_PROGS := $(patsubst tests/box/prog/%.c,%,$(wildcard tests/box/prog/*.c)) $(TEST_DIRS)

all: $(TEST_PROGS:%=$(O)/tests/%)

$(O)/tests/%: $(O)/obj/tests/box/prog/%.o
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) -static -pthread -o $@.tmp $< && mv $@.tmp $@

define test_dir_rule
$(O)/tests/$(1): $(patsubst %.c,$(O)/obj/%.o,$(wildcard tests/box/prog/$(1)/*.c))
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$$(CC) -static -pthread -o $$@.tmp $$^ && mv $$@.tmp $$@
endef
$(foreach d,$(TEST_DIRS),$(eval $(call test_dir_rule,$(d))))

INSTALL += $(foreach p,$(TEST_PROGS),/usr/lib/ccluster/tests/$p=$(O)/tests/$p)

.PRECIOUS: $(O)/obj/tests/box/prog/%.o

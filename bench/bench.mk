# SPDX-License-Identifier: GPL-2.0-only
# What bench/names runs on images, in /usr/lib/ccluster/tests/: static.

all: $(O)/tests/bench-names

$(O)/tests/bench-names: $(O)/obj/bench/names.o
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) -static -pthread -o $@.tmp $< && mv $@.tmp $@

INSTALL += /usr/lib/ccluster/tests/bench-names=$(O)/tests/bench-names

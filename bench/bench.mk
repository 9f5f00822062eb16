# SPDX-License-Identifier: GPL-2.0-only
# What bench/names, messages and revokes run on images, in /usr/lib/ccluster/tests/: static.

BENCHES := $(O)/tests/bench-names $(O)/tests/bench-messages $(O)/tests/bench-revokes
all: $(BENCHES)

$(BENCHES): $(O)/tests/bench-%: $(O)/obj/bench/%.o
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) -static -pthread -o $@.tmp $< $(if $(filter messages,$*),-lfuse3) && mv $@.tmp $@

INSTALL += /usr/lib/ccluster/tests/bench-names=$(O)/tests/bench-names
INSTALL += /usr/lib/ccluster/tests/bench-messages=$(O)/tests/bench-messages
INSTALL += /usr/lib/ccluster/tests/bench-revokes=$(O)/tests/bench-revokes

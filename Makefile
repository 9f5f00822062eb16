# SPDX-License-Identifier: GPL-2.0-only
#
# The front door, on any Debian 12 or 13 machine, as root or with sudo.
# Compiling happens in a Debian 13 tree (box/root.sh) by build.mk; running
# happens in a QEMU machine (box/box). Everything made goes to build/.

JOBS ?= $(shell nproc)
ROOT := box/root.sh
IN_ROOT = $(ROOT) enter --user build make --no-print-directory -j$(JOBS) -f build.mk

help:
	@echo 'make run        the whole story: build, start the box, prove it, stop; CONF=FILE'
	@echo 'make check      all tests: unit, host, story, box, x2apic and owners'
	@echo '                KERNEL=debug: box tests on a kernel with lockdep and the like'
	@echo 'make all        programs, modules and initramfs, into build/'
	@echo 'make unit       unit tests with address and undefined-behaviour checks'
	@echo 'make modules    the kernel modules alone'
	@echo 'make checkpatch the kernel'"'"'s style check over all sources'
	@echo 'make bench      measurements, side by side in one box'
	@echo 'make install    into DESTDIR (after make all, on Debian 13)'
	@echo 'make clean      forget what was compiled, keep the Debian trees'
	@echo 'make distclean  forget everything'

roots:
	@$(ROOT) make build
	@$(ROOT) make run

all modules san: roots
	@$(IN_ROOT) $@

# One program, test or module alone: make build/bin/ccctl
build/%: roots
	@$(IN_ROOT) $@

unit: san
	@tests/run --unit -B

install:
	@$(MAKE) --no-print-directory -f build.mk install

run:
	@box/run $(if $(CONF),-c "$(CONF)")

check:
	@$(if $(filter debug,$(KERNEL)),box/debug.sh,tests/run)

checkpatch:
	@tests/checkpatch

bench:
	@bench/run

clean:
	@box/box down
	@$(ROOT) remove bin obj san tsan kmod tests check initrd.img

distclean:
	@box/box down
	@$(ROOT) remove .

.PHONY: help roots all modules san unit install run check checkpatch bench clean distclean

# SPDX-License-Identifier: GPL-2.0-only
#
# Compiles everything; runs inside the build root with the sources on /src
# (the top-level Makefile starts it there). Directories contribute fragments:
#
#   PROGS += ccctl			a program, build/bin/ccctl, from
#   ccctl-objs := boot/ccctl/ccctl.o ...	these objects (sources beside them) and
#   ccctl-libs := -ljansson		these libraries
#   STATIC_PROGS += ccinit		the same, linked -static
#   UNIT_TESTS += test-conf		a cmocka test, built with sanitizers, in
#					build/san/; test-conf-objs, test-conf-libs
#   TSAN_TESTS += test-ring		.. and once more, in build/tsan/, with the
#					thread sanitizer
#   INITRD += /init=build/bin/ccinit	a file of the clients' initramfs
#   INSTALL += /etc/x=boot/x		a file to install besides the programs
#
# Every directory with a Kbuild file in MODULE_DIRS gives a kernel module.

FRAGMENTS := $(wildcard lib/lib.mk boot/boot.mk box/box.mk proxyd/proxyd.mk \
	fs/fs.mk tests/unit/unit.mk tests/box/box.mk bench/bench.mk)
MODULE_DIRS := sharedpc boot/kmod

O := build
KVER ?= $(notdir $(patsubst %/build,%,$(firstword $(wildcard /lib/modules/*-cloud-amd64/build))))
ifeq ($(KVER),)
KVER := $(shell box/root.sh kver run)
endif

CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter \
	-Wstrict-prototypes -Wmissing-prototypes -fno-strict-aliasing
CPPFLAGS := -I$(CURDIR)/include -I$(CURDIR)/lib -I$(CURDIR) \
	-I/usr/include/fuse3 -D_GNU_SOURCE= -D_FILE_OFFSET_BITS=64
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -O1
TSANFLAGS := -fsanitize=thread -fno-omit-frame-pointer -O1

all:
include $(FRAGMENTS)

BINS := $(addprefix $(O)/bin/,$(PROGS) $(STATIC_PROGS))
SANS := $(addprefix $(O)/san/,$(UNIT_TESTS)) $(addprefix $(O)/tsan/,$(TSAN_TESTS))
MODULES := $(notdir $(patsubst %/Kbuild,%,$(wildcard $(MODULE_DIRS:=/Kbuild))))

all: $(BINS) modules $(O)/initrd.img
san: $(SANS)

# Programs: one rule each, since the object lists differ.
define prog_rule
$(O)/bin/$(1): $$(addprefix $(O)/obj/,$$($(1)-objs))
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$$(CC) $(2) -pthread -o $$@.tmp $$^ $$($(1)-libs) && mv $$@.tmp $$@
endef
define san_rule
$(O)/$(2)/$(1): $$(addprefix $(O)/$(2)/obj/,$$($(1)-objs))
	@mkdir -p $$(@D)
	@echo "  LD $(2) $$@"
	@$$(CC) $(3) -pthread -o $$@ $$^ $$($(1)-libs)
endef
$(foreach p,$(PROGS),$(eval $(call prog_rule,$(p),)))
$(foreach p,$(STATIC_PROGS),$(eval $(call prog_rule,$(p),-static)))
$(foreach p,$(UNIT_TESTS),$(eval $(call san_rule,$(p),san,$$(SANFLAGS))))
$(foreach p,$(TSAN_TESTS),$(eval $(call san_rule,$(p),tsan,$$(TSANFLAGS))))

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/san/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  san $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(SANFLAGS) -MMD -MP -c -o $@ $<

$(O)/tsan/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC tsan $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(TSANFLAGS) -MMD -MP -c -o $@ $<

$(O)/obj/%.o: %.S
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# Modules: kbuild writes beside the sources, so it gets a copy of them. The
# second module may use the symbols of the first. (W=1 would run kernel-doc,
# which wants Perl modules that a small tree does not have.)
KBUILD = $(MAKE) --no-print-directory -C /lib/modules/$(KVER)/build \
	KCFLAGS="-Werror -Wmissing-prototypes -Wunused -I$(CURDIR)/include -I$(CURDIR)"

$(O)/kmod/%.built: FORCE
	@mkdir -p $(O)/kmod/$*
	@cp -rup $(KSRC)/. $(O)/kmod/$*/
	@$(KBUILD) M=$(CURDIR)/$(O)/kmod/$* KBUILD_EXTRA_SYMBOLS="$(KSYMS)" \
		modules >$(O)/kmod/$*.log 2>&1 || { cat $(O)/kmod/$*.log; false; }
	@grep -E '^ +(CC|LD) .*\[M\]' $(O)/kmod/$*.log || true

$(O)/kmod/sharedpc.built: KSRC := sharedpc
$(O)/kmod/kmod.built: KSRC := boot/kmod
$(O)/kmod/kmod.built: KSYMS := $(CURDIR)/$(O)/kmod/sharedpc/Module.symvers
$(O)/kmod/kmod.built: $(filter $(O)/kmod/sharedpc.built,$(MODULES:%=$(O)/kmod/%.built))

modules: $(MODULES:%=$(O)/kmod/%.built)

# The clients' initramfs: static programs and the modules that they load.
# Those of the kernel's own package are in the run root.
KMODS := $(addprefix build/roots/run/usr/lib/modules/$(KVER)/kernel/,\
	net/vmw_vsock/vsock.ko.xz \
	net/vmw_vsock/vmw_vsock_virtio_transport_common.ko.xz \
	fs/overlayfs/overlay.ko.xz)

$(O)/initrd.img: box/mkinitrd $(BINS) $(FRAGMENTS) modules
	@box/mkinitrd $@ $(INITRD) $(foreach m,$(KMODS) $(wildcard $(O)/kmod/sharedpc/*.ko),/lib/modules/$(notdir $(m))=$(m))

# Needs no compiler: run it on the machine that is installed to.
install:
	install -d "$(DESTDIR)/usr/sbin" "$(DESTDIR)/usr/lib/ccluster" \
		"$(DESTDIR)/etc/ccluster" "$(DESTDIR)/usr/lib/modules/$(KVER)/extra"
	install -m 755 $(BINS) "$(DESTDIR)/usr/sbin/"
	set -e; for m in $(wildcard $(O)/kmod/*/*.ko); do \
		install -m 644 $$m "$(DESTDIR)/usr/lib/modules/$(KVER)/extra/"; done
	install -m 644 $(O)/initrd.img "$(DESTDIR)/usr/lib/ccluster/"
	set -e; for f in $(INSTALL); do \
		[ -x "$${f#*=}" ] && mode=755 || mode=644; \
		install -D -m $$mode "$${f#*=}" "$(DESTDIR)$${f%%=*}"; done
	[ ! -e "$(DESTDIR)/lib/modules/$(KVER)/modules.order" ] || depmod -b "$(DESTDIR)/" $(KVER)

-include $(shell find $(O)/obj $(O)/san/obj $(O)/tsan/obj -name '*.d' 2>/dev/null)

.PHONY: all san modules install FORCE

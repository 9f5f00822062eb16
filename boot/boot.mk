# SPDX-License-Identifier: GPL-2.0-only
# boot/boot.mk - ccctl and what starts the images. One line per object group.

CONF_OBJS := boot/conf/conf.o boot/conf/conf-check.o boot/conf/conf-mounts.o
CONF_OBJS += boot/conf/conf-cmdline.o boot/conf/conf-export.o boot/conf/conf-machine.o
CONF_OBJS += boot/text/scan.o boot/text/slurp.o boot/text/values.o boot/text/diag.o boot/text/save.o
TOPO_OBJS := boot/machine/range.o boot/machine/topology.o boot/machine/topology-file.o boot/machine/saved.o
TOPO_OBJS += boot/machine/topology-live.o boot/machine/acpi-map.o
PLAN_OBJS := boot/plan/plan.o boot/plan/place.o boot/plan/plan-boot.o
PLAN_OBJS += boot/plan/plan-file.o boot/plan/plan-print.o
SLICE_OBJS := boot/load/slice.o boot/load/bzimage.o boot/load/pagetable.o
SLICE_OBJS += boot/load/acpi.o boot/load/trampoline.o
BOX_OBJS := $(SLICE_OBJS) boot/image/box.o boot/image/image.o boot/image/cpus.o
BOX_OBJS += boot/load/cpio.o boot/load/cmdline.o boot/image/state.o boot/image/console.o boot/load/kmsg.o
BOX_OBJS += boot/init/poweroff.o boot/ccctl/several.o boot/host/spawn.o
BOX_OBJS += boot/host/services.o boot/host/lock.o
BOX_OBJS += boot/host/hotplug.o
PARTITION_OBJS := boot/host/repartition.o boot/load/srat.o

PROGS += ccctl
ccctl-objs := boot/ccctl/ccctl.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS) $(BOX_OBJS)
ccctl-objs += $(PARTITION_OBJS) boot/ccctl/cmd-partition.o
ccctl-objs += boot/ccctl/cmd-check.o boot/ccctl/cmd-plan.o
ccctl-objs += boot/ccctl/cmd-start.o
ccctl-objs += boot/ccctl/cmd-up.o boot/ccctl/cmd-down.o boot/ccctl/cmd-exec.o $(EXEC_CLIENT) lib/stream.o
ccctl-objs += boot/ccctl/cmd-status.o boot/ccctl/mounts.o boot/ccctl/cmd-locks.o
ccctl-objs += boot/ccctl/cmd-log.o boot/ccctl/cmd-console.o
ccctl-libs := -ljansson -lnuma -lm

STATIC_PROGS += ccinit
ccinit-objs := boot/init/ccinit.o boot/init/ccinit-cmdline.o boot/init/ccinit-setup.o
ccinit-objs += boot/init/ccinit-mounts.o boot/init/ccinit-helpers.o boot/init/ccinit-clock.o
ccinit-objs += boot/init/ccinit-nodes.o
ccinit-objs += boot/init/ccinit-end.o lib/pid1.o lib/stream.o
INITRD += /init=build/bin/ccinit

UNIT_TESTS += test-conf test-plan test-topology
test-conf-objs := tests/unit/test-conf.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS)
test-conf-libs := -ljansson -lnuma -lcmocka
test-plan-objs := tests/unit/test-plan.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS)
test-plan-libs := -ljansson -lnuma -lcmocka
test-topology-objs := tests/unit/test-topology.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS)
test-topology-libs := -ljansson -lnuma -lcmocka

INSTALL += /usr/share/man/man1/ccctl.1=docs/man/ccctl.1
INSTALL += /usr/share/man/man5/partitions.conf.5=docs/man/partitions.conf.5
INSTALL += /usr/share/doc/ccluster/partitions.conf=partitions.conf

UNIT_TESTS += test-acpi test-slice test-image test-lock test-save test-spawn test-lifecycle
test-acpi-objs := tests/unit/test-acpi.o boot/load/acpi.o boot/load/srat.o
test-acpi-libs := -lcmocka
test-slice-objs := tests/unit/test-slice.o $(SLICE_OBJS)
test-slice-libs := -lcmocka
test-image-objs := tests/unit/test-image.o boot/image/console.o boot/load/kmsg.o boot/load/cpio.o boot/text/slurp.o
test-image-objs += boot/load/cmdline.o boot/image/state.o boot/init/ccinit-cmdline.o boot/image/box.o
test-image-libs := -lcmocka
test-lock-objs := tests/unit/test-lock.o boot/host/lock.o boot/text/save.o
test-lock-libs := -lcmocka
test-save-objs := tests/unit/test-save.o boot/text/save.o
test-save-libs := -lcmocka
test-spawn-objs := tests/unit/test-spawn.o boot/host/spawn.o
test-spawn-libs := -lcmocka
test-lifecycle-objs := tests/unit/test-lifecycle.o boot/image/image.o boot/load/cpio.o boot/image/cpus.o \
	boot/text/slurp.o boot/text/save.o boot/host/lock.o
test-lifecycle-libs := -lcmocka -Wl,--wrap=ioctl

# Assembler needs no sanitizer.
$(O)/san/obj/boot/load/trampoline.o: boot/load/trampoline.S
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -c -o $@ $<

# SPDX-License-Identifier: GPL-2.0-only
# boot/boot.mk - ccctl and what starts the images. One line per object group.

CONF_OBJS := boot/conf.o boot/conf-values.o boot/conf-check.o boot/conf-mounts.o
CONF_OBJS += boot/conf-cmdline.o boot/conf-machine.o
CONF_OBJS += boot/strict.o boot/scan.o boot/diag.o boot/save.o
TOPO_OBJS := boot/topology.o boot/topology-file.o
TOPO_OBJS += boot/topology-live.o boot/topology-acpi.o
PLAN_OBJS := boot/plan.o boot/place.o boot/plan-boot.o
PLAN_OBJS += boot/plan-file.o boot/plan-print.o
SLICE_OBJS := boot/slice.o boot/bzimage.o boot/bootparams.o boot/pagetable.o
SLICE_OBJS += boot/acpi.o boot/trampoline.o
BOX_OBJS := $(SLICE_OBJS) boot/box.o boot/lifecycle.o boot/cpus.o
BOX_OBJS += boot/cmdline.o boot/state.o boot/console.o boot/kmsg.o
BOX_OBJS += boot/poweroff.o boot/several.o boot/spawn.o
BOX_OBJS += boot/services.o boot/lock.o boot/signals.o boot/socket-owner.o
PARTITION_OBJS := boot/repartition.o boot/srat.o boot/cpio.o

PROGS += ccctl
ccctl-objs := boot/ccctl.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS) $(BOX_OBJS)
ccctl-objs += $(PARTITION_OBJS) boot/cmd-partition.o
ccctl-objs += boot/cmd-check.o boot/cmd-plan.o
ccctl-objs += boot/cmd-start.o boot/cmd-stop.o boot/cmd-restart.o
ccctl-objs += boot/cmd-up.o boot/cmd-down.o boot/cmd-exec.o $(EXEC_CLIENT) lib/stream.o
ccctl-objs += boot/cmd-status.o boot/cmd-log.o boot/cmd-console.o
ccctl-libs := -lconfuse -lnuma

STATIC_PROGS += ccinit
ccinit-objs := boot/ccinit.o boot/ccinit-cmdline.o boot/ccinit-setup.o
ccinit-objs += boot/ccinit-end.o lib/stream.o
INITRD += /init=build/bin/ccinit

UNIT_TESTS += test-conf test-plan test-topology
test-conf-objs := tests/unit/test-conf.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS)
test-conf-libs := -lconfuse -lnuma -lcmocka
test-plan-objs := tests/unit/test-plan.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS)
test-plan-libs := -lconfuse -lnuma -lcmocka
test-topology-objs := tests/unit/test-topology.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS)
test-topology-libs := -lconfuse -lnuma -lcmocka

INSTALL += /usr/share/man/man1/ccctl.1=docs/man/ccctl.1
INSTALL += /usr/share/man/man5/partitions.conf.5=docs/man/partitions.conf.5
INSTALL += /usr/share/doc/ccluster/partitions.conf=partitions.conf

UNIT_TESTS += test-acpi test-slice test-image test-lock test-save test-spawn test-lifecycle
test-acpi-objs := tests/unit/test-acpi.o boot/acpi.o boot/srat.o
test-acpi-libs := -lcmocka
test-slice-objs := tests/unit/test-slice.o $(SLICE_OBJS)
test-slice-libs := -lcmocka
test-image-objs := tests/unit/test-image.o boot/console.o boot/kmsg.o boot/cpio.o
test-image-objs += boot/cmdline.o boot/state.o boot/ccinit-cmdline.o boot/box.o
test-image-libs := -lcmocka
test-lock-objs := tests/unit/test-lock.o boot/lock.o boot/save.o
test-lock-libs := -lcmocka
test-save-objs := tests/unit/test-save.o boot/save.o
test-save-libs := -lcmocka
test-spawn-objs := tests/unit/test-spawn.o boot/spawn.o boot/socket-owner.o
test-spawn-libs := -lcmocka
test-lifecycle-objs := tests/unit/test-lifecycle.o boot/lifecycle.o boot/signals.o
test-lifecycle-libs := -lcmocka -Wl,--wrap=ioctl

# Assembler needs no sanitizer.
$(O)/san/obj/boot/trampoline.o: boot/trampoline.S
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -c -o $@ $<

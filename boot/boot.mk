# SPDX-License-Identifier: GPL-2.0-only
# boot/boot.mk - ccctl and what starts the images. One line per object group.

CONF_OBJS := boot/conf.o boot/conf-values.o boot/conf-check.o
CONF_OBJS += boot/conf-cmdline.o boot/conf-machine.o
CONF_OBJS += boot/strict.o boot/scan.o boot/diag.o boot/save.o
TOPO_OBJS := boot/topology.o boot/topology-file.o
TOPO_OBJS += boot/topology-live.o boot/topology-acpi.o
PLAN_OBJS := boot/plan.o boot/place.o boot/plan-boot.o
PLAN_OBJS += boot/plan-file.o boot/plan-print.o

PROGS += ccctl
ccctl-objs := boot/ccctl.o $(CONF_OBJS) $(TOPO_OBJS) $(PLAN_OBJS)
ccctl-objs += boot/cmd-check.o boot/cmd-plan.o
ccctl-libs := -lconfuse -lnuma

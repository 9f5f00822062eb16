# SPDX-License-Identifier: GPL-2.0-only
# boot/boot.mk - ccctl and what starts the images. One line per object group.

PROGS += ccctl
ccctl-objs := boot/ccctl.o
ccctl-objs += boot/cmd-check.o boot/cmd-plan.o
ccctl-objs += boot/conf.o boot/conf-scan.o boot/conf-values.o boot/conf-check.o boot/diag.o
ccctl-objs += boot/topology.o boot/topology-live.o boot/topology-acpi.o boot/topology-file.o
ccctl-objs += boot/plan.o boot/plan-place.o boot/plan-file.o boot/plan-print.o
ccctl-libs := -lconfuse -lnuma

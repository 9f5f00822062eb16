# SPDX-License-Identifier: GPL-2.0-only
STATIC_PROGS += box-init
box-init-objs := box/init.o

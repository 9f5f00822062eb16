# SPDX-License-Identifier: GPL-2.0-only
# Programs of the box: its init, the exec server and the host's side of it.

STATIC_PROGS += box-init ccexecd box-exec
box-init-objs := box/init.o lib/pid1.o
ccexecd-objs := box/ccexecd.o $(EXEC_SERVER) lib/stream.o
box-exec-objs := box/box-exec.o $(EXEC_CLIENT)

INITRD += /sbin/ccexecd=build/bin/ccexecd

# What make run shows with: see box/run.
STATIC_PROGS += ccprove
ccprove-objs := box/prove.o

INSTALL += /usr/share/man/man1/box.1=docs/man/box.1
INSTALL += /usr/share/man/man8/ccexecd.8=docs/man/ccexecd.8

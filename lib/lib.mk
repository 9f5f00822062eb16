# SPDX-License-Identifier: GPL-2.0-only
# User-space code that more than one program uses: lists of objects.

EXEC_CLIENT := lib/exec-client.o lib/exec-frame.o
EXEC_SERVER := lib/exec-server.o lib/exec-command.o lib/exec-frame.o

UNIT_TESTS += test-exec
test-exec-objs := tests/unit/test-exec.o lib/exec-client.o $(EXEC_SERVER)
test-exec-libs := -lcmocka

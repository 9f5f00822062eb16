// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-image.c - an image seen from outside: its console, its kernel's
 * messages, its state, its command line; and the archives for the boot image
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>
#include <errno.h>
#include <stdio.h>
#include <cmocka.h>

#include "boot/image/state.h"
#include "boot/load/cmdline.h"
#include "boot/init/ccinit.h"
#include "boot/image/console.h"
#include "boot/load/cpio.h"
#include "boot/load/kmsg.h"

/* ccinit-cmdline.o wants it. */
void ccinit_say(const char *fmt, ...)
{
}

static struct sharedpc_console con;
static struct sharedpc_slot slot = { .state = SHAREDPC_READY, .epoch = 1 };

static void put(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		con.out[(con.out_head + i) % SHAREDPC_CONSOLE_OUT] = s[i];
	con.out_head += len;
}

static void test_console_read(void **state)
{
	struct console_reader r;
	char buf[64];

	memset(&con, 0, sizeof(con));
	console_open(&r, &con, &slot);
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 0);
	put("hello\n", 6);
	assert_int_equal(console_read(&r, buf, 3), 3);
	assert_int_equal(console_read(&r, buf + 3, sizeof(buf) - 3), 3);
	assert_memory_equal(buf, "hello\n", 6);
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 0);
}

static void test_console_overrun(void **state)
{
	static char big[SHAREDPC_CONSOLE_OUT];
	struct console_reader r;
	char buf[16];

	memset(&con, 0, sizeof(con));
	memset(big, 'x', sizeof(big));
	console_open(&r, &con, &slot);
	put("lost", 4);
	put(big, sizeof(big));
	assert_int_equal(console_read(&r, buf, 1), 1);
	assert_int_equal(buf[0], 'x');
	assert_int_equal(r.lost, 4);
	/* The image starts again: its first bytes are read. */
	con.out_head = 0;
	put("new", 3);
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "new", 3);
	/* A head from a madman: no more than the ring is read. */
	con.out_head = ~0ull;
	for (uint64_t n = 0; n <= SHAREDPC_CONSOLE_OUT; n += sizeof(buf))
		console_read(&r, buf, sizeof(buf));
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 0);
}

/* Started again, and by now it has said more than what was read before. */
static void test_console_restart(void **state)
{
	struct console_reader r;
	char buf[16];

	memset(&con, 0, sizeof(con));
	put("old", 3);
	console_open(&r, &con, &slot);
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 3);
	slot.state = SHAREDPC_EMPTY;
	slot.epoch = 0;
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 0);
	slot.epoch = 2;
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 0);
	con.out_head = 0;
	slot.state = SHAREDPC_STARTING;
	put("newer", 5);
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "newer", 5);
	assert_int_equal(console_read(&r, buf, sizeof(buf)), 0);
	slot = (struct sharedpc_slot){ .state = SHAREDPC_READY, .epoch = 1 };
}

static void test_console_write(void **state)
{
	static char big[SHAREDPC_CONSOLE_IN + 100];

	memset(&con, 0, sizeof(con));
	memset(big, 'k', sizeof(big));
	assert_int_equal(console_write(&con, "ls\n", 3), 3);
	assert_memory_equal(con.in, "ls\n", 3);
	assert_int_equal(con.in_head, 3);
	assert_int_equal(console_write(&con, big, sizeof(big)),
			 SHAREDPC_CONSOLE_IN - 3);
	assert_int_equal(console_write(&con, "x", 1), 0);
	con.in_tail = 100;
	assert_int_equal(console_write(&con, big, sizeof(big)), 100);
	con.in_tail = con.in_head + 1;	/* nonsense */
	assert_int_equal(console_write(&con, "x", 1), 0);
}

/* Append a block as the kernel's buffer has it. */
static size_t block(uint8_t *mem, size_t at, uint64_t id, const char *text,
		    bool level)
{
	size_t n = strlen(text);

	memcpy(mem + at, &id, 8);
	memcpy(mem + at + 8, text, n);
	if (level && n >= 2) {
		memcpy(mem + at + 8 + n, text + n - 2, 2);
		n += 2;
	}
	mem[at + 8 + n++] = '\n';
	return at + 8 + ((n + 7) & ~7ul);
}

static char *messages_in(const uint8_t *mem, size_t len, size_t starts,
			 uint64_t token, int *count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	*count = kmsg_print(mem, len, starts, token, out);
	fclose(out);
	return text;
}

static char *messages(const uint8_t *mem, size_t len, uint64_t token, int *count)
{
	return messages_in(mem, len, len, token, count);
}

static void put_log(uint8_t *mem, size_t at, uint64_t id, uint64_t token)
{
	const uint64_t mask = ~0ull >> 2;
	char line[128];

	snprintf(line, sizeof(line), "Command line: " KMSG_TOKEN " quiet",
		 (unsigned long long)token);
	at = block(mem, at, id & mask, "Linux version 6.12 (x)", true);
	at = block(mem, at, (id + 1) & mask, line, true);
	at = block(mem, at, (id + 2) & mask, "12345678", false);
	block(mem, at, (id + 3) & mask, "Kernel panic - not syncing: x", true);
}

static void test_kmsg(void **state)
{
	static uint64_t words[8192];
	uint8_t *mem = (uint8_t *)words;
	int count;
	char *text;

	/* The banner alone, as in the kernel's own data; an old log; the log. */
	memset(mem, 0, sizeof(words));
	strcpy((char *)mem + 64, "Linux version 6.12 (x)");
	put_log(mem, 1024, 700, 0xaaaa);
	put_log(mem, 8192, ~0ull, 0xbbbb);	/* ids wrap inside */
	text = messages(mem, sizeof(words), 0xbbbb, &count);
	assert_int_equal(count, 4);
	assert_string_equal(text,
		"Linux version 6.12 (x)\n"
		"Command line: ccluster.start=000000000000bbbb quiet\n"
		"12345678\n"
		"Kernel panic - not syncing: x\n");
	free(text);
	text = messages(mem, sizeof(words), 0xcccc, &count);
	assert_int_equal(count, 0);
	free(text);
	/* A log is of the piece that its first block begins in. */
	for (size_t piece = 8184; piece <= 8200; piece += 8) {
		int first, second;

		free(messages_in(mem, sizeof(words), piece, 0xbbbb, &first));
		free(messages_in(mem + piece, sizeof(words) - piece, piece,
				 0xbbbb, &second));
		assert_int_equal(first, piece > 8192 ? 4 : 0);
		assert_int_equal(second, piece > 8192 ? 0 : 4);
	}
	/* Cut off anywhere: never a read behind the end (the sanitizer looks). */
	for (size_t len = 0; len < 9000; len += 8) {
		uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, mem, len);
		text = messages(copy, len, 0xbbbb, &count);
		free(text);
		free(copy);
	}
}

/* Behind the archive, at a multiple of 512: directories, the file, the end. */
static void test_initrd(void **state)
{
	char path[] = "/tmp/test-initrd-XXXXXX";
	int fd = mkstemp(path);
	void *out = NULL;
	size_t len = 0;
	char *added;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "image web {", 11), 11);
	close(fd);
	assert_int_equal(initrd_add("070701 and so on", 16, "etc/b/c", path, &out, &len), 0);
	unlink(path);
	assert_int_equal(len % 512, 0);
	assert_memory_equal(out, "070701 and so on\0", 17);
	added = (char *)out + 512;
	assert_memory_equal(added, "070701", 6);
	assert_string_equal(added + 110, "etc");
	assert_string_equal(added + 116 + 110, "etc/b");
	assert_string_equal(added + 116 + 116 + 110, "etc/b/c");
	assert_memory_equal(added + 116 + 116 + 120, "image web {", 11);
	free(out);
	assert_int_equal(initrd_add("x", 1, "a", path, &out, &len), -ENOENT);
}

static void test_cpio(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(cpio_add(out, "kernel", NULL, 0), 0);
	assert_int_equal(cpio_add(out, "kernel/a", "abcde", 5), 0);
	assert_int_equal(cpio_end(out), 0);
	fclose(out);
	assert_int_equal(len % 512, 0);
	assert_memory_equal(text, "070701", 6);
	/* 110 + "kernel\0" = 117, to 120 */
	assert_memory_equal(text + 120, "070701", 6);
	assert_memory_equal(text + 120 + 54, "00000005", 8);
	assert_memory_equal(text + 120 + 110, "kernel/a", 9);
	assert_memory_equal(text + 120 + 120, "abcde\0\0\0", 8);
	assert_memory_equal(text + 248, "070701", 6);
	free(text);
}

static void test_cmdline(void **state)
{
	struct plan_mount mounts[] = {
		{ "root", "boot:/", "/", true, true },
		{ "shared", "boot:/srv/shared", "/srv/shared", true, false },
	};
	struct plan plan = { .ctl = { 0x13de00000ull, 0x2000000, 1 } };
	struct plan_image img = { .id = 2, .name = "db", .cmdline = "debug",
				  .mounts = mounts, .nmounts = 2 };
	struct ccboot_info info = { .tsc_khz = 2596153 };
	char *line = cmdline_make(&plan, &img, &info, 0x77);
	struct init_options opt;

	assert_non_null(strstr(line, "no_ipi_broadcast=1"));
	assert_non_null(strstr(line, " noreplace-smp "));
	assert_non_null(strstr(line, "tsc_early_khz=2596153"));
	assert_non_null(strstr(line, "hostname=db"));
	assert_non_null(strstr(line, "ccluster.start=0000000000000077"));
	assert_string_equal(line + strlen(line) - 6, " debug");
	/* And ccinit understands it. */
	assert_int_equal(ccinit_parse_cmdline(line, &opt), 0);
	assert_string_equal(opt.self, "2");
	assert_string_equal(opt.ctl, "0x13de00000");
	assert_string_equal(opt.ctl_size, "0x2000000");
	assert_int_equal(opt.nmounts, 2);
	assert_string_equal(opt.mounts[1].source, "boot:/srv/shared");
	assert_string_equal(opt.mounts[1].target, "/srv/shared");
	assert_string_equal(opt.mounts[1].options, "ro");
	free(line);
}

static void test_bad_cmdline(void **state)
{
	static const char *const lines[] = {
		"", "sharedpc.self=1",
		"sharedpc.self=1 sharedpc.ctl=1 sharedpc.ctl_size=1",
		"sharedpc.self=1 sharedpc.ctl=1 sharedpc.ctl_size=1 ccluster.mount=a",
		"sharedpc.self=1 sharedpc.ctl=1 sharedpc.ctl_size=1 ccluster.mount=a,/",
		"sharedpc.self=1 sharedpc.ctl=1 sharedpc.ctl_size=1 ccluster.mount=a,b,rw",
		"sharedpc.self=1 sharedpc.ctl=1 sharedpc.ctl_size=1 ccluster.mount=a,/x,rw",
	};
	struct init_options opt;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *line = strdup(lines[i]);

		assert_int_equal(ccinit_parse_cmdline(line, &opt), -EINVAL);
		free(line);
	}
}

static void test_state(void **state)
{
	struct ccboot_status st = { .state = CCBOOT_RUNNING, .start_ns = 1 };
	struct sharedpc_slot slot = { .stage = SHAREDPC_STAGE_SERVING };
	char buf[32];

	assert_string_equal(state_name(&st, &slot), "running");
	slot.stage = SHAREDPC_STAGE_INIT;
	assert_string_equal(state_name(&st, &slot), "starting");
	st.state = CCBOOT_LENT;
	st.cause = CCBOOT_PANIC;
	assert_string_equal(state_name(&st, &slot), "panicked");
	st.cause = CCBOOT_RESET;
	assert_string_equal(state_name(&st, &slot), "rebooted");
	st.start_ns = 0;
	assert_string_equal(state_name(&st, &slot), "off");
	assert_string_equal(state_stage(99), "unknown");
	/* Words that are not terminated and not text. */
	memset(slot.last_words, 'a', sizeof(slot.last_words));
	slot.last_words[1] = '\n';
	assert_int_equal(strlen(state_last_words(&slot, buf, sizeof(buf))), 31);
	assert_int_equal(buf[1], ' ');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_console_read),
		cmocka_unit_test(test_console_overrun),
		cmocka_unit_test(test_console_restart),
		cmocka_unit_test(test_console_write),
		cmocka_unit_test(test_kmsg),
		cmocka_unit_test(test_cpio),
		cmocka_unit_test(test_initrd),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_bad_cmdline),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

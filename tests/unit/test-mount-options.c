// SPDX-License-Identifier: GPL-2.0-only
/* The command line of mount.ccfs: fs/options.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <cmocka.h>

#include "fs/options.h"

static char why[256];

/* Parse "mount.ccfs" and up to four arguments, @list being changed. */
static int parse(struct options *opt, char *a, char *b, char *c, char *list)
{
	static char copy[256];
	char *argv[] = { "mount.ccfs", a, b, c, copy, NULL };
	int argc = 1;

	strcpy(copy, list ? list : "");
	while (argc < 4 && argv[argc])
		argc++;
	return options_parse(opt, list ? argc + 1 : argc, argv, why, sizeof(why));
}

static void plain(void **state)
{
	struct options opt;

	assert_int_equal(parse(&opt, "boot:/srv/shared", "/mnt", NULL, NULL), 0);
	assert_string_equal(opt.image, "boot");
	assert_string_equal(opt.path, "/srv/shared");
	assert_string_equal(opt.target, "/mnt");
	assert_int_equal(opt.flags, 0);	/* set-id and devices work: a root may */
	assert_false(opt.nocache);
}

static void flags(void **state)
{
	struct options opt;

	assert_int_equal(parse(&opt, "boot:/", "/mnt", "-o",
			       "ro,nosuid,nodev,noatime,x-systemd.automount,_netdev"), 0);
	assert_int_equal(opt.flags, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOATIME);
	assert_int_equal(parse(&opt, "boot:/", "/mnt", "-o", "ro,nosuid,rw,suid"), 0);
	assert_int_equal(opt.flags, 0);
	assert_int_equal(parse(&opt, "boot:/", "/mnt", "-rnf", NULL), 0);
	assert_int_equal(opt.flags, MS_RDONLY);
	assert_true(opt.fake);
	assert_int_equal(parse(&opt, "boot:/", "/mnt", "-o",
			       "connect=unix:/run/s,nocache,foreground"), 0);
	assert_true(opt.nocache);
	assert_string_equal(opt.connect, "/run/s");
	assert_true(opt.foreground);
}

static void refused(void **state)
{
	static const struct {
		char *source, *target, *letters, *list, *says;
	} bad[] = {
		{ "boot:/", "/mnt", "-o", "rw,fast", "unknown option 'fast'" },
		{ "boot:/", "/mnt", "-o", "remount,ro", "remount" },
		{ "boot:/", "/mnt", "-o", "rw,dirsync", "dirsync is not supported" },
		{ "boot:/", "/mnt", "-x", NULL, "unknown flag '-x'" },
		{ "boot:/", "/mnt", "-o", NULL, "-o needs options" },
		{ "boot:/", "/mnt", "more", NULL, "too many: 'more'" },
		{ "boot:/", NULL, NULL, NULL, "mount point" },
		{ "/srv", "/mnt", NULL, NULL, "not IMAGE:/PATH" },
		{ ":/srv", "/mnt", NULL, NULL, "not IMAGE:/PATH" },
		{ "boot:srv", "/mnt", NULL, NULL, "not IMAGE:/PATH" },
		{ "an-image-with-a-name-that-no-slot-can-hold:/", "/mnt", NULL,
		  NULL, "not IMAGE:/PATH" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct options opt;

		assert_int_equal(parse(&opt, bad[i].source, bad[i].target,
				       bad[i].letters, bad[i].list), -EINVAL);
		assert_non_null(strstr(why, bad[i].says));
	}
}

static void sloppy(void **state)
{
	struct options opt;

	assert_int_equal(parse(&opt, "boot:/", "/mnt", "-so", "ro,fast"), 0);
	assert_int_equal(opt.flags, MS_RDONLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(flags),
		cmocka_unit_test(refused),
		cmocka_unit_test(sloppy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

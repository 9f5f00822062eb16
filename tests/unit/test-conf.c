// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-conf.c - partitions.conf: every malformed file and every good one.
 *
 * Each file in tests/conf/bad begins with the mistakes it has, one comment per
 * mistake: "# expect: LINE: regular expression". Exactly these must be found, on
 * exactly these lines. Files in tests/conf/good begin with "# topology: NAME".
 * Beyond the files, the example is damaged at random: whatever comes out, the
 * parser must neither crash nor refuse without naming a line of the file.
 */
#include "conf-test.h"

#include <errno.h>
#include <regex.h>

#include "boot/text/scan.h"
#include "boot/text/values.h"

struct machine {
	struct topology *topo;
	struct tree tree;
};

static int setup(void **state)
{
	static struct machine machine;

	machine.topo = load_topology("box");
	tree_make(&machine.tree);
	*state = &machine;
	return 0;
}

static int teardown(void **state)
{
	struct machine *machine = *state;

	topology_free(machine->topo);
	tree_remove(&machine->tree);
	return 0;
}

static int read_expected(const char *path, int *lines, char (*texts)[256],
			 int max)
{
	FILE *in = fopen(path, "r");
	char line[1024];
	int n = 0;

	assert_non_null(in);
	while (n < max && fgets(line, sizeof(line), in) &&
	       sscanf(line, "# expect: %d: %255[^\n]", &lines[n],
		      texts[n]) == 2)
		n++;
	fclose(in);
	return n;
}

static bool matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool match;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		fail_msg("bad regular expression: %s", pattern);
	match = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return match;
}

static void check_bad(const char *path, void *data)
{
	struct machine *machine = data;
	struct plan *plan = NULL;
	int lines[16], i, j, n, err;
	char texts[16][256];
	struct diag diag;

	n = read_expected(path, lines, texts, 16);
	if (!n)
		fail_msg("%s does not say what to expect", path);
	diag_init(&diag, path);
	err = make_plan(path, machine->topo, machine->tree.dir, &plan, &diag);
	if (err != -EINVAL || diag.count != n) {
		diag_print(&diag, stderr);
		fail_msg("%s: %d instead of %d mistakes, error %d", path,
			 diag.count, n, err);
	}
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++)
			if (diag.entries[j].line == lines[i] &&
			    matches(texts[i], diag.entries[j].text))
				break;
		if (j < n)
			continue;
		diag_print(&diag, stderr);
		fail_msg("%s: not found: %d: %s", path, lines[i], texts[i]);
	}
	/* The one form of a message: what is wrong; what would be right. */
	for (i = 0; i < n; i++)
		if (!strchr(diag.entries[i].text, ';') ||
		    strchr(diag.entries[i].text, '\n'))
			fail_msg("%s: no advice in: %s", path,
				 diag.entries[i].text);
	diag_free(&diag);
}

static void test_bad(void **state)
{
	assert_true(each_conf("tests/conf/bad", check_bad, *state) >= 40);
}

static void check_good(const char *path, void *data)
{
	struct machine *machine = data;
	struct topology *topo;
	struct plan *plan = NULL;
	struct diag diag;
	char name[64];
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	if (fscanf(in, "# topology: %63s", name) != 1)
		fail_msg("%s does not name a topology", path);
	fclose(in);
	topo = load_topology(name);
	diag_init(&diag, path);
	if (make_plan(path, topo, machine->tree.dir, &plan, &diag)) {
		diag_print(&diag, stderr);
		fail_msg("%s is refused", path);
	}
	assert_int_equal(diag.count, 0);
	diag_free(&diag);
	plan_free(plan);
	topology_free(topo);
}

static void test_good(void **state)
{
	assert_true(each_conf("tests/conf/good", check_good, *state) >= 8);
}

static void test_example(void **state)
{
	struct machine *machine = *state;
	struct conf *conf = NULL;
	struct plan *plan = NULL;
	struct diag diag;

	diag_init(&diag, "partitions.conf");
	assert_int_equal(conf_read("partitions.conf", &conf, &diag), 0);
	assert_int_equal(conf->nimages, 4);
	assert_true(conf->images[0].boot);
	assert_int_equal(conf_find_image(conf, "batch"), 3);
	assert_int_equal(conf_find_image(conf, "mail"), -ENOENT);
	assert_string_equal(conf->images[3].kernel.s, CONF_DEFAULT_KERNEL);
	assert_string_equal(conf->images[2].initrd.s, CONF_DEFAULT_INITRD);
	assert_string_equal(conf->images[0].initrd.s, "");
	assert_int_equal(conf->region.size.value, 512 << 20);
	assert_int_equal(conf->mounts[0].images, 0xe);
	conf_free(conf);
	assert_int_equal(make_plan("partitions.conf", machine->topo,
				   machine->tree.dir, &plan, &diag), 0);
	plan_free(plan);
	diag_free(&diag);
}

static void test_unreadable(void **state)
{
	struct machine *machine = *state;
	struct conf *conf = NULL;
	struct diag diag;

	diag_init(&diag, "/nonexistent");
	assert_int_equal(conf_read("/nonexistent", &conf, &diag), -ENOENT);
	assert_int_equal(conf_read(machine->tree.dir, &conf, &diag), -EISDIR);
	assert_int_equal(conf_read("/dev/zero", &conf, &diag), -EFBIG);
	assert_int_equal(diag.count, 0);
	diag_free(&diag);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t bytes;
	} sizes[] = {
		{ "0", 0, 0 }, { "4096", 0, 4096 }, { "64K", 0, 65536 },
		{ "512M", 0, 512ULL << 20 }, { "16G", 0, 16ULL << 30 },
		{ "2T", 0, 2ULL << 40 }, { "0x1000", 0, 4096 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "16777216T", -ERANGE, 0 }, { "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 }, { " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 }, { "1m", -EINVAL, 0 },
		{ "1MM", -EINVAL, 0 }, { "1.5G", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 }, { "0x-1", -EINVAL, 0 },
		{ "0x 1", -EINVAL, 0 }, { "1e3", -EINVAL, 0 },
	};
	char text[24];
	uint64_t bytes;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int err = values_parse_size(sizes[i].text, &bytes);

		if (err != sizes[i].err || (!err && bytes != sizes[i].bytes))
			fail_msg("\"%s\" gives %d", sizes[i].text, err);
	}
	assert_string_equal(values_size_str(512 << 20, text, 24), "512M");
	assert_string_equal(values_size_str(1ULL << 40, text, 24), "1T");
	assert_string_equal(values_size_str(1025, text, 24), "1025");
	assert_string_equal(values_size_str(0, text, 24), "0");
}

static void test_ranges(void **state)
{
	uint64_t first, last;

	assert_int_equal(values_parse_range("3", 7, &first, &last), 0);
	assert_true(first == 3 && last == 3);
	assert_int_equal(values_parse_range("0-7", 7, &first, &last), 0);
	assert_true(first == 0 && last == 7);
	assert_int_equal(values_parse_range("0-8", 7, &first, &last), -ERANGE);
	assert_int_equal(values_parse_range("5-3", 7, &first, &last), -EINVAL);
	assert_int_equal(values_parse_range("-3", 7, &first, &last), -EINVAL);
	assert_int_equal(values_parse_range("3-", 7, &first, &last), -EINVAL);
	assert_int_equal(values_parse_range("1-2-3", 7, &first, &last), -EINVAL);
	assert_int_equal(values_parse_range("", 7, &first, &last), -EINVAL);
}

static void test_hash(void **state)
{
	struct machine *machine = *state;
	char path[128], first[17], second[17];
	FILE *out;

	snprintf(path, sizeof(path), "%s/text", machine->tree.dir);
	out = fopen(path, "w");
	fputs("a", out);
	fclose(out);
	assert_int_equal(scan_hash_file(path, first), 0);
	assert_string_equal(first, "af63dc4c8601ec8c");	/* FNV-1a of "a" */
	out = fopen(path, "a");
	fputs("b", out);
	fclose(out);
	assert_int_equal(scan_hash_file(path, second), 0);
	assert_string_not_equal(first, second);
	assert_int_equal(scan_hash_file("/nonexistent", first), -ENOENT);
}

/* One random change: a byte, a stretch dropped, doubled, or moved. */
static size_t damage(char *text, size_t len, size_t max, uint64_t *seed)
{
	static const char bytes[] = "{}=,\"'#/*\\$ \n\t-09AZaz\1\200\377+()";
	size_t at = random_below(seed, len), from = random_below(seed, len);
	size_t run = random_below(seed, 24) + 1;

	if (run > len - at)
		run = len - at;
	switch (random_below(seed, 4)) {
	case 0:
		text[at] = bytes[random_below(seed, sizeof(bytes))];
		return len;
	case 1:
		memmove(text + at, text + at + run, len - at - run);
		return len - run;
	case 2:
		if (len + run > max)
			return len;
		memmove(text + at + run, text + at, len - at);
		return len + run;
	default:
		if (run > len - from)
			run = len - from;
		memmove(text + at, text + from, run);
		return len;
	}
}

static int count_lines(const char *text, size_t len)
{
	int lines = 1;

	while (len--)
		lines += *text++ == '\n';
	return lines;
}

static void try_damaged(struct machine *machine, const char *path,
			const char *text, size_t len)
{
	FILE *out = fopen(path, "w");
	struct plan *plan = NULL;
	struct diag diag;
	int i, err;

	assert_non_null(out);
	fwrite(text, 1, len, out);
	fclose(out);
	diag_init(&diag, path);
	err = make_plan(path, machine->topo, NULL, &plan, &diag);
	assert_true(err == 0 || err == -EINVAL);
	assert_true(!err == !diag.count);
	for (i = 0; i < diag.count; i++)
		assert_in_range(diag.entries[i].line, 0,
				count_lines(text, len));
	plan_free(plan);
	diag_free(&diag);
}

static void test_damaged(void **state)
{
	static char original[16384], text[16384];
	struct machine *machine = *state;
	uint64_t seed = 20240607;
	size_t len, orig_len;
	char path[128];
	FILE *in = fopen("partitions.conf", "r");
	int i, n;

	assert_non_null(in);
	orig_len = fread(original, 1, sizeof(original) - 1024, in);
	fclose(in);
	snprintf(path, sizeof(path), "%s/text", machine->tree.dir);
	for (i = 0; i < 3000; i++) {
		memcpy(text, original, orig_len);
		len = orig_len;
		for (n = random_below(&seed, 3) + 1; n; n--)
			len = damage(text, len, sizeof(text), &seed);
		try_damaged(machine, path, text, len);
	}
	/* Cut off anywhere: an unfinished file is never taken for a whole. */
	for (len = 0; len < orig_len; len += 7)
		try_damaged(machine, path, original, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("conf", tests, setup, teardown);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-plan.c - the planner: its rules hold for every plan.
 *
 * plan.h states the rules; check_plan() tests them all on one plan. It is run
 * on plans of the good files and of thousands of random configurations on every
 * topology. A configuration that is refused must be refused with a message.
 */
#include "conf-test.h"
#include "sharedpc_words.h"

#include <errno.h>
#include <inttypes.h>

#define GIB4		(4ULL << 30)
#define MAX_RANGES	256

struct machine {
	struct topology *topo[NTOPOLOGIES];
	struct tree tree;
};

static int setup(void **state)
{
	static struct machine machine;
	int i;

	for (i = 0; i < NTOPOLOGIES; i++)
		machine.topo[i] = load_topology(topology_names[i]);
	tree_make(&machine.tree);
	*state = &machine;
	return 0;
}

static int teardown(void **state)
{
	struct machine *machine = *state;
	int i;

	for (i = 0; i < NTOPOLOGIES; i++)
		topology_free(machine->topo[i]);
	tree_remove(&machine->tree);
	return 0;
}

/* All ranges of a plan, the boot image's included. Returns how many. */
static int all_ranges(const struct plan *plan, struct range *out)
{
	int i, j, n = 0;

	out[n++] = plan->ctl;
	for (i = 0; i < plan->nimages; i++) {
		for (j = 0; j < plan->images[i].nregion; j++)
			out[n++] = plan->images[i].region[j];
		for (j = 0; j < plan->images[i].nmem; j++)
			out[n++] = plan->images[i].mem[j];
		if (i)
			out[n++] = plan->images[i].low;
	}
	assert_true(n < MAX_RANGES);
	return n;
}

/* Disjoint, in RAM, and together exactly the machine's RAM. */
static void check_cover(const struct plan *plan, const struct topology *topo)
{
	struct range all[MAX_RANGES];
	int i, j, n = all_ranges(plan, all);
	uint64_t sum = 0;

	for (i = 0; i < n; i++) {
		assert_true(all[i].size > 0);
		assert_true(topology_is_ram(topo, all[i].start, all[i].size));
		for (j = 0; j < i; j++)
			assert_false(range_overlaps(&all[i], &all[j]));
		sum += all[i].size;
	}
	assert_int_equal(sum, topology_ram(topo, -1));
}

/* Every byte of @range is on its node. */
static void check_node(const struct range *range, const struct topology *topo)
{
	int i;

	for (i = 0; i < topo->nram; i++)
		if (range_overlaps(range, &topo->ram[i]))
			assert_int_equal(range->node, topo->ram[i].node);
}

static void check_part(const struct range *part, const struct topology *topo)
{
	assert_int_equal(part->start % topo->block_size, 0);
	assert_int_equal(part->size % topo->block_size, 0);
	assert_true(part->start >= PLAN_FLOOR);
	check_node(part, topo);
}

static void check_region(const struct plan *plan, const struct topology *topo)
{
	const struct plan_image *image;
	int i, j;

	assert_int_equal(plan->block_size, topo->block_size);
	for (i = 0; i < plan->nimages; i++) {
		image = &plan->images[i];
		for (j = 0; j < image->nregion; j++) {
			check_part(&image->region[j], topo);
			assert_int_equal(image->region[j].size, image->region[0].size);
		}
	}
	assert_int_equal(plan->ctl.size,
			 plan_ctl_size(plan->nimages, topology_ram(topo, -1)));
	assert_int_equal(plan->ctl.size % PLAN_ALIGN, 0);
	assert_int_equal(plan->ctl.start % PLAN_ALIGN, 0);
	assert_int_equal(plan->ctl.node, plan->images[0].region[0].node);
	assert_true(plan->ctl.start >= PLAN_FLOOR);
	check_node(&plan->ctl, topo);
}

static void check_image(const struct plan_image *image,
			const struct topology *topo)
{
	assert_int_equal(image->nmem, 1);
	assert_int_equal(image->mem[0].start % PLAN_ALIGN, 0);
	assert_int_equal(image->mem[0].size % PLAN_ALIGN, 0);
	assert_true(image->mem[0].size >= CONF_MIN_MEMORY);
	assert_true(image->mem[0].start >= PLAN_FLOOR);
	check_node(&image->mem[0], topo);
	assert_int_equal(image->low.size, PLAN_LOW_SIZE);
	assert_int_equal(image->low.start % PLAN_LOW_SIZE, 0);
	assert_true(image->low.start >= PLAN_LOW_SIZE);
	assert_true(image->low.start < PLAN_LOW_END);
	assert_true(image->nmounts > 0);
	assert_string_equal(image->mounts[0].target, "/");
}

/* Every CPU has one owner, CPU 0 the boot image, APIC ids are right. */
static void check_cpus(const struct plan *plan, const struct topology *topo)
{
	int i, j, seen = 0;

	for (i = 0; i < plan->nimages; i++) {
		assert_true(plan->images[i].ncpus > 0);
		for (j = 0; j < plan->images[i].ncpus; j++) {
			const struct topo_cpu *cpu = &plan->images[i].cpus[j];
			const struct topo_cpu *real;

			real = topology_cpu(topo, cpu->cpu);
			assert_non_null(real);
			assert_int_equal(cpu->node, real->node);
			assert_int_equal(cpu->apic_id, real->apic_id);
			assert_true(cpu->cpu || !i);
			seen++;
		}
	}
	assert_int_equal(seen, topo->ncpus);
}

static void check_boot_memory(const struct plan *plan)
{
	const struct plan_image *boot = &plan->images[0];
	uint64_t dma = 0;
	int i;

	assert_int_equal(boot->low.size, 0);
	for (i = 0; i < boot->nmem; i++) {
		const struct range *mem = &boot->mem[i];

		assert_true(!i || mem->start > boot->mem[i - 1].start);
		if (mem->start + mem->size <= GIB4)
			dma += mem->size;
		else if (mem->start < GIB4)
			dma += GIB4 - mem->start;
	}
	assert_true(dma >= PLAN_BOOT_DMA);
}

/* The extents cover all that is not the boot image's, and nothing else. */
static void check_extents(const struct plan *plan)
{
	struct range extents[MAX_RANGES], all[MAX_RANGES];
	int i, j, high = 0, n = plan_extents(plan, extents, MAX_RANGES);
	uint64_t sum = 0, want = 0;

	for (i = 0; i < n; i++) {
		sum += extents[i].size;
		high += extents[i].start >= PLAN_FLOOR;
		assert_true(!i || extents[i].start > extents[i - 1].start +
						     extents[i - 1].size);
		for (j = 0; j < plan->images[0].nmem; j++)
			assert_false(range_overlaps(&extents[i],
						    &plan->images[0].mem[j]));
	}
	assert_true(high <= PLAN_MAX_EXTENTS);
	n = all_ranges(plan, all);
	for (i = 0; i < n; i++)
		want += all[i].size;
	for (j = 0; j < plan->images[0].nmem; j++)
		want -= plan->images[0].mem[j].size;
	assert_int_equal(sum, want);
}

static void check_plan(const struct plan *plan, const struct topology *topo)
{
	int i, j;

	for (i = 0; i < plan->nimages; i++) {
		assert_int_equal(plan->images[i].id, i);
		for (j = 0; j < i; j++)
			assert_string_not_equal(plan->images[i].name,
						plan->images[j].name);
		if (i)
			check_image(&plan->images[i], topo);
	}
	check_cover(plan, topo);
	check_region(plan, topo);
	check_cpus(plan, topo);
	check_boot_memory(plan);
	check_extents(plan);
}

/* A plan's text: equal texts, equal plans. The caller frees it. */
static char *plan_text(const struct plan *plan)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(plan_print_json(plan, out), 0);
	fclose(out);
	return text;
}

static void check_same(const struct plan *a, const struct plan *b)
{
	char *x = plan_text(a), *y = plan_text(b);

	assert_string_equal(x, y);
	free(x);
	free(y);
}

static void check_round_trip(const struct plan *plan, const char *path)
{
	struct plan *loaded = NULL;
	struct diag diag;

	diag_init(&diag, path);
	assert_int_equal(plan_save(plan, path), 0);
	if (plan_load(path, &loaded, &diag)) {
		diag_print(&diag, stderr);
		fail_msg("a saved plan does not load");
	}
	check_same(plan, loaded);
	plan_free(loaded);
	diag_free(&diag);
}

static struct plan *plan_of(struct machine *machine, const char *path, int topo)
{
	struct plan *plan = NULL;
	struct diag diag;

	diag_init(&diag, path);
	if (make_plan(path, machine->topo[topo], NULL, &plan, &diag)) {
		diag_print(&diag, stderr);
		fail_msg("%s has no plan", path);
	}
	diag_free(&diag);
	return plan;
}

static void check_good(const char *path, void *data)
{
	struct machine *machine = data;
	struct plan *plan, *again;
	char name[64], saved[128];
	FILE *in = fopen(path, "r");
	int i;

	assert_non_null(in);
	assert_int_equal(fscanf(in, "# topology: %63s", name), 1);
	fclose(in);
	for (i = 0; strcmp(topology_names[i], name); i++)
		assert_true(i < NTOPOLOGIES - 1);
	plan = plan_of(machine, path, i);
	again = plan_of(machine, path, i);
	check_plan(plan, machine->topo[i]);
	check_same(plan, again);
	snprintf(saved, sizeof(saved), "%s/plan", machine->tree.dir);
	check_round_trip(plan, saved);
	plan_free(plan);
	plan_free(again);
}

static void test_good(void **state)
{
	each_conf("tests/conf/good", check_good, *state);
}

/* Each image's words grow with the box's memory, between their limits. */
static void test_ctl_size(void **state)
{
	const uint64_t gib = 1ULL << 30, mib = 1ULL << 20;

	assert_int_equal(sharedpc_words_bits(0), 15);
	assert_int_equal(sharedpc_words_bits(gib), 15);
	assert_int_equal(sharedpc_words_bits(gib + 1), 16);
	assert_int_equal(sharedpc_words_bits(3 * gib), 17);
	assert_int_equal(sharedpc_words_bits(128 * gib), 22);
	assert_int_equal(sharedpc_words_bits(UINT64_MAX), 22);
	assert_int_equal(sharedpc_words_size(gib), mib / 2 + 4096);
	assert_int_equal(sharedpc_words_size(4 * gib), 2 * mib + 4096);
	assert_int_equal(sharedpc_words_size(512 * gib), 64 * mib + 4096);
	assert_int_equal(plan_ctl_size(2, gib), 34 * mib);
	assert_int_equal(plan_ctl_size(4, 3 * gib), 42 * mib);
	assert_int_equal(plan_ctl_size(8, 512 * gib), 546 * mib);
}

/* The example on the test box: the addresses that documents and people know. */
static void test_example(void **state)
{
	struct machine *machine = *state;
	struct plan *plan = plan_of(machine, "partitions.conf", 0);
	struct plan_image *web = plan_find(plan, "web");
	char *cmdline = plan_cmdline(plan);

	check_plan(plan, machine->topo[0]);
	assert_non_null(web);
	assert_null(plan_find(plan, "mail"));
	assert_int_equal(web->id, 1);
	assert_int_equal(web->cpus[0].cpu, 1);
	assert_int_equal(web->low.start, 0x10000);
	assert_int_equal(web->mem[0].start, 0x50000000);
	assert_int_equal(plan->images[0].region[0].start, 0x118000000);
	assert_int_equal(plan_region_size(plan), 512 << 20);
	assert_int_equal(plan->ctl.size, 42 << 20);
	assert_int_equal(web->nmounts, 2);
	assert_string_equal(web->mounts[1].source, "boot:/srv/shared");
	assert_string_equal(plan->images[0].mounts[0].target, "/mnt/shared");
	assert_int_equal(plan->exports[0].to, 0xf);
	assert_ptr_equal(strstr(cmdline, "ccctl.plan="), cmdline);
	assert_non_null(strstr(cmdline, " memmap=256M$0x50000000"));
	assert_non_null(strstr(cmdline, " memmap=192K$0x10000"));
	assert_non_null(strstr(cmdline, " no_ipi_broadcast=1"));
	assert_non_null(strstr(cmdline, " noreplace-smp "));
	assert_non_null(strstr(cmdline, " printk.devkmsg=on"));
	free(cmdline);
	plan_free(plan);
}

static void check_strip(const char *cmdline, const char *want)
{
	char *got = plan_cmdline_strip(cmdline);

	assert_string_equal(got, want);
	free(got);
}

static void test_strip(void **state)
{
	struct plan *plan = plan_of(*state, "partitions.conf", 0);
	char *cmdline = plan_cmdline(plan), line[2048];

	snprintf(line, sizeof(line), "root=/dev/nvme0n1 rw %s\n", cmdline);
	check_strip(line, "root=/dev/nvme0n1 rw");
	check_strip("root=/dev/sda quiet\n", "root=/dev/sda quiet");
	check_strip("x=ccctl.plan=1 quiet", "x=ccctl.plan=1 quiet");
	check_strip("ccctl.plan=1 quiet", "");
	check_strip("", "");
	free(cmdline);
	plan_free(plan);
}

static void test_closed(void **state)
{
	assert_true(plan_cmdline_closed("--"));
	assert_true(plan_cmdline_closed("quiet -- single"));
	assert_true(plan_cmdline_closed("quiet --\n"));
	assert_false(plan_cmdline_closed(""));
	assert_false(plan_cmdline_closed("quiet --x x-- a=-- -"));
	assert_false(plan_cmdline_closed("a=\"b -- c\" quiet"));
}

static void test_verify_cmdline(void **state)
{
	struct plan *plan = plan_of(*state, "partitions.conf", 0);
	char *cmdline = plan_cmdline(plan), line[2048];

	snprintf(line, sizeof(line), "root=/dev/nvme0n1 rw %s\n", cmdline);
	assert_int_equal(plan_verify_cmdline(plan, line), 0);
	assert_int_equal(plan_verify_cmdline(plan, cmdline), 0);
	assert_int_equal(plan_verify_cmdline(plan, "root=/dev/sda quiet\n"), 0);
	assert_int_equal(plan_verify_cmdline(plan, "x=ccctl.plan=1\n"), 0);
	assert_int_equal(plan_verify_cmdline(plan, "quiet ccctl.plan=1\n"), -ESTALE);
	assert_int_equal(plan_verify_cmdline(plan, "ccctl.plan=\n"), -ESTALE);
	plan->conf_hash[3] ^= 1;
	assert_int_equal(plan_verify_cmdline(plan, line), -ESTALE);
	plan->conf_hash[3] ^= 1;
	snprintf(line, sizeof(line), "ccctl.plan=%s0 quiet\n", plan->conf_hash);
	assert_int_equal(plan_verify_cmdline(plan, line), -ESTALE);
	free(cmdline);
	plan_free(plan);
}

static int verify(const struct plan *plan, const char *iomem,
		  struct range *bad, char *what)
{
	FILE *in = fmemopen((void *)iomem, strlen(iomem), "r");
	int err;

	assert_non_null(in);
	err = plan_verify_reserved(plan, in, bad, what, 64);
	fclose(in);
	return err;
}

static void test_verify(void **state)
{
	static const char good[] =
		"00000000-00000fff : Reserved\n"
		"00001000-0000ffff : System RAM\n"
		"00010000-0003ffff : Reserved\n"
		"00040000-0009fbff : System RAM\n"
		"00100000-4fffffff : System RAM\n"
		"  02000000-02ffffff : Kernel code\n"
		"50000000-5fffffff : Reserved\n"
		"60000000-6fdfffff : System RAM\n"
		"6fe00000-7fdfffff : Reserved\n"
		"7fe00000-7ffdefff : System RAM\n"
		"100000000-107ffffff : System RAM\n"
		"108000000-137ffffff : Reserved\n"
		"138000000-13d3fffff : System RAM\n"
		"13d400000-13fdfffff : Reserved\n"
		"13fe00000-13fffffff : System RAM\n";
	struct plan *plan = plan_of(*state, "partitions.conf", 0);
	struct range bad;
	char what[64];

	assert_int_equal(verify(plan, good, &bad, what), 0);
	assert_int_equal(verify(plan, "00000000-00000000 : System RAM\n", &bad,
				what), -ENOMSG);
	assert_int_equal(verify(plan, "", &bad, what), -ENOMSG);
	assert_int_equal(verify(plan, "00100000-500000ff : System RAM\n", &bad,
				what), -EBUSY);
	assert_string_equal(what, "slice of web");
	assert_int_equal(bad.start, 0x50000000);
	assert_int_equal(verify(plan, "00001000-0009fbff : System RAM\n", &bad,
				what), -EBUSY);
	assert_string_equal(what, "low memory of web");
	assert_int_equal(verify(plan, "100000000-13fffffff : Reserved\n"
				"  130000000-1300fffff : Kernel data\n", &bad,
				what), -EBUSY);
	assert_string_equal(what, "region");
	plan_free(plan);
}

static bool stays(const char *iomem, struct range *piece)
{
	FILE *in = fmemopen((void *)iomem, strlen(iomem), "r");
	bool ret;

	assert_non_null(in);
	ret = plan_region_stays(in, piece);
	fclose(in);
	return ret;
}

static void test_region_stays(void **state)
{
	struct range piece;

	assert_false(stays("00100000-4fffffff : System RAM\n"
			   "118000000-137ffffff : Reserved\n", &piece));
	assert_true(stays("00100000-4fffffff : System RAM\n"
			  "118000000-137ffffff : Reserved\n"
			  "  118000000-11fffffff : System RAM (sharedpc)\n"
			  "  120000000-137ffffff : System RAM (sharedpc)\n",
			  &piece));
	assert_int_equal(piece.start, 0x118000000);
	assert_int_equal(piece.size, 128 << 20);
	assert_false(stays("118000000-137ffffff : System RAM (kmem)\n", &piece));
}

static void test_changed(void **state)
{
	struct machine *machine = *state;
	char path[128], line[512];
	struct plan *plan;
	FILE *in, *out;

	snprintf(path, sizeof(path), "%s/text", machine->tree.dir);
	in = fopen("partitions.conf", "r");
	out = fopen(path, "w");
	assert_true(in && out);
	while (fgets(line, sizeof(line), in))
		fputs(line, out);
	fclose(in);
	fclose(out);
	plan = plan_of(machine, path, 0);
	assert_int_equal(plan_conf_changed(plan), 0);
	out = fopen(path, "a");
	fputs("# a word\n", out);
	fclose(out);
	assert_int_equal(plan_conf_changed(plan), 1);
	unlink(path);
	assert_int_equal(plan_conf_changed(plan), -ENOENT);
	plan_free(plan);
}

/* However many there are. */
static void test_cpus_str(void **state)
{
	struct topo_cpu cpus[300] = { { 0 } };
	struct plan_image image = { .cpus = cpus };
	char *text;

	text = topology_cpus_str(image.cpus, image.ncpus);
	assert_string_equal(text, "");
	free(text);
	for (int i = 0; i < 4; i++)
		cpus[image.ncpus++].cpu = i;
	cpus[image.ncpus++].cpu = 8;
	text = topology_cpus_str(image.cpus, image.ncpus);
	assert_string_equal(text, "0-3,8");
	free(text);
	image.ncpus = 300;
	for (int i = 0; i < 300; i++)
		cpus[i].cpu = 1000 + 2 * i;
	text = topology_cpus_str(image.cpus, image.ncpus);
	assert_int_equal(strlen(text), 300 * 5 - 1);
	assert_string_equal(text + strlen(text) - 5, ",1598");
	free(text);
}

/* Who uses the plan later does so in another directory. */
static void test_conf_file(void **state)
{
	struct machine *machine = *state;
	struct plan *plan = plan_of(machine, "partitions.conf", 0);
	char here[PATH_MAX], want[PATH_MAX + 20];

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(want, sizeof(want), "%s/partitions.conf", here);
	assert_string_equal(plan->conf_file, want);
	plan_free(plan);
}

/* A plan file cut anywhere, or with one byte changed, is refused or sane. */
static void test_damaged_plan(void **state)
{
	struct machine *machine = *state;
	static char text[65536];
	struct plan *plan = plan_of(machine, "partitions.conf", 0);
	uint64_t seed = 20240608;
	char path[128];
	size_t len;
	FILE *file;
	int i;

	snprintf(path, sizeof(path), "%s/plan", machine->tree.dir);
	assert_int_equal(plan_save(plan, path), 0);
	file = fopen(path, "r");
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	for (i = 0; i < 2000; i++) {
		size_t at = random_below(&seed, len);
		struct plan *loaded = NULL;
		struct diag diag;
		char was = text[at];
		int err;

		text[at] = "{}='09x @/-:#\n\"[],"[random_below(&seed, 18)];
		file = fopen(path, "w");
		fwrite(text, 1, i & 1 ? at + 1 : len, file);
		fclose(file);
		text[at] = was;
		diag_init(&diag, path);
		err = plan_load(path, &loaded, &diag);
		assert_true(err == 0 || (err == -EINVAL && diag.count));
		plan_free(loaded);
		diag_free(&diag);
	}
	plan_free(plan);
}

/* @text with its first @from replaced by @to: refused with a message. */
static void check_foreign(const char *path, const char *text, const char *from,
			  const char *to)
{
	const char *at = strstr(text, from);
	struct plan *loaded = NULL;
	FILE *file = fopen(path, "w");
	struct diag diag;

	assert_non_null(at);
	fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	fclose(file);
	diag_init(&diag, path);
	if (plan_load(path, &loaded, &diag) != -EINVAL)
		fail_msg("%s instead of %s is no mistake", to, from);
	assert_int_equal(diag.count, 1);
	if (!strchr(diag.entries[0].text, ';'))
		fail_msg("no advice in: %s", diag.entries[0].text);
	diag_free(&diag);
}

/* A file of another ccctl, or one that somebody has edited. */
static void test_foreign_plan(void **state)
{
	static const char *const edits[][2] = {
		{ "{", "revision = 2\nconf = '/x'\nimage web {" }, { "{", "[" }, { "{", "" },
		{ "\"revision\": 3", "\"revision\": 2" }, { "\"revision\": 3,", "" },
		{ "\"revision\": 3", "\"revision\": \"3\"" },
		{ "\"revision\"", "\"other\": 1, \"revision\"" },
		{ "\"conf\":", "\"conf\": 1, \"conf\":" }, { "\"conf\":", "\"config\":" },
		{ "\"conf_hash\": \"", "\"conf_hash\": \"0" },
		{ "\"block_size\": ", "\"block_size\": -" },
		{ "\"size\": ", "\"size\": -" }, { "\"start\": ", "\"start\": -" },
		{ "\"start\": ", "\"start\": 9999999999" },
		{ "\"start\": ", "\"start\": 99999999999999999999" },
		{ "\"node\": ", "\"node\": 1024" }, { "\"node\": ", "\"node\": -1" },
		{ "\"id\": 1", "\"id\": 2" }, { "\"name\": \"", "\"name\": \"-" },
		{ "\"cpu\": ", "\"cpu\": 8192" }, { "\"cpu\": ", "\"cpu\": -1" },
		{ "\"apic_id\": ", "\"apic_id\": 42949672950" },
		{ "\"low\"", "\"high\"" }, { "\"kernel\": ", "\"kernel\": [], \"x\": " },
		{ "\"owner\": \"", "\"owner\": \"no" }, { "\"mode\": \"r", "\"mode\": \"" },
		{ "\"overlay\": ", "\"overlay\": 1" }, { "\"images\": [", "\"images\": [1, " },
		{ "\"exports\": [", "\"exports\": [1, " },
		{ "\"devices\": [", "\"devices\": [1" },
	};
	struct machine *machine = *state;
	struct plan *plan = plan_of(machine, "partitions.conf", 0);
	char *text = plan_text(plan), path[128];
	size_t i;

	snprintf(path, sizeof(path), "%s/plan", machine->tree.dir);
	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		check_foreign(path, text, edits[i][0], edits[i][1]);
	free(text);
	plan_free(plan);
}

struct shape {
	int images;
	int cpu;		/* next one to give away */
};

static int random_node(const struct topology *topo, uint64_t *seed)
{
	return topo->nodes[random_below(seed, topo->nnodes)];
}

static void write_image(FILE *out, const struct topology *topo, int i,
			int *cpu, uint64_t *seed)
{
	uint64_t share = topology_ram(topo, -1) / 8 / PLAN_ALIGN;
	uint64_t units = random_below(seed, share) + CONF_MIN_MEMORY / PLAN_ALIGN;
	int n = random_below(seed, 3) + 1;

	fprintf(out, "image i%d {\n\tmemory = \"%" PRIu64 "M\"\n", i, 2 * units);
	if (random_below(seed, 4)) {
		fprintf(out, "\tcpus = {\"%d-%d\"}\n", *cpu, *cpu + n - 1);
		*cpu += n;
		if (random_below(seed, 2))
			fprintf(out, "\tnode = %d\n", random_node(topo, seed));
	} else {
		fprintf(out, "\tncpus = %d\n\tnode = %d\n", n,
			random_node(topo, seed));
	}
	fprintf(out, "}\n");
}

static void write_random(const char *path, const struct topology *topo,
			 uint64_t *seed)
{
	int i, images = random_below(seed, 7) + 1, cpu = 1;
	int nodes = random_below(seed, 3) ? 1 : 2;
	uint64_t blocks = topology_ram(topo, -1) / topo->block_size / 2;
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out, "region {\n\tsize = \"%" PRIu64 "M\"\n\tnodes = {%d",
		(random_below(seed, blocks) + 1) * nodes *
		(topo->block_size >> 20), topo->nodes[0]);
	if (nodes == 2 && topo->nnodes > 1)
		fprintf(out, ", %d", topo->nodes[1]);
	fprintf(out, "}\n}\nimage boot {\n\tbooted_by = \"firmware\"\n\tcpus = {0}\n}\n");
	for (i = 1; i <= images; i++)
		write_image(out, topo, i, &cpu, seed);
	fprintf(out, "export root {\n\tpath = \"/\"\n\tto = {\"*\"}\n}\n"
		"mount {\n\texport = \"root\"\n\timages = {\"*\"}\n\ttarget = \"/\"\n}\n");
	fclose(out);
}

static void test_random(void **state)
{
	struct machine *machine = *state;
	int made[NTOPOLOGIES] = { 0 }, i;
	uint64_t seed = 20240609;
	char path[128], saved[128];

	snprintf(path, sizeof(path), "%s/text", machine->tree.dir);
	snprintf(saved, sizeof(saved), "%s/plan", machine->tree.dir);
	for (i = 0; i < 4000; i++) {
		struct topology *topo = machine->topo[i % NTOPOLOGIES];
		struct plan *plan = NULL, *again = NULL;
		struct diag diag;
		int err;

		write_random(path, topo, &seed);
		diag_init(&diag, path);
		err = make_plan(path, topo, NULL, &plan, &diag);
		if (err) {
			assert_int_equal(err, -EINVAL);
			assert_true(diag.count > 0);
			diag_free(&diag);
			continue;
		}
		made[i % NTOPOLOGIES]++;
		check_plan(plan, topo);
		assert_int_equal(make_plan(path, topo, NULL, &again, &diag), 0);
		check_same(plan, again);
		if (i % 16 < NTOPOLOGIES)
			check_round_trip(plan, saved);
		plan_free(plan);
		plan_free(again);
		diag_free(&diag);
	}
	for (i = 0; i < NTOPOLOGIES; i++) {
		print_message("%s: %d plans\n", topology_names[i], made[i]);
		assert_true(made[i] > 20);
	}
}

static void test_print(void **state)
{
	struct machine *machine = *state;
	struct plan *plan = plan_of(machine, "partitions.conf", 0);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(plan_print(plan, machine->topo[0], out), 0);
	fclose(out);
	assert_non_null(strstr(text, "region, shared by all images"));
	assert_non_null(strstr(text, "batch, low memory"));
	assert_non_null(strstr(text, "/mnt/shared"));
	assert_non_null(strstr(text, "no_ipi_broadcast=1"));
	free(text);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_ctl_size),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_verify_cmdline),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_region_stays),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_conf_file),
		cmocka_unit_test(test_cpus_str),
		cmocka_unit_test(test_damaged_plan),
		cmocka_unit_test(test_foreign_plan),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("plan", tests, setup, teardown);
}

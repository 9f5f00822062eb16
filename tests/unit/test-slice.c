// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-slice.c - kernel files, and what the loader writes into a slice
 *
 * A sparse file stands for physical memory (mmap offset = address), so the
 * real loader runs.  Then its work is looked at as the CPU and the kernel
 * will: the page tables are walked, boot_params is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "boot/load/slice.h"
#include "ccboot.h"

#define MIB		(1ull << 20)
#define SETUP_SECTS	3
#define PAYLOAD		(2 * MIB)
#define KERNEL_SIZE	((SETUP_SECTS + 1) * 512 + PAYLOAD)

static uint8_t *kernel;

static struct setup_header *header(void)
{
	return (void *)(kernel + 0x1f1);
}

static int setup(void **state)
{
	struct setup_header *h;

	kernel = calloc(1, KERNEL_SIZE);
	h = header();
	h->setup_sects = SETUP_SECTS;
	h->boot_flag = 0xaa55;
	h->jump = 0x66eb;	/* header ends at 0x202 + 0x66 */
	h->header = 0x53726448;
	h->version = 0x020f;
	h->loadflags = LOADED_HIGH;
	h->xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G;
	h->relocatable_kernel = 1;
	h->kernel_alignment = 2 * MIB;
	h->init_size = 20 * MIB;
	h->cmdline_size = 2047;
	h->syssize = PAYLOAD / 16;
	memset(kernel + (SETUP_SECTS + 1) * 512, 0x5a, PAYLOAD);
	return 0;
}

static int teardown(void **state)
{
	free(kernel);
	return 0;
}

static void test_good(void **state)
{
	struct bzimage bz;
	struct why why;

	assert_int_equal(bzimage_parse(kernel, KERNEL_SIZE, &bz, &why), 0);
	assert_int_equal(bz.payload_off, (SETUP_SECTS + 1) * 512);
	assert_int_equal(bz.payload_size, PAYLOAD);
	assert_int_equal(bz.init_size, 20 * MIB);
}

static void refuse(const char *part)
{
	struct bzimage bz;
	struct why why = { "" };

	assert_int_equal(bzimage_parse(kernel, KERNEL_SIZE, &bz, &why), -ENOEXEC);
	assert_non_null(strstr(why.text, part));
}

static void test_no_kernel(void **state)
{
	struct bzimage bz;
	struct why why;

	for (size_t len = 0; len < 600; len++)
		assert_int_equal(bzimage_parse(kernel, len, &bz, &why), -ENOEXEC);
	assert_int_equal(bzimage_parse(kernel, KERNEL_SIZE - 4096, &bz, &why),
			 -ENOEXEC);
}

static void test_bad_magic(void **state)
{
	header()->header++;
	refuse("not a bzImage");
}

static void test_old(void **state)
{
	header()->version = 0x020a;
	refuse("2.10");
}

static void test_32_bit(void **state)
{
	header()->xloadflags = 0;
	refuse("64-bit");
}

static void test_fixed(void **state)
{
	header()->relocatable_kernel = 0;
	refuse("RELOCATABLE");
}

static void test_alignment(void **state)
{
	header()->kernel_alignment = 3 * MIB;
	refuse("alignment");
}

static void test_no_alignment(void **state)
{
	header()->kernel_alignment = 0;
	refuse("alignment");
}

static void test_sizes_lie(void **state)
{
	header()->init_size = 4096;
	refuse("less memory");
}

static void test_random(void **state)
{
	struct bzimage bz;
	struct why why;

	/* Any header: no crash, and what is accepted lies inside the file. */
	srand(1);
	for (int i = 0; i < 20000; i++) {
		kernel[0x1f1 + rand() % 0x80] = rand();
		if (bzimage_parse(kernel, KERNEL_SIZE, &bz, &why))
			continue;
		assert_true(bz.payload_off + bz.payload_size <= KERNEL_SIZE);
	}
}

/* A slice above 4 GiB, and the memory behind it. */
struct world {
	int fd;
	struct slice slice;
	char initrd[5000];
	struct topo_cpu cpu;
	struct range mem;
};

static void world_make(struct world *w, uint64_t size)
{
	memset(w, 0, sizeof(*w));
	w->fd = memfd_create("memory", MFD_CLOEXEC);
	assert_int_equal(ftruncate(w->fd, 8ll << 30), 0);
	memset(w->initrd, 0x77, sizeof(w->initrd));
	w->cpu.apic_id = 3;
	w->mem = (struct range){ 0x13fe00000ull, size, 0 };
	w->slice = (struct slice){
		.mem = { 0x13fe00000ull, size },
		.low = { 0x30000, 0x10000 },
		.kernel_file = kernel, .kernel_size = KERNEL_SIZE,
		.initrd = w->initrd, .initrd_size = sizeof(w->initrd),
		.cmdline = "console=hvc0 test",
		.machine = { .cpus = &w->cpu, .ncpus = 1, .memory = &w->mem,
			     .nmemory = 1, .reset = 0x1000 },
		.token = 0x1234,
	};
	memset(w->slice.seed, 9, sizeof(w->slice.seed));
}

static void peek(struct world *w, uint64_t phys, void *buf, size_t len)
{
	assert_int_equal(pread(w->fd, buf, len, phys), len);
}

/* What the CPU's walk of the tables gives for @addr. */
static uint64_t walk(struct world *w, uint64_t cr3, uint64_t addr)
{
	uint64_t table = cr3, entry = 0;

	for (int shift = 39; shift >= 21; shift -= 9) {
		peek(w, table + (addr >> shift & 511) * 8, &entry, 8);
		assert_int_equal(entry & 3, 3);
		table = entry & 0x000ffffffffff000ull;
	}
	assert_true(entry & 0x80);
	return table + (addr & (2 * MIB - 1));
}

static void test_load(void **state)
{
	struct ccboot_trampoline tr;
	struct boot_params bp;
	struct slice_layout at;
	struct bzimage bz;
	struct world w;
	struct why why;
	uint64_t sum = 0;
	char line[64];

	world_make(&w, 64 * MIB);
	assert_int_equal(slice_check(&w.slice, &bz, &at, &why), 0);
	assert_int_equal(slice_load(&w.slice, w.fd, &why), 0);
	peek(&w, 0x30000 + CCBOOT_TRAMPOLINE_OFF, &tr, sizeof(tr));
	assert_int_equal(tr.magic, CCBOOT_TRAMPOLINE_MAGIC);
	assert_int_equal(tr.cr3, 0x31000);
	assert_int_equal(tr.token, 0x1234);
	/* Everything the CPU goes through is mapped to itself. */
	for (uint64_t a = w.slice.mem.start; a < w.slice.mem.start + w.slice.mem.size;
	     a += MIB)
		assert_int_equal(walk(&w, tr.cr3, a), a);
	assert_int_equal(walk(&w, tr.cr3, tr.far_offset), tr.far_offset);
	assert_int_equal(walk(&w, tr.cr3, tr.gdt_base), tr.gdt_base);
	assert_int_equal(tr.entry, at.kernel.start + 0x200);
	peek(&w, tr.entry, line, 8);
	assert_int_equal(line[0], 0x5a);

	peek(&w, tr.rsi, &bp, sizeof(bp));
	assert_int_equal(bp.hdr.header, 0x53726448);
	assert_int_equal(bp.hdr.type_of_loader, 0xff);
	assert_int_equal(bp.screen_info.orig_video_isVGA, 0);
	peek(&w, bp.hdr.cmd_line_ptr | (uint64_t)bp.ext_cmd_line_ptr << 32, line,
	     sizeof(line));
	assert_string_equal(line, "console=hvc0 test");
	peek(&w, bp.hdr.ramdisk_image | (uint64_t)bp.ext_ramdisk_image << 32, line, 1);
	assert_int_equal(line[0], 0x77);
	assert_int_equal(bp.hdr.ramdisk_size, 5000);
	peek(&w, bp.acpi_rsdp_addr, line, 8);
	assert_memory_equal(line, "RSD PTR ", 8);
	peek(&w, bp.hdr.setup_data, &sum, 8);
	assert_int_equal(sum, 0);	/* the last of the list */
	assert_int_equal(bp.e820_entries, 3);
	sum = 0;
	for (int i = 0; i < 3; i++)
		sum += bp.e820_table[i].size;
	assert_int_equal(sum, w.slice.mem.size + w.slice.low.size - 4096);
	assert_int_equal(bp.e820_table[0].addr, 0x31000);
	close(w.fd);
}

static void test_too_large(void **state)
{
	struct world w;
	struct why why;
	struct bzimage bz;
	struct slice_layout at;

	world_make(&w, 16 * MIB);
	assert_int_equal(slice_load(&w.slice, w.fd, &why), -ENOSPC);
	assert_non_null(strstr(why.text, "kernel needs"));
	w.slice.mem.size = 64 * MIB;
	w.slice.initrd_size = 60 * MIB;
	assert_int_equal(slice_check(&w.slice, &bz, &at, &why), -ENOSPC);
	assert_non_null(strstr(why.text, "initrd"));
	close(w.fd);
}

static void test_long_cmdline(void **state)
{
	static char line[4000];
	struct world w;
	struct why why;

	world_make(&w, 64 * MIB);
	memset(line, 'x', sizeof(line) - 1);
	w.slice.cmdline = line;
	assert_int_equal(slice_load(&w.slice, w.fd, &why), -E2BIG);
	close(w.fd);
}

/* Slices of all sizes and places: the parts never overlap. */
static void test_layouts(void **state)
{
	struct bzimage bz;
	struct slice_layout at;
	struct world w;
	struct why why;

	world_make(&w, 64 * MIB);
	srand(2);
	for (int i = 0; i < 5000; i++) {
		uint64_t end;

		w.slice.mem.start = (1 + rand() % 100000ull) * 2 * MIB;
		w.slice.mem.size = (1 + rand() % 2000) * 2 * MIB;
		w.slice.initrd_size = rand() % (40 * MIB);
		if (slice_check(&w.slice, &bz, &at, &why))
			continue;
		end = w.slice.mem.start + w.slice.mem.size;
		assert_true(at.kernel.start >= w.slice.mem.start);
		assert_int_equal(at.kernel.start % bz.align, 0);
		assert_true(at.kernel.start + at.kernel.size <= at.initrd.start);
		assert_true(at.initrd.start + at.initrd.size <= at.params.start);
		assert_true(at.params.start + at.params.size <= at.acpi.start);
		assert_true(at.acpi.start + at.acpi.size <= end);
		assert_true(at.tables + at.ntables * 4096 <=
			    at.params.start + at.params.size);
	}
	close(w.fd);
}

int main(void)
{
#define WITH_KERNEL(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_KERNEL(test_good),
		WITH_KERNEL(test_no_kernel),
		WITH_KERNEL(test_bad_magic),
		WITH_KERNEL(test_old),
		WITH_KERNEL(test_32_bit),
		WITH_KERNEL(test_fixed),
		WITH_KERNEL(test_alignment),
		WITH_KERNEL(test_no_alignment),
		WITH_KERNEL(test_sizes_lie),
		WITH_KERNEL(test_random),
		WITH_KERNEL(test_load),
		WITH_KERNEL(test_too_large),
		WITH_KERNEL(test_long_cmdline),
		WITH_KERNEL(test_layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

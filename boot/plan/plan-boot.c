// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan-boot.c - a plan and the boot image's kernel: its command line before the
 * kexec, its memory map after it.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/plan/plan.h"
#include "boot/text/scan.h"

#define MARK		"ccctl.plan="
#define REGION_RAM	"System RAM (sharedpc)"	/* sharedpc/box/region.c */

char *plan_cmdline(const struct plan *plan)
{
	struct range extents[PLAN_MAX_USES];
	int i, n = plan_extents(plan, extents, PLAN_MAX_USES);
	char *text = NULL;
	char size[24];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, MARK "%s", plan->conf_hash);
	/*
	 * Highest first: KASLR looks at the first four only, and never goes
	 * below 16 MiB, where the ranges left out then are.
	 */
	for (i = n - 1; i >= 0; i--)
		fprintf(out, " memmap=%s$0x%" PRIx64,
			values_size_str(extents[i].size, size, sizeof(size)),
			extents[i].start);
	/*
	 * noreplace-smp: a kernel with a single CPU would patch the LOCK
	 * prefixes out of its code, and its atomics are on memory that the
	 * other images change as well.
	 */
	fprintf(out, " no_ipi_broadcast=1 noreplace-smp printk.devkmsg=on");
	if (plan->images[0].cmdline[0])
		fprintf(out, " %s", plan->images[0].cmdline);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* Where the words of plan_cmdline() begin, or NULL. */
static const char *find_mark(const char *cmdline)
{
	const char *mark = cmdline;

	while ((mark = strstr(mark, MARK))) {
		if (mark == cmdline || mark[-1] == ' ')
			return mark;
		mark++;
	}
	return NULL;
}

char *plan_cmdline_strip(const char *cmdline)
{
	const char *mark = find_mark(cmdline);
	size_t len = mark ? (size_t)(mark - cmdline) : strlen(cmdline);

	while (len && isspace((unsigned char)cmdline[len - 1]))
		len--;
	return strndup(cmdline, len);
}

bool plan_cmdline_closed(const char *cmdline)
{
	const char *at = cmdline;
	bool quoted = false;

	for (; *at; at++) {
		if (!quoted && !strncmp(at, "--", 2) &&
		    (at == cmdline || isspace((unsigned char)at[-1])) &&
		    (!at[2] || isspace((unsigned char)at[2])))
			return true;
		quoted ^= *at == '"';
	}
	return false;
}

int plan_verify_cmdline(const struct plan *plan, const char *cmdline)
{
	const char *mark = find_mark(cmdline);
	size_t len = 0;

	if (!mark)
		return 0;
	mark += strlen(MARK);
	while (mark[len] && !isspace((unsigned char)mark[len]))
		len++;
	return len == strlen(plan->conf_hash) &&
		!memcmp(mark, plan->conf_hash, len) ? 0 : -ESTALE;
}

int plan_conf_changed(const struct plan *plan)
{
	char hash[17];
	int err = scan_hash_file(plan->conf_file, hash);

	return err ? err : strcmp(hash, plan->conf_hash) != 0;
}

/* The next entry of /proc/iomem; false at its end. */
static bool next_iomem(FILE *iomem, struct range *range, char *use, size_t len)
{
	uint64_t start, end;
	char line[512];
	int at = 0;

	while (fgets(line, sizeof(line), iomem)) {
		if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %n", &start, &end, &at) < 2 ||
		    !at)
			continue;
		snprintf(use, len, "%s", line + at);
		use[strcspn(use, "\n")] = '\0';
		*range = (struct range){ start, end - start + 1, 0 };
		return true;
	}
	return false;
}

static bool used_by_kernel(const char *use)
{
	return !strcmp(use, "System RAM") || !strncmp(use, "Kernel ", 7) ||
	       !strcmp(use, "Crash kernel");
}

static bool find_user(const struct plan *plan, const struct range *ram,
		      struct range *bad, char *what, size_t len)
{
	static const char *const names[] = {
		[PLAN_USE_CTL]	  = "control area",
		[PLAN_USE_REGION] = "region",
		[PLAN_USE_LOW]	  = "low memory of ",
		[PLAN_USE_MEM]	  = "slice of ",
	};
	struct plan_use uses[PLAN_MAX_USES];
	int i, n = plan_uses(plan, uses);

	for (i = 0; i < n; i++) {
		if (!range_overlaps(ram, &uses[i].range))
			continue;
		*bad = uses[i].range;
		snprintf(what, len, "%s%s", names[uses[i].what],
			 uses[i].what >= PLAN_USE_LOW ? uses[i].image->name : "");
		return true;
	}
	return false;
}

int plan_verify_reserved(const struct plan *plan, FILE *iomem,
			 struct range *bad, char *what, size_t len)
{
	bool shown = false;
	struct range ram;
	char use[256];

	while (next_iomem(iomem, &ram, use, sizeof(use))) {
		shown |= ram.start + ram.size > 1;
		if (used_by_kernel(use) && find_user(plan, &ram, bad, what, len))
			return -EBUSY;
	}
	return shown ? 0 : -ENOMSG;
}

bool plan_region_stays(FILE *iomem, struct range *piece)
{
	char use[256];

	while (next_iomem(iomem, piece, use, sizeof(use)))
		if (!strcmp(use, REGION_RAM))
			return true;
	return false;
}

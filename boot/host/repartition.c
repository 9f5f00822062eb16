// SPDX-License-Identifier: GPL-2.0-only
/*
 * repartition.c - kexecs this machine into the boot image's kernel
 *
 *	command line	the running one, without what an earlier partition
 *			added, then the plan's reservations
 *	initrd		an SRAT with a spare node (acpi.h), not compressed, as
 *			the kernel wants its ACPI tables; then the boot
 *			image's own initrd, if it has one
 *
 * Debian's kexec does the rest.  Anything that would make it fail is looked
 * for first, because its own messages do not say what to do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/host/repartition.h"
#include "boot/host/spawn.h"
#include "boot/load/acpi.h"
#include "boot/load/bzimage.h"
#include "boot/load/cpio.h"
#include "boot/text/slurp.h"
#include "ccboot.h"
#include "sharedpc_limits.h"

#define SRAT_FILE	"/sys/firmware/acpi/tables/SRAT"
#define LOCKDOWN_FILE	"/sys/kernel/security/lockdown"
#define DISABLED_FILE	"/proc/sys/kernel/kexec_load_disabled"
#define FILE_MAX	(1ull << 30)

/*
 * memhp_default_state: the region's memory blocks come up where nothing of the
 * kernel's own can settle; numa_balancing: nobody moves shared pages about.
 */
#define OPTIONS		"memhp_default_state=online_movable numa_balancing=disable"

static int check_allowed(struct why *why)
{
	char text[256];

	if (geteuid())
		return why_set(why, -EPERM, "only root can do this");
	if (!access(CCBOOT_DEVICE, F_OK))
		return why_set(why, -EBUSY,
			       "the images of this box may be running; run ccctl down first");
	if (!slurp_line(text, sizeof(text), LOCKDOWN_FILE) && !strstr(text, "[none]"))
		return why_set(why, -EPERM,
			       "the kernel is locked down (secure boot?): it takes neither kexec's kernel nor ACPI tables");
	if (!slurp_line(text, sizeof(text), DISABLED_FILE) && text[0] != '0')
		return why_set(why, -EPERM,
			       "kexec has been disabled until the next reboot (sysctl kernel.kexec_load_disabled)");
	if (spawn_output((const char *[]){ "kexec", "--version", NULL }, LIMIT_MODULE_S,
			 text, sizeof(text)) == 127)
		return why_set(why, -ENOENT,
			       "kexec is not installed; install the package kexec-tools");
	return 0;
}

static int check_kernel(const char *path, struct why *why)
{
	struct bzimage bz;
	struct why inner;
	char *data;
	size_t len;
	int ret = slurp_file(path, FILE_MAX, &data, &len);

	if (ret)
		return why_set(why, ret, "%s: the boot image's kernel: %s", path,
			       strerror(-ret));
	ret = bzimage_parse(data, len, &bz, &inner);
	free(data);
	return ret ? why_set(why, ret, "%s: %s", path, inner.text) : 0;
}

/* Into r->cmdline. */
static int make_cmdline(struct repartition *r, const struct plan *plan,
			struct why *why)
{
	char *now = NULL, *base = NULL, *added = NULL;
	size_t len;
	int ret = slurp_file("/proc/cmdline", FILE_MAX, &now, &len);

	if (ret)
		return why_set(why, ret, "/proc/cmdline: %s", strerror(-ret));
	base = plan_cmdline_strip(now);
	added = plan_cmdline(plan);
	if (!base || !added)
		ret = why_set(why, -ENOMEM, "out of memory");
	else if (plan_cmdline_closed(base))
		ret = why_set(why, -EINVAL,
			      "the running kernel's command line has a \"--\", behind which all is init's; boot this machine without it");
	else if (asprintf(&r->cmdline, "%s%s%s " OPTIONS, base,
			  base[0] ? " " : "", added) < 0) {
		r->cmdline = NULL;
		ret = why_set(why, -ENOMEM, "out of memory");
	}
	free(now);
	free(base);
	free(added);
	return ret;
}

int repartition_prepare(struct repartition *r, const struct plan *plan,
			const struct topology *topo, struct why *why)
{
	int ret;

	memset(r, 0, sizeof(*r));
	r->kernel = plan->images[SHAREDPC_BOOT].kernel;
	r->initrd = plan->images[SHAREDPC_BOOT].initrd;
	r->topo = topo;
	ret = check_allowed(why);
	if (!ret)
		ret = check_kernel(r->kernel, why);
	if (!ret && r->initrd[0] && access(r->initrd, R_OK))
		ret = why_set(why, -errno, "%s: the boot image's initrd: %s",
			      r->initrd, strerror(errno));
	if (!ret)
		ret = make_cmdline(r, plan, why);
	if (!ret && strlen(r->cmdline) >= 2048)
		ret = why_set(why, -E2BIG,
			      "the boot image's kernel command line would have %zu bytes, 2047 is the most",
			      strlen(r->cmdline));
	return ret;
}

static int put_tables(FILE *out, const struct topology *topo, struct why *why)
{
	char *old = NULL;
	void *srat = NULL;
	size_t len = 0, srat_len;
	int ret = slurp_file(SRAT_FILE, FILE_MAX, &old, &len);

	if (ret && ret != -ENOENT)
		return why_set(why, ret, SRAT_FILE ": %s", strerror(-ret));
	ret = srat_make(old, len, topo, &srat, &srat_len, why);
	free(old);
	if (ret)
		return ret;
	ret = cpio_archive(out, "kernel/firmware/acpi/srat.aml", srat, srat_len);
	free(srat);
	return ret ? why_set(why, ret, REPARTITION_INITRD ": %s", strerror(-ret)) : 0;
}

static int append_file(FILE *out, const char *path, struct why *why)
{
	char *data;
	size_t len;
	int ret = slurp_file(path, FILE_MAX, &data, &len);

	if (ret)
		return why_set(why, ret, "%s: %s", path, strerror(-ret));
	if (fwrite(data, 1, len, out) != len)
		ret = why_set(why, -EIO, REPARTITION_INITRD ": cannot write");
	free(data);
	return ret;
}

static int write_initrd(const struct repartition *r, struct why *why)
{
	FILE *out;
	int ret;

	mkdir("/run/ccluster", 0755);
	out = fopen(REPARTITION_INITRD, "we");
	if (!out)
		return why_set(why, -errno, REPARTITION_INITRD ": %s",
			       strerror(errno));
	ret = put_tables(out, r->topo, why);
	if (!ret && r->initrd[0])
		ret = append_file(out, r->initrd, why);
	if (fclose(out) && !ret)
		ret = why_set(why, -errno, REPARTITION_INITRD ": %s",
			      strerror(errno));
	return ret;
}

int repartition_load(const struct repartition *r, struct why *why)
{
	char *line = NULL;
	int ret = write_initrd(r, why);

	if (ret)
		return ret;
	if (asprintf(&line, "--command-line=%s", r->cmdline) < 0)
		return why_set(why, -ENOMEM, "out of memory");
	ret = spawn_wait((const char *[]){ "kexec", "-s", "-l", r->kernel,
			 "--initrd=" REPARTITION_INITRD, line, NULL });
	free(line);
	if (ret)
		return why_set(why, -EIO, "kexec -l failed (status %d)", ret);
	return 0;
}

void repartition_unload(void)
{
	spawn_wait((const char *[]){ "kexec", "-s", "-u", NULL });
}

int repartition_jump(struct why *why)
{
	int ret = spawn_wait((const char *[]){ "kexec", "-e", NULL });

	return why_set(why, -EIO, "kexec -e failed (status %d)", ret);
}

void repartition_free(struct repartition *r)
{
	free(r->cmdline);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf-cmdline.c - what an image's own kernel command line may not say.
 *
 * The loader and `ccctl partition` put parameters on the command line that the
 * partition hangs on: which memory is whose, which CPUs, where the shared area
 * lies. The configuration must not contradict them. The kernel takes '-' and
 * '_' in a name as the same, so does the comparison here.
 */
#include "boot/conf/conf-check.h"

#include <string.h>

#define CLIENT	1
#define BOOT	2
#define BOTH	(CLIENT | BOOT)

struct owned {
	const char *name;	/* a trailing "." owns all names below it */
	int on;			/* CLIENT, BOOT or both */
	const char *instead;
};

static const struct owned owned[] = {
	{ "memmap", BOTH, "sizes come from \"memory\" and \"region\"" },
	{ "mem", BOTH, "sizes come from \"memory\" and \"region\"" },
	{ "no_ipi_broadcast", BOTH, "every image has it already" },
	{ "noreplace-smp", BOTH, "every image has it already" },
	{ "sharedpc.", BOTH, "ccctl sets these" },
	{ "ccboot.", BOTH, "ccctl sets these" },
	{ "ccluster.", BOTH, "ccctl sets these" },
	{ "ccctl.", BOTH, "ccctl sets these" },
	{ "nokaslr", BOOT, "KASLR moves the kernel out of the slices" },
	{ "acpi", CLIENT, "the image has tables of its own" },
	{ "acpi_rsdp", CLIENT, "the image has tables of its own" },
	{ "pci", CLIENT, "PCI functions come from \"devices\"" },
	{ "noapic", CLIENT, "the loader chooses the interrupt mode" },
	{ "nolapic", CLIENT, "the loader chooses the interrupt mode" },
	{ "nox2apic", CLIENT, "the loader chooses the interrupt mode" },
	{ "disable_cpu_apicid", CLIENT, "CPUs come from \"cpus\"" },
	{ "tsc", CLIENT, "the loader hands over the clock" },
	{ "tsc_early_khz", CLIENT, "the loader hands over the clock" },
	{ "init", CLIENT, "the initrd's /init brings the image up" },
	{ "rdinit", CLIENT, "the initrd's /init brings the image up" },
	{ "root", CLIENT, "the root is the mount with target \"/\"" },
	{ "initrd", CLIENT, "the file is named by \"initrd\"" },
	{ "memhp_default_state", BOTH, "an owner's frames come up as they must" },
	{ "numa", BOTH, "an owner's frames are a node of their own" },
	{ "numa_balancing", BOTH, "nobody moves shared pages about" },
	{ "crashkernel", CLIENT, "an image cannot kexec" },
	{ "--", BOTH, "what follows would hide ccctl's parameters" },
};

static bool name_equal(const char *a, const char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	return true;
}

static const struct owned *find_owned(const char *name, size_t len, bool boot)
{
	size_t i, n;

	for (i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
		n = strlen(owned[i].name);
		if (!(owned[i].on & (boot ? BOOT : CLIENT)))
			continue;
		if (owned[i].name[n - 1] == '.' ? len < n : len != n)
			continue;
		if (name_equal(name, owned[i].name, n))
			return &owned[i];
	}
	return NULL;
}

/* End of the parameter at @s: a space outside of double quotes. */
static const char *param_end(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || *s != ' '); s++)
		quoted ^= *s == '"';
	return s;
}

void conf_check_cmdline(const struct conf_image *image, struct diag *diag)
{
	const char *s = image->cmdline.s ? image->cmdline.s : "";
	int line = image->cmdline.line;
	size_t i;

	if (strlen(s) > CONF_MAX_CMDLINE)
		diag_add(diag, line,
			 "cmdline of %zu bytes is too long; %d are the limit",
			 strlen(s), CONF_MAX_CMDLINE);
	for (i = 0; s[i]; i++) {
		if (s[i] >= ' ' && s[i] < 0x7f)
			continue;
		diag_add(diag, line,
			 "byte 0x%02x in cmdline; only printable ASCII is allowed",
			 (unsigned char)s[i]);
		return;
	}
	while (*s) {
		size_t len = strcspn(s, "= ");
		const struct owned *hit = find_owned(s, len, image->boot);

		if (len && hit)
			diag_add(diag, line,
				 "cmdline has \"%.*s\", which ccctl sets; remove it, %s",
				 (int)len, s, hit->instead);
		s = param_end(s);
		s += strspn(s, " ");
	}
}

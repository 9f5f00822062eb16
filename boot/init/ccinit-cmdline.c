// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit-cmdline.c - what the kernel command line says to ccinit
 *
 *	sharedpc.self=N sharedpc.ctl=ADDRESS sharedpc.ctl_size=BYTES
 *	ccluster.mount=SOURCE,TARGET,OPTIONS	any number, in this order
 *						(overlay: ro, with a tmpfs over it)
 *
 * Names and paths with blanks, commas or quotes cannot be written this way;
 * partitions.conf does not allow them (conf-mounts.c).
 */
#include <errno.h>
#include <string.h>

#include "boot/init/ccinit.h"

/* Value of "key=value", or NULL. */
static char *value(char *word, const char *key)
{
	size_t len = strlen(key);

	return strncmp(word, key, len) || word[len] != '=' ? NULL : word + len + 1;
}

static int parse_mount(struct init_options *opt, char *text)
{
	struct init_mount *m = &opt->mounts[opt->nmounts];

	if (opt->nmounts == LIMIT_CLIENT_MOUNTS) {
		ccinit_say("more than %d mounts", LIMIT_CLIENT_MOUNTS);
		return -EINVAL;
	}
	m->source = strsep(&text, ",");
	m->target = strsep(&text, ",");
	m->options = text;
	if (!m->target || m->target[0] != '/' || !m->options) {
		ccinit_say("malformed ccluster.mount=%s", m->source);
		return -EINVAL;
	}
	m->overlay = !strcmp(m->options, "overlay");
	if (m->overlay)
		m->options = "ro";
	opt->nmounts++;
	return 0;
}

static int parse_word(char *word, struct init_options *opt)
{
	char *v;

	v = value(word, "sharedpc.self");
	if (v)
		opt->self = v;
	v = value(word, "sharedpc.ctl");
	if (v)
		opt->ctl = v;
	v = value(word, "sharedpc.ctl_size");
	if (v)
		opt->ctl_size = v;
	v = value(word, "ccluster.mount");
	return v ? parse_mount(opt, v) : 0;
}

int ccinit_parse_cmdline(char *line, struct init_options *opt)
{
	char *word;
	int ret;

	memset(opt, 0, sizeof(*opt));
	while ((word = strsep(&line, " \n"))) {
		ret = parse_word(word, opt);
		if (ret)
			return ret;
	}
	if (!opt->self || !opt->ctl || !opt->ctl_size) {
		ccinit_say("sharedpc.self, .ctl or .ctl_size is missing on the command line");
		return -EINVAL;
	}
	if (!opt->nmounts || strcmp(opt->mounts[0].target, "/")) {
		ccinit_say("no ccluster.mount= for the root");
		return -EINVAL;
	}
	return 0;
}

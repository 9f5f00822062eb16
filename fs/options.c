// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - parses what mount(8) hands over, see options.h
 *
 * Three kinds of options: those that are flags of mount(2), those that are
 * for mount(8), fstab or systemd alone and mean nothing here, and our own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "fs/options.h"

struct flag_option {
	const char *name;
	unsigned long set;
	unsigned long clear;
};

static const struct flag_option flag_options[] = {
	{ "rw",		 0,		MS_RDONLY },
	{ "ro",		 MS_RDONLY,	0 },
	{ "suid",	 0,		MS_NOSUID },
	{ "nosuid",	 MS_NOSUID,	0 },
	{ "dev",	 0,		MS_NODEV },
	{ "nodev",	 MS_NODEV,	0 },
	{ "exec",	 0,		MS_NOEXEC },
	{ "noexec",	 MS_NOEXEC,	0 },
	{ "async",	 0,		MS_SYNCHRONOUS },
	{ "sync",	 MS_SYNCHRONOUS, 0 },
	{ "atime",	 0,		MS_NOATIME },
	{ "noatime",	 MS_NOATIME,	0 },
	{ "diratime",	 0,		MS_NODIRATIME },
	{ "nodiratime",	 MS_NODIRATIME,	0 },
	{ "relatime",	 MS_RELATIME,	0 },
	{ "norelatime",	 0,		MS_RELATIME },
	{ "strictatime", MS_STRICTATIME, MS_RELATIME },
	{ "nostrictatime", 0,		MS_STRICTATIME },
	{ "lazytime",	 MS_LAZYTIME,	0 },
	{ "nolazytime",	 0,		MS_LAZYTIME },
	{ "silent",	 MS_SILENT,	0 },
	{ "loud",	 0,		MS_SILENT },
	{ "defaults",	 0,	MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC |
				MS_SYNCHRONOUS },
};

static const char *const others[] = {	/* for others than us */
	"auto", "noauto", "user", "nouser", "users", "nousers", "owner",
	"noowner", "group", "nogroup", "_netdev", "nofail", "allow_other",
};

static bool is_for_others(const char *name)
{
	if (!strncasecmp(name, "x-", 2) || !strncmp(name, "comment=", 8) ||
	    !strncmp(name, "user=", 5))
		return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(name, others[i]))
			return true;
	return false;
}

static bool set_flag(struct options *opt, const char *name)
{
	for (size_t i = 0; i < sizeof(flag_options) / sizeof(flag_options[0]); i++) {
		const struct flag_option *f = &flag_options[i];

		if (strcmp(name, f->name))
			continue;
		opt->flags = (opt->flags & ~f->clear) | f->set;
		return true;
	}
	return false;
}

static int parse_one(struct options *opt, char *name, char *why, size_t len)
{
	if (set_flag(opt, name) || is_for_others(name))
		return 0;
	if (!strcmp(name, "foreground")) {
		opt->foreground = true;
	} else if (!strcmp(name, "debug")) {
		opt->debug = opt->foreground = true;
	} else if (!strcmp(name, "nocache")) {
		opt->nocache = true;
	} else if (!strncmp(name, "connect=unix:", 13) && name[13]) {
		opt->connect = name + 13;
	} else if (!strcmp(name, "remount")) {
		snprintf(why, len, "remount is not supported: umount, then mount");
		return -EINVAL;
	} else if (!strcmp(name, "dirsync")) {
		snprintf(why, len, "dirsync is not supported: names are made by the owner, on its own mount");
		return -EINVAL;
	} else if (!opt->sloppy) {
		snprintf(why, len, "unknown option '%s'", name);
		return -EINVAL;
	}
	return 0;
}

static int parse_list(struct options *opt, char *list, char *why, size_t len)
{
	char *name, *save;
	int ret;

	for (name = strtok_r(list, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		ret = parse_one(opt, name, why, len);
		if (ret)
			return ret;
	}
	return 0;
}

static int parse_source(struct options *opt, char *why, size_t len)
{
	const char *colon = strchr(opt->source, ':');
	size_t n = colon ? (size_t)(colon - opt->source) : 0;

	if (!n || n >= sizeof(opt->image) || colon[1] != '/') {
		snprintf(why, len, "source '%s' is not IMAGE:/PATH", opt->source);
		return -EINVAL;
	}
	memcpy(opt->image, opt->source, n);
	opt->image[n] = '\0';
	opt->path = colon + 1;
	return 0;
}

/* Letters of one argument, "-fnv"; true when it ends in o: a list follows. */
static int parse_letters(struct options *opt, const char *arg, bool *list,
			 char *why, size_t len)
{
	for (arg++; *arg; arg++) {
		switch (*arg) {
		case 's':
			opt->sloppy = true;
			break;
		case 'f':
			opt->fake = true;
			break;
		case 'v':
			opt->verbose = true;
			break;
		case 'n':	/* no mtab: there never is one */
			break;
		case 'r':
			opt->flags |= MS_RDONLY;
			break;
		case 'w':
			opt->flags &= ~(unsigned long)MS_RDONLY;
			break;
		case 'h':
			opt->help = true;
			break;
		case 'o':
			if (!arg[1]) {
				*list = true;
				return 0;
			}
			/* fall through */
		default:
			snprintf(why, len, "unknown flag '-%c'", *arg);
			return -EINVAL;
		}
	}
	return 0;
}

int options_parse(struct options *opt, int argc, char *argv[],
		  char *why, size_t len)
{
	char *lists[16];
	int ret, nlists = 0;

	memset(opt, 0, sizeof(*opt));
	for (int i = 1; i < argc; i++) {
		bool list = false;

		if (!strcmp(argv[i], "--help")) {
			opt->help = true;
		} else if (argv[i][0] == '-' && argv[i][1]) {
			ret = parse_letters(opt, argv[i], &list, why, len);
			if (ret)
				return ret;
			if (list && (++i == argc || nlists == 16)) {
				snprintf(why, len, i == argc ?
					 "-o needs options" : "too many -o");
				return -EINVAL;
			}
			if (list)
				lists[nlists++] = argv[i];
		} else if (!opt->source) {
			opt->source = argv[i];
		} else if (!opt->target) {
			opt->target = argv[i];
		} else {
			snprintf(why, len, "one argument too many: '%s'", argv[i]);
			return -EINVAL;
		}
	}
	if (opt->help)
		return 0;
	if (!opt->target) {
		snprintf(why, len, "needs IMAGE:/PATH and a mount point");
		return -EINVAL;
	}
	for (int i = 0; i < nlists; i++) {	/* -s counts wherever it stood */
		ret = parse_list(opt, lists[i], why, len);
		if (ret)
			return ret;
	}
	return parse_source(opt, why, len);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * limits.c - what the daemon needs of the owner's kernel for itself.
 *
 * A proxy has a descriptor for each file that its client has open, for many
 * others that it knows (node.h), and a mapping for each GiB of each file that
 * it has mapped. Limits of the whole machine
 * (sysctls) are only ever raised: fs.file-max so far that proxies at their own
 * limit leave descriptors to everybody else, since exceeding it would fail
 * every open() of the owner.
 *
 * Nor may a write end a proxy, for a log that nobody reads or a file that is
 * larger than who started proxyd may write: both are errors then.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxyd/limits.h"
#include "proxyd/life/log.h"

int limit_raise(const char *path, uint64_t least)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), ret = 0;
	char text[32] = "";
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		ret = -errno;
	if (!ret && strtoull(text, NULL, 10) < least) {
		n = snprintf(text, sizeof(text), "%" PRIu64 "\n", least);
		if (pwrite(fd, text, n, 0) != n)
			ret = -errno;
	}
	close(fd);
	return ret;
}

static void sysctl_raise(const char *path, uint64_t least)
{
	int ret = limit_raise(path, least);

	if (ret)
		log_say("cannot raise %s to %" PRIu64 ": %s", path, least,
			strerror(-ret));
}

static void own_raise(int resource, rlim_t least, const char *what)
{
	struct rlimit limit = { least, least };

	if (setrlimit(resource, &limit))
		log_say("cannot raise the limit of %s: %s", what, strerror(errno));
}

void limits_raise(bool machine)
{
	/* the whole client waits for us: do not be the one that memory is taken from */
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "-1000", 5) != 5)
		log_say("cannot set oom_score_adj: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (machine) {
		sysctl_raise("/proc/sys/fs/nr_open", LIMIT_FILES);
		sysctl_raise("/proc/sys/fs/file-max", 16ULL * LIMIT_FILES);
		sysctl_raise("/proc/sys/vm/max_map_count", LIMIT_MAPS);
	}
	own_raise(RLIMIT_NOFILE, LIMIT_FILES, "open files");
	own_raise(RLIMIT_MEMLOCK, RLIM_INFINITY, "locked memory");
	own_raise(RLIMIT_FSIZE, RLIM_INFINITY, "a file's size");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

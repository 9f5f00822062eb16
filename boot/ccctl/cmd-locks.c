// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-locks.c - ccctl locks: who holds and who waits for locks of an owner's files
 *
 * All of them are in the owner's kernel, which lists them in /proc/locks; a PID says which
 * image its process is on.  Files are there by number only: their names are those under which
 * some process, a proxy for one, has them open.  A proxy sees an export as a tree of its own.
 * On the owner's own mount a lock is there twice: as FUSE's, and as the file's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "boot/ccctl/ccctl.h"
#include "boot/machine/saved.h"
#include "sharedpc_abi.h"
#include "sharedpc_limits.h"

#define LOCKS_MAX	4096	/* shown */

struct lock {
	char kind[16];		/* as /proc/locks has it */
	char mode[16];
	bool waits;
	int pid;		/* -1: it belongs to an open file */
	unsigned int major, minor;
	uint64_t ino;
	char first[24], last[24];
	char *file;		/* NULL: nobody has it open */
	bool noted;		/* of a file on our own mount: there are two */
	bool paired;		/* .. which belongs to this one */
};

/* A mount of an export of ours, on this image. */
struct own_mount {
	unsigned int dev[2], real[2];	/* its own device, and its directory's */
};

struct locks {
	const struct plan *plan;
	int self;		/* our image */
	struct own_mount *mounts;
	int nmounts;
	unsigned int (*devs)[2];	/* of our exports */
	int ndevs;
	struct lock *lock;
	int count;
	bool more;		/* than LOCKS_MAX */
};

/* The file system of @path, as /proc/locks has it: stat(2) of btrfs names a part of it. */
static bool device_of(const char *path, unsigned int dev[2])
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[2 * PATH_MAX];
	unsigned long long id;
	struct statx stx;
	bool found = false;

	if (f && !statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx))
		while (!found && fgets(line, sizeof(line), f))
			found = sscanf(line, "%llu %*d %u:%u", &id, &dev[0], &dev[1]) == 3 &&
				id == stx.stx_mnt_id;
	if (f)
		fclose(f);
	return found;
}

static bool is_on(const struct lock *l, const unsigned int dev[2])
{
	return l->major == dev[0] && l->minor == dev[1];
}

static int mount_add(struct locks *all, const struct own_mount *m)
{
	struct own_mount *more = reallocarray(all->mounts, all->nmounts + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	all->mounts = more;
	all->mounts[all->nmounts++] = *m;
	return 0;
}

/* The mounts of our own exports, see leave_mount().  0 or -ENOMEM. */
static int mounts_look(struct locks *all)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	const char *self = all->plan->images[all->self].name;
	char line[2 * PATH_MAX], source[PATH_MAX], *at;
	struct own_mount m;
	int err = 0;

	while (f && !err && fgets(line, sizeof(line), f)) {
		at = strstr(line, " - ");
		if (!at || sscanf(line, "%*d %*d %u:%u", &m.dev[0], &m.dev[1]) != 2 ||
		    sscanf(at, " - fuse.ccfs %4095s", source) != 1)
			continue;
		at = strchr(source, ':');
		if (at && !strncmp(source, self, at - source) && !self[at - source] &&
		    device_of(at + 1, m.real))
			err = mount_add(all, &m);
	}
	if (f)
		fclose(f);
	return err;
}

/* The devices of our exports.  0 or -ENOMEM. */
static int exports_look(struct locks *all)
{
	all->devs = calloc(all->plan->nexports + 1, sizeof(*all->devs));
	if (!all->devs)
		return -ENOMEM;
	for (int i = 0; i < all->plan->nexports; i++) {
		const struct plan_export *e = &all->plan->exports[i];

		if (e->image == all->self && device_of(e->path, all->devs[all->ndevs]))
			all->ndevs++;
	}
	return 0;
}

/*
 * On a mount of an export of ours, where the file has the number that it really has: so it
 * was.
 */
static bool leave_mount(const struct locks *all, struct lock *l)
{
	for (int i = 0; i < all->nmounts; i++)
		if (is_on(l, all->mounts[i].dev)) {
			l->major = all->mounts[i].real[0];
			l->minor = all->mounts[i].real[1];
			return true;
		}
	return false;
}

/* There is the other one of FUSE's note and the lock itself, which is of FUSE's file as well. */
static bool pair_take(struct locks *all, const struct lock *l)
{
	for (int i = 0; i < all->count; i++) {
		struct lock *other = &all->lock[i];

		if (!l->noted || !other->noted || other->paired ||
		    memcmp(other, l, offsetof(struct lock, file)))
			continue;
		other->paired = true;
		return true;
	}
	return false;
}

/* In the file system of an export of ours? */
static bool is_exported(const struct locks *all, const struct lock *l)
{
	for (int i = 0; i < all->ndevs; i++)
		if (is_on(l, all->devs[i]))
			return true;
	return false;
}

/* One line of /proc/locks, "1: -> POSIX  ADVISORY  WRITE 42 08:01:4711 0 EOF". */
static bool lock_parse(const char *line, struct lock *l)
{
	const char *at = strchr(line, ':');

	if (!at)
		return false;
	memset(l, 0, sizeof(*l));
	at += 1 + strspn(at + 1, " ");
	l->waits = !strncmp(at, "->", 2);
	if (l->waits)
		at += 2;
	return sscanf(at, "%15s %*s %15s %d %x:%x:%" SCNu64 " %23s %23s", l->kind, l->mode,
		      &l->pid, &l->major, &l->minor, &l->ino, l->first, l->last) == 8 &&
	       (!strcmp(l->kind, "POSIX") || !strcmp(l->kind, "OFDLCK") ||
		!strcmp(l->kind, "FLOCK"));
}

static int locks_read(struct locks *all)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[256];
	struct lock l;

	if (!f)
		return -errno;
	all->lock = calloc(LOCKS_MAX, sizeof(*all->lock));
	while (all->lock && fgets(line, sizeof(line), f)) {
		if (!lock_parse(line, &l))
			continue;
		l.noted = leave_mount(all, &l);
		if (!is_exported(all, &l) || (!l.waits && pair_take(all, &l)))
			continue;
		all->more = all->count == LOCKS_MAX;
		if (all->more)
			break;
		all->lock[all->count++] = l;
	}
	fclose(f);
	return all->lock ? 0 : -ENOMEM;
}

/* @path, of which that was said, is its file? */
static bool is_file(const struct lock *l, const struct stat *st, const char *path)
{
	unsigned int dev[2];

	if (st->st_ino != l->ino)
		return false;
	if (major(st->st_dev) == l->major && minor(st->st_dev) == l->minor)
		return true;
	return device_of(path, dev) && is_on(l, dev);
}

/* @link is what /proc says of an open file of @l: its name, allocated, or NULL. */
static char *name_of(const struct locks *all, const struct lock *l, const char *link)
{
	char *path = NULL;
	struct stat st;

	if (!lstat(link, &st) && is_file(l, &st, link))
		return strdup(link);
	for (int i = 0; i < all->plan->nexports; i++) {
		const struct plan_export *e = &all->plan->exports[i];

		if (e->image != all->self ||
		    asprintf(&path, "%s%s", strcmp(e->path, "/") ? e->path : "", link) < 0)
			continue;
		if (!lstat(path, &st) && is_file(l, &st, path))
			return path;
		free(path);
	}
	return NULL;
}

/* The process @pid has @link open as file @st. */
static void file_take(struct locks *all, const struct stat *st, const char *link)
{
	for (int i = 0; i < all->count; i++) {
		struct lock *l = &all->lock[i];

		if (!l->file && st->st_ino == l->ino)
			l->file = name_of(all, l, link);
	}
}

static void process_look(struct locks *all, const char *pid)
{
	char dir[64], link[PATH_MAX];
	struct dirent *d;
	struct stat st;
	ssize_t len;
	DIR *fds;

	snprintf(dir, sizeof(dir), "/proc/%.20s/fd", pid);
	fds = opendir(dir);
	while (fds && (d = readdir(fds))) {
		if (fstatat(dirfd(fds), d->d_name, &st, 0) ||
		    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
			continue;
		len = readlinkat(dirfd(fds), d->d_name, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		file_take(all, &st, link);
	}
	if (fds)
		closedir(fds);
}

static void files_find(struct locks *all)
{
	DIR *proc = all->count ? opendir("/proc") : NULL;
	struct dirent *d;

	while (proc && (d = readdir(proc)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9')
			process_look(all, d->d_name);
	if (proc)
		closedir(proc);
}

static const char *image_of(const struct locks *all, const struct lock *l)
{
	int pids = atoi(LIMIT_PIDS) / SHAREDPC_IMAGES_MAX;

	for (int i = 0; l->pid > 0 && i < all->plan->nimages; i++)
		if (all->plan->images[i].id == l->pid / pids)
			return all->plan->images[i].name;
	return "?";
}

static const char *kind_of(const struct lock *l)
{
	return !strcmp(l->kind, "FLOCK") ? "flock" : strcmp(l->kind, "OFDLCK") ? "posix" : "ofd";
}

static const char *mode_of(const struct lock *l)
{
	return strcmp(l->mode, "READ") ? "write" : "read";
}

static void print_text(const struct locks *all, const struct lock *l)
{
	char range[64], pid[16] = "-", file[64];

	snprintf(range, sizeof(range), "%s-%s", l->first, strcmp(l->last, "EOF") ? l->last : "");
	if (l->pid > 0)
		snprintf(pid, sizeof(pid), "%d", l->pid);
	snprintf(file, sizeof(file), "inode %" PRIu64 " of device %u:%u", l->ino, l->major,
		 l->minor);
	printf("%-10s %8s %-6s %-6s %-6s %-20s %s\n", image_of(all, l), pid, kind_of(l),
	       mode_of(l), l->waits ? "waits" : "holds", range, l->file ? l->file : file);
}

static json_t *lock_json(const struct locks *all, const struct lock *l)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:b, s:s, s:s, s:s*, s:I}",
			 "image", image_of(all, l), "pid", l->pid, "kind", kind_of(l),
			 "mode", mode_of(l), "waits", l->waits, "first", l->first,
			 "last", l->last, "file", l->file, "inode", (json_int_t)l->ino);
}

static int print(const struct ccctl_options *opt, const struct locks *all)
{
	json_t *list = json_array();
	int err = 0;

	if (!opt->json)
		printf("%-10s %8s %-6s %-6s %-6s %-20s %s\n", "IMAGE", "PID", "KIND", "MODE",
		       "STATE", "BYTES", "FILE");
	for (int i = 0; i < all->count; i++) {
		if (opt->json)
			saved_append(&list, lock_json(all, &all->lock[i]));
		else
			print_text(all, &all->lock[i]);
	}
	if (opt->json)
		err = saved_write(list, stdout);
	else
		json_decref(list);
	if (all->more)
		fprintf(stderr, "only the first %d are shown\n", LOCKS_MAX);
	return err ? ccctl_error("cannot print: %s", strerror(-err)) : CCCTL_OK;
}

static int print_locks(const struct ccctl_options *opt, struct plan *plan)
{
	struct locks all = { .plan = plan, .self = ccctl_self() };
	int status, err = mounts_look(&all) ?: exports_look(&all) ?: locks_read(&all);

	if (err) {
		status = ccctl_error("/proc/locks: %s", strerror(-err));
	} else {
		files_find(&all);
		status = print(opt, &all);
	}
	for (int i = 0; i < all.count; i++)
		free(all.lock[i].file);
	free(all.lock);
	free(all.devs);
	free(all.mounts);
	return status;
}

const struct ccctl_command cmd_locks = {
	.name = "locks",
	.on_plan = print_locks,
	.options = "json",
	.args = "[--json]",
	.summary = "Show who holds and who waits for locks of shared files",
	.help =
"      --json  print JSON\n"
"Locks of fcntl(2) and flock(2), of all images, in the file systems that this image\n"
"exports. Those of another owner: ccctl exec IMAGE -- ccctl locks. A lock of an open file\n"
"(ofd) has no process. A file that nobody has open any more is shown by its number.\n",
};

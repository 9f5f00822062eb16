// SPDX-License-Identifier: GPL-2.0-only
/* acts-attrs.c - operations that change attributes, and programs */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pairs.h"

#define COLOUR	"user.colour"
#define OTHER	"user.other"
#define ACL_OF	"system.posix_acl_access"
#define PLAIN	0644

static int plain(struct pair *p)
{
	int ret = file_make(p, p->a, 100, stamp_old(p));

	removexattr(p->a, COLOUR);
	removexattr(p->a, OTHER);
	removexattr(p->a, ACL_OF);
	if (!ret)
		ret = error_of(chmod(p->a, PLAIN));
	return ret;
}

/* Not open: then it may be remembered. */
static int plain_closed(struct pair *p)
{
	int ret = plain(p);

	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	return ret;
}

static const mode_t modes[] = { 0600, 0640, 0604, 0400, 0666, 0, 0755, 0111, 02755, 01777 };

static mode_t new_mode(const struct pair *p)
{
	return modes[p->round % (sizeof(modes) / sizeof(*modes))];
}

static void mode_facts(struct pair *p)
{
	const mode_t mode = new_mode(p);

	pair_fact(p, FACT_MODE, PLAIN, mode);
	pair_fact(p, FACT_HELD_MODE, PLAIN, mode);
	pair_fact(p, FACT_CTIME, file_ctime(p->a), 0);
}

static int to_chmod(struct pair *p)
{
	int ret = plain_closed(p);

	mode_facts(p);
	return ret;
}

static int to_fchmod(struct pair *p)
{
	int ret = plain(p);

	mode_facts(p);
	return ret;
}

static void changed(struct pair *p)
{
	pair_now(p, FACT_CTIME, file_ctime(p->a));
}

static int act_chmod(struct pair *p)
{
	return error_of(chmod(p->a, new_mode(p)));
}

static int act_fchmod(struct pair *p)
{
	return error_of(fchmod(p->fd, new_mode(p)));
}

/* What others may do goes, or comes. */
static int to_close(struct pair *p)
{
	int ret = plain_closed(p);

	pair_fact(p, FACT_MAY, 0, -EACCES);
	return ret;
}

static int act_close_off(struct pair *p)
{
	return error_of(chmod(p->a, 0640));
}

static int to_open_up(struct pair *p)
{
	int ret = plain_closed(p);

	pair_fact(p, FACT_MAY, -EACCES, 0);
	return ret ? ret : (int)error_of(chmod(p->a, 0640));
}

static int act_open_up(struct pair *p)
{
	return error_of(chmod(p->a, 0604));
}

/* The same for what is below a directory. */
static int to_close_dir(struct pair *p)
{
	char up[PATH_SIZE];
	int ret;

	pair_names(p, "d", "x");
	memcpy(up, p->a, sizeof(up));
	if (mkdir(up, 0755) && errno != EEXIST)
		return -errno;
	strcat(p->board->a, "/f");
	pair_follow(p);
	ret = file_closed(p, p->a, 100, stamp_old(p));
	pair_fact(p, FACT_MAY, 0, -EACCES);
	return ret ? ret : (int)error_of(chmod(up, 0711));
}

static int act_close_dir(struct pair *p)
{
	char up[PATH_SIZE];

	memcpy(up, p->a, sizeof(up));
	*strrchr(up, '/') = '\0';
	return error_of(chmod(up, 0700));
}

static uid_t new_owner(const struct pair *p)
{
	return 2000 + p->round;
}

static int to_chown(struct pair *p)
{
	int ret = plain(p);

	pair_fact(p, FACT_UID, 0, new_owner(p));
	pair_fact(p, FACT_HELD_UID, 0, new_owner(p));
	pair_fact(p, FACT_GID, 0, new_owner(p) + 1);
	return ret;
}

static int act_chown(struct pair *p)
{
	return error_of(chown(p->a, new_owner(p), new_owner(p) + 1));
}

static int act_fchown(struct pair *p)
{
	return error_of(fchown(p->fd, new_owner(p), new_owner(p) + 1));
}

/* A file of mode 0600 is given to who may not read it otherwise. */
static int to_give(struct pair *p)
{
	int ret = plain_closed(p);

	pair_fact(p, FACT_MAY, -EACCES, 0);
	return ret ? ret : (int)error_of(chmod(p->a, 0600));
}

static int act_give(struct pair *p)
{
	return error_of(lchown(p->a, USER, -1));
}

static int64_t new_time(const struct pair *p)
{
	return 1000000000LL * (1000000000 + p->round) + p->row + 1;
}

static int to_touch(struct pair *p)
{
	int ret = p->round % 2 ? plain(p) : plain_closed(p);

	pair_fact(p, FACT_MTIME, file_mtime(p->a), new_time(p));
	pair_fact(p, FACT_HELD_MTIME, file_mtime(p->a), new_time(p));
	return ret;
}

static void times(const struct pair *p, struct timespec *ts)
{
	ts[0] = ts[1] = (struct timespec) {
		.tv_sec = new_time(p) / 1000000000, .tv_nsec = new_time(p) % 1000000000,
	};
}

static int act_utimens(struct pair *p)
{
	struct timespec ts[2];

	times(p, ts);
	return error_of(utimensat(AT_FDCWD, p->a, ts, 0));
}

static int act_futimens(struct pair *p)
{
	struct timespec ts[2];

	times(p, ts);
	return error_of(file_fd(p) < 0 ? -1 : futimens(p->fd, ts));
}

static int put_xattr(struct pair *p, int64_t value)
{
	return error_of(setxattr(p->a, COLOUR, &value, sizeof(value), 0));
}

/* None, then one; one that gets another value; one that goes. */
static int to_set_xattr(struct pair *p)
{
	int ret = plain_closed(p);

	pair_fact(p, FACT_XATTR, -ENODATA, stamp_new(p));
	pair_fact(p, FACT_XATTRS, 0, 1);
	return ret;
}

static int act_set_xattr(struct pair *p)
{
	return put_xattr(p, stamp_new(p));
}

static int to_change_xattr(struct pair *p)
{
	int ret = plain(p);

	if (!ret)
		ret = put_xattr(p, stamp_old(p));
	pair_fact(p, FACT_XATTR, stamp_old(p), stamp_new(p));
	return ret;
}

static int act_fset_xattr(struct pair *p)
{
	int64_t value = stamp_new(p);

	return error_of(fsetxattr(p->fd, COLOUR, &value, sizeof(value), XATTR_REPLACE));
}

static int to_remove_xattr(struct pair *p)
{
	int ret = plain_closed(p);

	if (!ret)
		ret = put_xattr(p, stamp_old(p));
	if (!ret)
		ret = error_of(setxattr(p->a, OTHER, "1", 1, 0));
	pair_fact(p, FACT_XATTR, stamp_old(p), -ENODATA);
	pair_fact(p, FACT_XATTRS, 2, 1);
	return ret;
}

static int act_remove_xattr(struct pair *p)
{
	return error_of(removexattr(p->a, COLOUR));
}

/* An ACL with one entry for a user, who may @perm. */
static int put_acl(const struct pair *p, unsigned short perm)
{
	struct {
		struct posix_acl_xattr_header h;
		struct posix_acl_xattr_entry e[5];
	} acl = {
		{ POSIX_ACL_XATTR_VERSION },
		{
			{ ACL_USER_OBJ, 6, ACL_UNDEFINED_ID }, { ACL_USER, perm, USER },
			{ ACL_GROUP_OBJ, 4, ACL_UNDEFINED_ID }, { ACL_MASK, perm | 4, ACL_UNDEFINED_ID },
			{ ACL_OTHER, 0, ACL_UNDEFINED_ID },
		},
	};

	return error_of(setxattr(p->a, ACL_OF, &acl, sizeof(acl), 0));
}

static int to_set_acl(struct pair *p)
{
	int ret = plain_closed(p);

	if (!ret)
		ret = error_of(chmod(p->a, 0640));
	pair_fact(p, FACT_MAY, -EACCES, 0);
	pair_fact(p, FACT_ACL, 0, 5 + p->round % 3);
	pair_fact(p, FACT_MODE, 0640, 0600 | (5 + p->round % 3) << 3);
	return ret;
}

static int act_set_acl(struct pair *p)
{
	return put_acl(p, 5 + p->round % 3);
}

static int to_remove_acl(struct pair *p)
{
	int ret = to_set_acl(p);

	if (!ret)
		ret = put_acl(p, 5 + p->round % 3);
	pair_fact(p, FACT_MAY, 0, -EACCES);
	pair_fact(p, FACT_ACL, 5 + p->round % 3, 0);
	return ret;
}

static int act_remove_acl(struct pair *p)
{
	return error_of(removexattr(p->a, ACL_OF));
}

/* A program that does nothing but exit: ELF, with its status in it. */
static const unsigned char program[] = {
	0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 0, 0x3e, 0, 1, 0, 0, 0, 0x78, 0, 0x40, 0, 0, 0, 0, 0,	/* begins at 0x400078 */
	0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0x40, 0, 0x38, 0, 1, 0, 0x40, 0, 0, 0, 0, 0,
	1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0,
	0x84, 0, 0, 0, 0, 0, 0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0,
	0, 0x10, 0, 0, 0, 0, 0, 0,
	0xbf, 0, 0, 0, 0,			/* mov $status, %edi */
	0xb8, 60, 0, 0, 0,			/* mov $__NR_exit, %eax */
	0x0f, 0x05,				/* syscall */
};
#define STATUS_AT	0x79

static int64_t status(const struct pair *p, bool is)
{
	return 1 + p->round % 100 + (is ? 100 : 0);
}

static int put_program(struct pair *p, const char *path, int64_t status)
{
	unsigned char bytes[sizeof(program)];
	int ret = file_make(p, path, 0, 0);

	memcpy(bytes, program, sizeof(bytes));
	bytes[STATUS_AT] = status;
	if (!ret && pwrite(p->fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
		ret = -EIO;
	if (!ret)
		ret = error_of(fchmod(p->fd, 0755));
	close(p->fd);	/* nobody runs what is open for writing */
	p->fd = -1;
	return ret;
}

static int to_rewrite(struct pair *p)
{
	pair_fact(p, FACT_STATUS, status(p, false), status(p, true));
	return put_program(p, p->a, status(p, false));
}

static int act_rewrite(struct pair *p)
{
	unsigned char byte = status(p, true);
	int fd = open(p->a, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pwrite(fd, &byte, 1, STATUS_AT);
	close(fd);
	return n == 1 ? 0 : -EIO;
}

static int to_install(struct pair *p)
{
	int ret = to_rewrite(p);

	return ret ? ret : put_program(p, p->b, status(p, true));
}

static int act_install(struct pair *p)
{
	return error_of(rename(p->b, p->a));
}

static int to_allow(struct pair *p)
{
	int ret = put_program(p, p->a, status(p, true));

	pair_fact(p, FACT_STATUS, -EACCES, status(p, true));
	return ret ? ret : (int)error_of(chmod(p->a, 0644));
}

static int act_allow(struct pair *p)
{
	return error_of(chmod(p->a, 0755));
}

static int act_remove(struct pair *p)
{
	return error_of(unlink(p->a));
}

static int to_remove(struct pair *p)
{
	int ret = to_rewrite(p);

	pair_fact(p, FACT_STATUS, status(p, false), -ENOENT);
	return ret;
}

const struct op attr_ops[] = {
	{ "chmod", to_chmod, act_chmod, changed },
	{ "fchmod", to_fchmod, act_fchmod, changed },
	{ "chmod-off", to_close, act_close_off, NULL },
	{ "chmod-on", to_open_up, act_open_up, NULL },
	{ "chmod-dir", to_close_dir, act_close_dir, NULL },
	{ "chown", to_chown, act_chown, NULL },
	{ "fchown", to_chown, act_fchown, NULL },
	{ "lchown", to_give, act_give, NULL },
	{ "utimensat", to_touch, act_utimens, NULL },
	{ "futimens", to_touch, act_futimens, NULL },
	{ "setxattr", to_set_xattr, act_set_xattr, NULL },
	{ "fsetxattr", to_change_xattr, act_fset_xattr, NULL },
	{ "removexattr", to_remove_xattr, act_remove_xattr, NULL },
	{ "set-acl", to_set_acl, act_set_acl, NULL },
	{ "remove-acl", to_remove_acl, act_remove_acl, NULL },
	{ "program", to_rewrite, act_rewrite, NULL },
	{ "program-over", to_install, act_install, NULL },
	{ "program-chmod", to_allow, act_allow, NULL },
	{ "program-unlink", to_remove, act_remove, NULL },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/* sees-attrs.c - attributes, and what they allow */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pairs.h"

#define COLOUR	"user.colour"
#define ACL_OF	"system.posix_acl_access"

static int held(struct pair *p)
{
	if (p->fd < 0)
		p->fd = open(p->a, O_RDONLY | O_CLOEXEC);
	return p->fd;
}

static int64_t mtime(const struct stat *st)
{
	return st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
}

static int64_t see_mode(struct pair *p)
{
	struct stat st;

	return stat(p->a, &st) ? -errno : (int64_t)(st.st_mode & 07777);
}

static int64_t see_mode_statx(struct pair *p)
{
	struct statx stx;

	return statx(AT_FDCWD, p->a, 0, STATX_MODE, &stx) ? -errno : (stx.stx_mode & 07777);
}

static int64_t see_mode_held(struct pair *p)
{
	struct stat st;

	return fstat(held(p), &st) ? -errno : (int64_t)(st.st_mode & 07777);
}

static int64_t see_uid(struct pair *p)
{
	struct stat st;

	return lstat(p->a, &st) ? -errno : (int64_t)st.st_uid;
}

static int64_t see_uid_held(struct pair *p)
{
	struct stat st;

	return fstat(held(p), &st) ? -errno : (int64_t)st.st_uid;
}

static int64_t see_gid(struct pair *p)
{
	struct stat st;

	return stat(p->a, &st) ? -errno : (int64_t)st.st_gid;
}

static int64_t see_mtime(struct pair *p)
{
	struct stat st;

	return stat(p->a, &st) ? -errno : mtime(&st);
}

static int64_t see_mtime_statx(struct pair *p)
{
	struct statx stx;

	return statx(AT_FDCWD, p->a, 0, STATX_MTIME, &stx) ? -errno :
		stx.stx_mtime.tv_sec * 1000000000LL + stx.stx_mtime.tv_nsec;
}

static int64_t see_mtime_held(struct pair *p)
{
	struct stat st;

	return fstat(held(p), &st) ? -errno : mtime(&st);
}

static int64_t see_ctime(struct pair *p)
{
	struct stat st;

	return stat(p->a, &st) ? -errno : st.st_ctim.tv_sec * 1000000000LL + st.st_ctim.tv_nsec;
}

static int64_t value_of(ssize_t n, int64_t value)
{
	return n < 0 ? -errno : n == sizeof(value) ? value : -EIO;
}

static int64_t see_xattr(struct pair *p)
{
	int64_t value = 0;
	ssize_t n = getxattr(p->a, COLOUR, &value, sizeof(value));

	return value_of(n, value);
}

static int64_t see_xattr_held(struct pair *p)
{
	int64_t value = 0;
	ssize_t n = fgetxattr(held(p), COLOUR, &value, sizeof(value));

	return value_of(n, value);
}

/* Those that are anybody's own. */
static int64_t see_xattrs(struct pair *p)
{
	char names[1024];
	ssize_t n = listxattr(p->a, names, sizeof(names));
	int64_t found = 0;

	if (n < 0)
		return -errno;
	for (const char *s = names; s < names + n; s += strlen(s) + 1)
		found += !strncmp(s, "user.", 5);
	return found;
}

/* What the user's entry allows; 0: there is none. */
static int64_t see_acl(struct pair *p)
{
	struct {
		struct posix_acl_xattr_header h;
		struct posix_acl_xattr_entry e[16];
	} acl;
	ssize_t n = getxattr(p->a, ACL_OF, &acl, sizeof(acl));

	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	for (ssize_t i = 0; i < (n - (ssize_t)sizeof(acl.h)) / (ssize_t)sizeof(*acl.e); i++)
		if (acl.e[i].e_tag == ACL_USER && acl.e[i].e_id == USER)
			return acl.e[i].e_perm;
	return 0;
}

/* As who is not root: without its group, and without what root may besides. */
static void as_user(void)
{
	setfsgid(USER);
	setfsuid(USER);
}

static void as_root(void)
{
	setfsuid(0);
	setfsgid(0);
}

static int64_t see_may_open(struct pair *p)
{
	int64_t ret;
	int fd;

	as_user();
	fd = open(p->a, O_RDONLY | O_CLOEXEC);
	ret = error_of(fd);
	as_root();
	if (fd >= 0)
		close(fd);
	return ret;
}

static int64_t see_may_access(struct pair *p)
{
	int64_t ret;

	as_user();
	ret = error_of(faccessat(AT_FDCWD, p->a, R_OK, AT_EACCESS));
	as_root();
	return ret;
}

static int64_t see_may_stat(struct pair *p)
{
	struct stat st;
	int64_t ret;

	as_user();
	ret = error_of(stat(p->a, &st));
	as_root();
	return ret;
}

const struct see attr_sees[] = {
	{ "mode", FACT_MODE, see_mode },
	{ "mode-statx", FACT_MODE, see_mode_statx },
	{ "mode-fstat", FACT_HELD_MODE, see_mode_held },
	{ "uid", FACT_UID, see_uid },
	{ "uid-fstat", FACT_HELD_UID, see_uid_held },
	{ "gid", FACT_GID, see_gid },
	{ "mtime", FACT_MTIME, see_mtime },
	{ "mtime-statx", FACT_MTIME, see_mtime_statx },
	{ "mtime-fstat", FACT_HELD_MTIME, see_mtime_held },
	{ "ctime", FACT_CTIME, see_ctime },
	{ "getxattr", FACT_XATTR, see_xattr },
	{ "fgetxattr", FACT_XATTR, see_xattr_held },
	{ "listxattr", FACT_XATTRS, see_xattrs },
	{ "acl", FACT_ACL, see_acl },
	{ "user-open", FACT_MAY, see_may_open },
	{ "user-access", FACT_MAY, see_may_access },
	{ "user-stat", FACT_MAY, see_may_stat },
	{ }
};

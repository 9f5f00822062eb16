// SPDX-License-Identifier: GPL-2.0-only
/*
 * spec.c - what files are like: modes, owners, ACLs
 *
 * Each mode for each class that can apply to user, with its complement for the
 * other classes, so that a wrong class shows; then ACLs.  ACLs are set as the raw
 * value that Linux takes (linux/posix_acl_xattr.h).
 */
#include <endian.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/box/prog/rights/rights.h"

#define ACL	"system.posix_acl_access"
#define DEFAULT	"system.posix_acl_default"

#define CLASSES		3
#define MODES		(CLASSES * 8)

static const struct spec acls[] = {
	/* a user who may, and one who may not though others may */
	{ 0670, NOBODY, 0, 5, { OBJ(USER_OBJ, 6), { ACL_USER, 7, USER },
	  OBJ(GROUP_OBJ, 0), OBJ(MASK, 7), OBJ(OTHER, 0) } },
	{ 0777, NOBODY, 0, 5, { OBJ(USER_OBJ, 7), { ACL_USER, 0, USER },
	  OBJ(GROUP_OBJ, 7), OBJ(MASK, 7), OBJ(OTHER, 7) } },
	/* the same of a group */
	{ 0670, NOBODY, 0, 5, { OBJ(USER_OBJ, 6), OBJ(GROUP_OBJ, 0),
	  { ACL_GROUP, 7, GROUP }, OBJ(MASK, 7), OBJ(OTHER, 0) } },
	{ 0777, NOBODY, 0, 5, { OBJ(USER_OBJ, 7), OBJ(GROUP_OBJ, 7),
	  { ACL_GROUP, 0, GROUP }, OBJ(MASK, 7), OBJ(OTHER, 7) } },
	/* the mask takes away, from a user, from the owning group */
	{ 0640, NOBODY, 0, 5, { OBJ(USER_OBJ, 6), { ACL_USER, 7, USER },
	  OBJ(GROUP_OBJ, 7), OBJ(MASK, 4), OBJ(OTHER, 0) } },
	{ 0610, NOBODY, GROUP, 5, { OBJ(USER_OBJ, 6), { ACL_USER, 7, OTHER },
	  OBJ(GROUP_OBJ, 7), OBJ(MASK, 1), OBJ(OTHER, 7) } },
	/* two groups: each right by one of them, not both at once */
	{ 0670, NOBODY, GROUP, 5, { OBJ(USER_OBJ, 6), OBJ(GROUP_OBJ, 4),
	  { ACL_GROUP, 3, USER }, OBJ(MASK, 7), OBJ(OTHER, 0) } },
	/* two users; user's own group does not count for him then */
	{ 0674, NOBODY, GROUP, 6, { OBJ(USER_OBJ, 6), { ACL_USER, 2, USER },
	  { ACL_USER, 5, OTHER }, OBJ(GROUP_OBJ, 7), OBJ(MASK, 7), OBJ(OTHER, 4) } },
	/* an empty mask: Linux does not look at the ACL at all */
	{ 0605, NOBODY, 0, 5, { OBJ(USER_OBJ, 6), { ACL_USER, 7, USER },
	  OBJ(GROUP_OBJ, 7), OBJ(MASK, 0), OBJ(OTHER, 5) } },
	/* for the owner it does not count */
	{ 0470, USER, GROUP, 5, { OBJ(USER_OBJ, 4), { ACL_USER, 7, USER },
	  OBJ(GROUP_OBJ, 7), OBJ(MASK, 7), OBJ(OTHER, 0) } },
};

int specs(void)
{
	return MODES + sizeof(acls) / sizeof(acls[0]);
}

struct spec spec_of(int n)
{
	int bits = n % 8, rest = ~n & 7, class = n / 8;
	struct spec s = { .uid = class ? OTHER : USER, .gid = class == 1 ? GROUP : 0 };

	if (n >= MODES)
		return acls[n - MODES];
	for (int i = 0; i < CLASSES; i++)
		s.mode = s.mode << 3 | (i == class ? bits : rest);
	return s;
}

static size_t acl_value(const struct spec *s, void *value)
{
	struct posix_acl_xattr_header *head = value;
	struct posix_acl_xattr_entry *e = (void *)(head + 1);

	head->a_version = htole32(POSIX_ACL_XATTR_VERSION);
	for (int i = 0; i < s->entries; i++) {
		e[i].e_tag = htole16(s->acl[i].tag);
		e[i].e_perm = htole16(s->acl[i].perm);
		e[i].e_id = htole32(s->acl[i].id);
	}
	return sizeof(*head) + s->entries * sizeof(*e);
}

#define ACL_SIZE	(sizeof(struct posix_acl_xattr_header) + \
			 ENTRIES * sizeof(struct posix_acl_xattr_entry))

void spec_set(const char *path, const struct spec *s)
{
	char value[ACL_SIZE];
	struct stat st;

	must(lstat(path, &st), path);
	must(lchown(path, s->uid, s->gid), path);
	if (S_ISLNK(st.st_mode))
		return;
	if (!s->entries && removexattr(path, ACL) && errno != ENODATA)
		must(-1, path);
	must(chmod(path, s->mode), path);
	if (s->entries)
		must(setxattr(path, ACL, value, acl_value(s, value), 0), path);
}

void spec_set_default(const char *path, const struct spec *s)
{
	char value[ACL_SIZE];

	must(setxattr(path, DEFAULT, value, acl_value(s, value), 0), path);
}

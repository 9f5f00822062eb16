/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rights.h - what the parts of rights.c share
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include <errno.h>
#include <linux/posix_acl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define USER	1000
#define OTHER	1001		/* owns what user does not */
#define NOBODY	1002		/* owns what has an ACL */
#define GROUP	2000		/* user's second one */
#define IDS	0x10		/* exit status of "rights ids", and more */

/* What has to work. */
static inline void must(int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "rights: %s: %s\n", what, strerror(errno));
	exit(2);
}

static inline int result(int ret)
{
	return ret < 0 ? errno : 0;
}

/* "DIR/NAME", in one of two buffers. */
const char *in(const char *dir, const char *name);

/* What a file is like, and whose: spec.c. */
struct entry {
	uint16_t tag, perm;
	uint32_t id;
};

#define OBJ(tag, perm)	{ ACL_##tag, perm, ACL_UNDEFINED_ID }
#define ENTRIES		6

struct spec {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	int entries;			/* 0: no ACL */
	struct entry acl[ENTRIES];
};

int specs(void);			/* how many there are */
struct spec spec_of(int n);
void spec_set(const char *path, const struct spec *s);
/* An ACL for new files in a directory, as @s has it. */
void spec_set_default(const char *path, const struct spec *s);

/* Operations, on files of some kinds: ops.c.  0 or an error number. */
enum kind { FILE_ = 1, DIR_ = 2, FIFO = 4, SOCK = 8, CHR = 16, LINK = 32 };

struct op {
	const char *name;		/* NULL: the end */
	int (*run)(const char *path);
	int kinds;
};

extern const struct op looks[], uses[];
extern int home;			/* where op_chdir goes back to */

int op_stat(const char *path);
int op_exec(const char *path);
int op_connect(const char *path);
int op_rdonly(const char *path);
int op_noatime(const char *path);
int opens(const char *path, int flags);

/* " NAME RESULT": ok, the error's name, or what the operation has to say. */
void say(const char *name, int err);

#endif

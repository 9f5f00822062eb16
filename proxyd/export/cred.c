// SPDX-License-Identifier: GPL-2.0-only
/*
 * cred.c - a thread that acts as somebody else for a moment, see cred.h
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxyd/export/cred.h"

static __thread bool entered;
static __thread bool restricted;
static __thread struct __user_cap_data_struct full[2];

static int caps_set(const struct __user_cap_data_struct *caps)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capset, &head, caps) ? -errno : 0;
}

static int caps_restrict(void)
{
	struct __user_cap_data_struct few[2] = { full[0], full[1] };

	few[0].effective = 1u << CAP_SETUID | 1u << CAP_SETGID;
	few[1].effective = 0;
	return caps_set(few);
}

int cred_thread(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	if (syscall(SYS_capget, &head, full) || unshare(CLONE_FS))
		return -errno;
	return 0;
}

/* setfsuid() and setfsgid() tell failure only by what the next call returns. */
static int set_ids(uint32_t uid, uint32_t gid)
{
	setfsgid(gid);
	if ((uint32_t)setfsgid(-1) != gid)
		return -EPERM;
	setfsuid(uid);
	return (uint32_t)setfsuid(-1) == uid ? 0 : -EPERM;
}

void cred_squash(enum conf_squash how, struct ccfs_cred *cred, uint32_t *groups)
{
	const bool all = how == CONF_SQUASH_ALL;
	uint32_t i;

	if (how == CONF_SQUASH_NONE)
		return;
	if (all || !cred->uid)
		cred->uid = CRED_NOBODY;
	if (all || !cred->gid)
		cred->gid = CRED_NOBODY;
	if (all)
		cred->ngroups = 0;
	for (i = 0; groups && i < cred->ngroups; i++)
		if (!groups[i])
			groups[i] = CRED_NOBODY;
}

int cred_take(const struct ccfs_cred *cred, const uint32_t *groups)
{
	int err;

	umask(cred->umask & 0777);
	if (cred->uid == UINT32_MAX || cred->gid == UINT32_MAX)
		return -EINVAL;
	if (!cred->uid && !cred->gid && !cred->ngroups)
		return 0;
	entered = true;
	err = syscall(SYS_setgroups, (long)cred->ngroups, groups) ? -errno : 0;
	if (!err)
		err = set_ids(cred->uid, cred->gid);
	if (!err && cred->uid) {
		restricted = true;
		err = caps_restrict();
	}
	if (err)
		cred_back();
	return err;
}

void cred_back(void)
{
	if (!entered)
		return;
	/* Going on with the wrong rights would be worse than to stop. */
	if (set_ids(0, 0) || (restricted && caps_set(full)) ||
	    syscall(SYS_setgroups, 0L, NULL)) {
		fprintf(stderr, "proxyd: cannot become root again\n");
		abort();
	}
	restricted = false;
	entered = false;
}

int cred_caps_raise(void)
{
	return restricted ? caps_set(full) : 0;
}

void cred_caps_drop(void)
{
	if (restricted && caps_restrict()) {
		fprintf(stderr, "proxyd: cannot give capabilities up again\n");
		abort();
	}
}

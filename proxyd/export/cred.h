/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cred.h - a thread that acts as somebody else for a moment
 *
 * Credentials of a Linux thread are its own: the system calls are used raw, as
 * glibc's wrappers would change all threads of the process.  A caller that is
 * not root also loses every effective capability but the two that lead back.
 */
#ifndef PROXYD_CRED_H
#define PROXYD_CRED_H

#include <stdint.h>

#include "boot/conf/conf.h"
#include "ccfs_proto.h"

#define CRED_NOBODY	65534u	/* user and group */

/* Make of @cred and its @groups (NULL: none) what @how leaves of them. */
void cred_squash(enum conf_squash how, struct ccfs_cred *cred, uint32_t *groups);

/* Once in each thread that uses the rest: a umask of its own.  0 or -errno. */
int cred_thread(void);

/*
 * Act as @cred with its @groups (NULL: none).  0 or -errno, and nothing has
 * changed but the umask.
 */
int cred_take(const struct ccfs_cred *cred, const uint32_t *groups);

/* Be root again.  A thread that cannot ends the process. */
void cred_back(void);

/*
 * All capabilities for a moment, whoever the thread acts as: for what it does
 * for the proxy itself in between. 0 or -errno.
 */
int cred_caps_raise(void);
/* A thread that cannot ends the process. */
void cred_caps_drop(void);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * hear.c - what others do to files that are watched here, see hear.h
 *
 * One question is open at a time, so that there is never more on the way than one answer: what
 * comes faster than it is raised waits at the owner.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fs/hear.h"
#include "fs/log.h"
#include "sharedpc_ioctl.h"

/* Ask, wait, raise what has come.  0 or -errno. */
static int hear(const struct hearing *h, struct msg *m)
{
	struct sharedpc_raise raise = { 0 };
	int ret;

	msg_start(m, CCFS_EVENTS, 0, CCFS_ROOT);
	msg_put(m, &(struct ccfs_cred){ 0 }, sizeof(struct ccfs_cred));
	ret = conn_call(h->conn, m);
	if (ret)
		return ret;
	raise.events = (uintptr_t)m->data;
	raise.bytes = m->len;
	while (ioctl(h->attach->dev, SHAREDPC_IOC_RAISE, &raise)) {
		if (errno == ENOTTY)	/* the mount has just ended, see attach_end */
			return 0;
		if (errno != ENOMEM)
			return -errno;
		usleep(10000);	/* before any of it */
	}
	return 0;
}

static void *hearing(void *arg)
{
	const struct hearing *h = arg;
	struct msg m = { 0 };
	uint64_t rings;
	int ret;

	do
		ret = read(h->bell, &rings, sizeof(rings)) < 0 ? -errno : 0;
	while (ret == -EINTR);
	while (!ret)
		ret = hear(h, &m);
	/* EOPNOTSUPP: nothing can be watched there */
	if (ret != -ENOTCONN && ret != -EOPNOTSUPP) {
		ccfs_log("watches do not hear other images any more: %s", strerror(-ret));
		conn_kill(h->conn);	/* so that who watches is told */
	}
	msg_free(&m);
	return NULL;
}

int hear_start(struct hearing *h, struct conn *c, const struct attach *a)
{
	pthread_t thread;
	int ret;

	if (a->dev < 0)
		return 0;
	h->conn = c;
	h->attach = a;
	h->bell = eventfd(0, EFD_CLOEXEC);
	if (h->bell < 0 || ioctl(a->dev, SHAREDPC_IOC_HEAR, &h->bell))
		return -errno;
	ret = pthread_create(&thread, NULL, hearing, h);
	if (!ret)
		pthread_detach(thread);
	return -ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-xattr.c - extended attributes.
 *
 * Names and values go through as they are: the owner's kernel decides, with
 * the caller's credentials, who may see and change which.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "proxyd/export/cred.h"
#include "proxyd/export/procfd.h"
#include "proxyd/names/ops.h"

#define CAPABILITIES	"security.capability"

/* The fixed part and, if @name is given, the name. */
static int get_args(struct request *req, struct ccfs_xattr *args, char **name)
{
	int ret = msg_get(&req->in, args, sizeof(*args));

	if (!ret && args->size > CCFS_XATTR_MAX)
		args->size = CCFS_XATTR_MAX;
	if (!ret && name)
		ret = msg_get_str(&req->in, CCFS_XATTR_NAME_MAX, name);
	return ret;
}

/* Answer with the value of @name, or with the list of names if that is NULL. */
static int read_put(struct request *req, uint32_t size, const char *name)
{
	char path[PROCFD_PATH];
	struct ccfs_count count = { 0 };
	void *buf = NULL;
	ssize_t n;
	int ret = 0;

	if (size) {
		buf = malloc(size);
		if (!buf)
			return -ENOMEM;
	}
	procfd_path(req->node->fd, path);
	n = name ? getxattr(path, name, buf, size) : listxattr(path, buf, size);
	if (n < 0) {
		ret = -errno;
	} else {
		count.count = n;
		msg_put(&req->out, &count, sizeof(count));
		if (size)
			msg_put(&req->out, buf, n);
	}
	free(buf);
	return ret;
}

int request_getxattr(struct request *req)
{
	struct ccfs_xattr args;
	char *name = NULL;
	int ret;

	ret = get_args(req, &args, &name);
	if (!ret)
		ret = msg_end(&req->in);
	if (!ret)
		ret = read_put(req, args.size, name);
	free(name);
	return ret;
}

int request_listxattr(struct request *req)
{
	struct ccfs_xattr args;
	int ret;

	ret = get_args(req, &args, NULL);
	if (!ret)
		ret = msg_end(&req->in);
	return ret ? ret : read_put(req, args.size, NULL);
}

/* Set @name to @value, or remove it if that is NULL, as the caller. */
static int change_caller(struct request *req, const char *name,
			 const void *value, uint32_t len, int flags)
{
	char path[PROCFD_PATH];
	int ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	procfd_path(req->node->fd, path);
	if (value ? setxattr(path, name, value, len, flags) :
		    removexattr(path, name))
		ret = -errno;
	cred_back();
	return ret;
}

/*
 * A write takes the capabilities of a file away, as any kernel does by itself: that of who
 * writes asks for it.  So who may write may do that, who otherwise may not.
 */
static int capabilities_drop(struct request *req)
{
	char path[PROCFD_PATH];
	int ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	if (syscall(SYS_faccessat2, req->node->fd, "", W_OK, AT_EACCESS | AT_EMPTY_PATH) &&
	    !node_opened(req, req->node, true))
		ret = -EPERM;
	cred_back();
	if (!ret && removexattr(procfd_path(req->node->fd, path), CAPABILITIES))
		ret = -errno;
	return ret;
}

int request_setxattr(struct request *req)
{
	char *name = NULL;
	struct ccfs_xattr args;
	const void *value;
	uint32_t len;
	int ret;

	ret = get_args(req, &args, &name);
	if (!ret)
		ret = msg_get(&req->in, &len, sizeof(len));
	if (!ret)
		ret = msg_get_data(&req->in, len, &value);
	if (!ret)
		ret = msg_end(&req->in);
	/* rights that a program gets by being run, like those of its set-id bits */
	if (!ret && req->conn->rules.nosuid && !strcmp(name, CAPABILITIES))
		ret = -EPERM;
	if (!ret)
		ret = change_caller(req, name, value, len, args.flags);
	if (!ret)
		changed_put(req, req->node->fd);
	free(name);
	return ret;
}

int request_removexattr(struct request *req)
{
	struct ccfs_xattr args;
	char *name = NULL;
	int ret;

	ret = get_args(req, &args, &name);
	if (!ret)
		ret = msg_end(&req->in);
	if (!ret)
		ret = change_caller(req, name, NULL, 0, 0);
	if (ret == -EPERM && !strcmp(name, CAPABILITIES))
		ret = capabilities_drop(req);
	if (!ret)
		changed_put(req, req->node->fd);
	free(name);
	return ret;
}

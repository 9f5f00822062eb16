// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-name.c - names: looked up, made, moved, removed.
 *
 * A name is one component, checked by msg_get_name(), in a directory that
 * the client got from us; so nothing can leave the export. openat2's
 * RESOLVE_ flags say the same to the kernel once more; RESOLVE_BENEATH does not
 * help, since a name that is moved away meanwhile gives EXDEV with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxyd/export/cred.h"
#include "proxyd/export/procfd.h"
#include "proxyd/names/ops.h"

int name_open(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int entry_put(struct request *req, int fd, uint64_t name_gen, uint64_t *node)
{
	struct ccfs_entry entry = { .name_gen = name_gen };
	struct stat st;
	int ret = words_stat(&req->conn->words, fd, &st, &entry.attr);

	if (ret) {
		close(fd);
		return ret;
	}
	ret = node_add(&req->conn->nodes, fd, &st, node);
	if (!ret)
		ret = request_enter(req, *node);
	if (ret)
		return ret;
	entry.node = *node;
	msg_put(&req->out, &entry, sizeof(entry));
	return 0;
}

/* The only argument is a name. */
static int only_name(struct request *req, char name[CCFS_NAME_MAX + 1])
{
	int ret = msg_get_name(&req->in, name);

	return ret ? ret : msg_end(&req->in);
}

/*
 * Answer with what @name in @dir is, which the caller has just made, and with
 * @dir: no need to be him to find it.
 */
static int made_put(struct request *req, int dir, const char *name)
{
	uint64_t gen = words_name_gen(&req->conn->words, dir, name), node;
	int fd = name_open(dir, name);
	int ret = fd < 0 ? fd : entry_put(req, fd, gen, &node);

	if (!ret)
		changed_put(req, dir);
	return ret;
}

int request_lookup(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	uint64_t gen, node;
	int fd, ret = only_name(req, name);

	if (ret)
		return ret;
	gen = words_name_gen(&req->conn->words, req->node->fd, name);
	ret = cred_take(&req->cred, req->groups);
	if (ret)
		return ret;
	fd = name_open(req->node->fd, name);
	cred_back();
	return fd < 0 ? fd : entry_put(req, fd, gen, &node);
}

/* What @node is, if that is what @name in the request's directory means. */
static int same_put(struct request *req, const char *name, const struct node *node)
{
	struct stat st, now;
	struct ccfs_attr attr;
	int ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	if (fstatat(req->node->fd, name, &now, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		ret = -errno;
	cred_back();
	if (!ret)
		ret = words_stat(&req->conn->words, node->fd, &st, &attr);
	if (!ret && (st.st_dev != now.st_dev || st.st_ino != now.st_ino))
		ret = -ESTALE;
	if (!ret)
		msg_put(&req->out, &attr, sizeof(attr));
	return ret;
}

int request_revalidate(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	struct ccfs_same same;
	struct node *node;
	int ret = msg_get(&req->in, &same, sizeof(same));

	if (!ret)
		ret = only_name(req, name);
	if (!ret)
		ret = node_get(&req->conn->nodes, same.node, &node);
	if (ret)
		return ret;
	ret = same_put(req, name, node);
	node_put(&req->conn->nodes, node);
	return ret;
}

static int get_make(struct request *req, struct ccfs_make *make,
		    char name[CCFS_NAME_MAX + 1])
{
	int ret = msg_get(&req->in, make, sizeof(*make));

	return ret ? ret : only_name(req, name);
}

/* The device 0:0 is none: overlayfs marks with it that a name is gone. */
static bool is_device(const struct ccfs_make *make)
{
	return S_ISBLK(make->mode) || (S_ISCHR(make->mode) && make->rdev);
}

int mode_check(const struct request *req, mode_t mode)
{
	return req->conn->rules.nosuid && !S_ISDIR(mode) && mode & (S_ISUID | S_ISGID) ?
		-EPERM : 0;
}

int request_mknod(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	struct ccfs_make make;
	int ret;

	ret = get_make(req, &make, name);
	if (!ret)
		ret = mode_check(req, make.mode);
	if (!ret && is_device(&make) && req->conn->rules.nodev)
		ret = -EPERM;
	if (!ret)
		ret = cred_take(&req->cred, req->groups);
	if (ret)
		return ret;
	if (mknodat(req->node->fd, name, make.mode, make.rdev))
		ret = -errno;
	cred_back();
	return ret ? ret : made_put(req, req->node->fd, name);
}

int request_mkdir(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	struct ccfs_make make;
	int ret;

	ret = get_make(req, &make, name);
	if (!ret)
		ret = cred_take(&req->cred, req->groups);
	if (ret)
		return ret;
	if (mkdirat(req->node->fd, name, make.mode))
		ret = -errno;
	cred_back();
	return ret ? ret : made_put(req, req->node->fd, name);
}

/* @flags are unlinkat(2)'s. */
static int remove_name(struct request *req, int flags)
{
	char name[CCFS_NAME_MAX + 1];
	int ret = only_name(req, name);

	if (!ret)
		ret = cred_take(&req->cred, req->groups);
	if (ret)
		return ret;
	if (unlinkat(req->node->fd, name, flags))
		ret = -errno;
	cred_back();
	if (!ret)
		changed_put(req, req->node->fd);
	return ret;
}

int request_unlink(struct request *req)
{
	return remove_name(req, 0);
}

int request_rmdir(struct request *req)
{
	return remove_name(req, AT_REMOVEDIR);
}

int request_symlink(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	char *text = NULL;
	int ret;

	ret = msg_get_name(&req->in, name);
	if (!ret)
		ret = msg_get_str(&req->in, CCFS_PATH_MAX, &text);
	if (!ret)
		ret = msg_end(&req->in);
	if (!ret)
		ret = cred_take(&req->cred, req->groups);
	if (ret)
		goto free_text;
	if (symlinkat(text, req->node->fd, name))
		ret = -errno;
	cred_back();
	if (!ret)
		ret = made_put(req, req->node->fd, name);
free_text:
	free(text);
	return ret;
}

static int rename_caller(struct request *req, const char *old, int dir,
			 const char *new, unsigned int flags)
{
	int ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	if (renameat2(req->node->fd, old, dir, new, flags))
		ret = -errno;
	cred_back();
	return ret;
}

int request_rename(struct request *req)
{
	char old[CCFS_NAME_MAX + 1], new[CCFS_NAME_MAX + 1];
	struct ccfs_rename args;
	struct node *dir;
	int ret;

	ret = msg_get(&req->in, &args, sizeof(args));
	if (!ret)
		ret = msg_get_name(&req->in, old);
	if (!ret)
		ret = only_name(req, new);
	if (ret)
		return ret;
	ret = node_get(&req->conn->nodes, args.newdir, &dir);
	if (ret)
		return ret;
	ret = rename_caller(req, old, dir->fd, new, args.flags);
	if (!ret) {
		changed_put(req, req->node->fd);
		changed_put(req, dir->fd);
	}
	node_put(&req->conn->nodes, dir);
	return ret;
}

static int link_caller(struct request *req, int dir, const char *name)
{
	char self[PROCFD_PATH];
	int ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	if (linkat(procfd_dir(), procfd_name(req->node->fd, self), dir, name,
		   AT_SYMLINK_FOLLOW))
		ret = -errno;
	cred_back();
	return ret;
}

int request_link(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	struct ccfs_link args;
	struct node *dir;
	int ret;

	ret = msg_get(&req->in, &args, sizeof(args));
	if (!ret)
		ret = only_name(req, name);
	if (ret)
		return ret;
	ret = node_get(&req->conn->nodes, args.newdir, &dir);
	if (ret)
		return ret;
	ret = link_caller(req, dir->fd, name);
	if (!ret)
		ret = made_put(req, dir->fd, name);
	node_put(&req->conn->nodes, dir);
	return ret;
}

int request_readlink(struct request *req)
{
	char text[CCFS_PATH_MAX + 1];
	ssize_t n;
	int ret = msg_end(&req->in);

	if (ret)
		return ret;
	n = readlinkat(req->node->fd, "", text, sizeof(text));
	if (n < 0)
		return -errno;
	if (n > (ssize_t)CCFS_PATH_MAX)
		return -ENAMETOOLONG;
	msg_put_str(&req->out, text, n);
	return 0;
}

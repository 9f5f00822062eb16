// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-open.c - files opened and created, directories read as a list.
 *
 * A file is opened twice: once as the caller, which is the check (and the
 * truncation, for O_TRUNC), then by file_open() for the proxy's own use.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "proxyd/export/cred.h"
#include "proxyd/names/dir.h"
#include "proxyd/names/ops.h"
#include "proxyd/export/procfd.h"
#include "proxyd/data/proxy.h"

#define OPEN_EXEC	0x20	/* the kernel's mark of an open by execve(2) */
#define OPEN_KEEP	(O_ACCMODE | O_TRUNC | O_NOATIME | O_APPEND)

static bool wants_write(unsigned int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* To run a file one needs not be able to read it. */
static int open_exec(struct request *req)
{
	int ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	if (syscall(SYS_faccessat2, req->node->fd, "", X_OK,
		    AT_EACCESS | AT_EMPTY_PATH))
		ret = -errno;
	cred_back();
	return ret ? ret : procfd_open(req->node->fd, O_RDONLY);
}

static int open_caller(struct request *req, unsigned int flags)
{
	int ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	ret = procfd_open(req->node->fd, (flags & OPEN_KEEP) | O_NONBLOCK);
	cred_back();
	return ret;
}

static int open_put(struct request *req, int fd, unsigned int flags)
{
	struct ccfs_open out;
	int ret = file_open(&req->conn->proxy->files, fd, flags, &out);

	if (ret)
		return ret;
	req->opened = out.file;
	if (req->conn->rules.squash)
		file_squash(&req->conn->proxy->files, out.file, req->conn->rules.squash);
	msg_put(&req->out, &out, sizeof(out));
	return 0;
}

/*
 * Who may write a program that runs as another one could change what that does. A write
 * takes the bits away, unless root writes, and a store to a mapping never does.
 */
static int tame(struct request *req, int fd, bool write)
{
	struct stat st;

	if (!write || !req->conn->rules.nosuid)
		return 0;
	if (fstat(fd, &st))
		return -errno;
	if (st.st_mode & (S_ISUID | S_ISGID) &&
	    fchmod(fd, st.st_mode & 07777 & ~(S_ISUID | S_ISGID)))
		return -errno;
	if (fremovexattr(fd, "security.capability") && errno != ENODATA &&
	    errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

int request_open(struct request *req)
{
	struct ccfs_make args;
	int fd, ret;

	ret = msg_get(&req->in, &args, sizeof(args));
	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	if (!S_ISREG(req->node->type))
		return -EOPNOTSUPP;
	if ((args.flags & OPEN_EXEC) && !wants_write(args.flags))
		fd = open_exec(req);
	else
		fd = open_caller(req, args.flags);
	if (fd < 0)
		return fd;
	ret = tame(req, fd, wants_write(args.flags));
	if (!ret)
		return open_put(req, fd, args.flags);
	close(fd);
	return ret;
}

/*
 * Create or open @name as the caller, or (NULL) a file without a name: the descriptor or
 * -errno.
 */
static int create_caller(struct request *req, const char *name,
			 const struct ccfs_make *args)
{
	int flags = (args->flags & (OPEN_KEEP | O_EXCL)) | O_CLOEXEC |
		    (name ? O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY : O_TMPFILE);
	int fd, ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	fd = openat(req->node->fd, name ? name : ".", flags, args->mode & 07777);
	ret = fd < 0 ? -errno : fd;
	cred_back();
	return ret;
}

/*
 * An O_PATH descriptor of what @fd has open, and the value of the word of @name
 * in *@name_gen: 0 if that is not, or no longer, what @fd has open, as nobody
 * has looked at the name since, or if it has no name.
 */
static int created_path(struct request *req, int fd, const char *name,
			uint64_t *name_gen)
{
	struct stat st, named;
	int path;

	*name_gen = name ? words_name_gen(&req->conn->words, req->node->fd, name) : 0;
	path = *name_gen ? name_open(req->node->fd, name) : -1;
	if (path >= 0 && !fstat(fd, &st) && !fstat(path, &named) &&
	    st.st_dev == named.st_dev && st.st_ino == named.st_ino)
		return path;
	if (path >= 0)
		close(path);
	*name_gen = 0;
	return procfd_open(fd, O_PATH);
}

/* Answer with the entry of what @fd (taken over) has open, and with the open. */
static int create_put(struct request *req, int fd, const char *name, unsigned int flags)
{
	uint64_t gen, id;
	int ret, path = created_path(req, fd, name, &gen);
	struct node *node;

	ret = path < 0 ? path : entry_put(req, path, gen, &id);
	/* in use, or it could be swept before it counts as open */
	if (!ret)
		ret = node_get(&req->conn->nodes, id, &node);
	if (ret) {
		close(fd);
		return ret;
	}
	ret = open_put(req, fd, flags);
	node_put(&req->conn->nodes, node);
	return ret;
}

/* Make @name, or (NULL) a file without a name, and answer with it. */
static int create_file(struct request *req, const char *name, const struct ccfs_make *args)
{
	int fd, ret = mode_check(req, S_IFREG | args->mode);
	struct stat st;

	if (ret)
		return ret;
	fd = create_caller(req, name, args);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);	/* a name that was not there when it was looked up */
		return -ESTALE;
	}
	ret = tame(req, fd, wants_write(args->flags));
	if (ret) {
		close(fd);
		return ret;
	}
	return create_put(req, fd, name, args->flags);
}

int request_create(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	struct ccfs_make args;
	int ret;

	ret = msg_get(&req->in, &args, sizeof(args));
	if (!ret)
		ret = msg_get_name(&req->in, name);
	if (!ret)
		ret = msg_end(&req->in);
	if (!ret)
		ret = create_file(req, name, &args);
	if (!ret)
		changed_put(req, req->node->fd);
	return ret;
}

int request_tmpfile(struct request *req)
{
	struct ccfs_make args;
	int ret = msg_get(&req->in, &args, sizeof(args));

	if (!ret)
		ret = msg_end(&req->in);
	return ret ? ret : create_file(req, NULL, &args);
}

int request_readdir(struct request *req)
{
	struct ccfs_readdir args;
	int ret = msg_get(&req->in, &args, sizeof(args));

	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	if (args.size > CCFS_DIR_MAX || args.flags & ~CCFS_READDIR_PLUS)
		return -EPROTO;
	return dir_read(req, &args);
}

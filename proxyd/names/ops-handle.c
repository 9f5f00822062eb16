// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-handle.c - files that are known for longer than a node is.
 *
 * The client keeps a handle for as long as it likes and presents it to this proxy or to
 * one that came after it. It is the file system's own, which everybody can make up, with
 * the kernel's seal on it and on what it was given for: the root of the mount.
 * A file is found wherever in the file system it is by then, as with NFS; a directory
 * only below the root, and nothing leads above that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "proxyd/data/proxy.h"
#include "proxyd/names/ops.h"
#include "sharedpc_ioctl.h"

#define DEPTH_MAX	4096	/* directories above another */

_Static_assert(CCFS_FHANDLE_MAX == MAX_HANDLE_SZ, "handles of name_to_handle_at()");

/* What the seal is of. No byte of it is left unset. */
struct sealed {
	fsid_t fs;
	uint64_t root_ino;
	int32_t type;
	uint32_t len;
	uint8_t bytes[CCFS_FHANDLE_MAX];
};

_Static_assert(sizeof(struct sealed) == 24 + CCFS_FHANDLE_MAX, "sealed has no holes");
_Static_assert(sizeof(struct sealed) <= SHAREDPC_SEAL_MAX, "sealed is not too long");

/* The seal of @h, for mounts of the same root as the request's. 0 or -errno. */
static int seal(struct request *req, const struct ccfs_fhandle *h, __u64 *out)
{
	struct sealed sealed = { .type = h->type, .len = h->len };
	struct sharedpc_seal s = { .data = (uintptr_t)&sealed, .len = sizeof(sealed) };
	struct statfs fs = { 0 };
	struct node *root;
	int ret;

	/* the owner's own mount: its kernel needs none */
	if (req->conn->proxy->local)
		return -EOPNOTSUPP;
	ret = node_get(&req->conn->nodes, CCFS_ROOT, &root);
	if (ret)
		return ret;
	sealed.root_ino = root->ino;
	ret = fstatfs(root->fd, &fs) ? -errno : 0;
	sealed.fs = fs.f_fsid;
	node_put(&req->conn->nodes, root);
	if (ret)
		return ret;
	memcpy(sealed.bytes, h->bytes, sizeof(sealed.bytes));
	if (ioctl(req->conn->proxy->dev, SHAREDPC_IOC_SEAL, &s))
		return -errno;
	*out = s.seal;
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The directory above @dir (taken over), and what it is. fd or -errno. */
static int step_up(int dir, struct stat *st)
{
	int up = openat(dir, "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret = up < 0 ? -errno : up;

	close(dir);
	if (up >= 0 && fstat(up, st)) {
		ret = -errno;
		close(up);
	}
	return ret;
}

/*
 * Is the directory @dir the root of the mount, or somewhere below it? Once it was: it
 * may have been moved out of there. 0, -ESTALE or another -errno.
 */
static int below_root(struct request *req, int dir)
{
	struct stat st, up, root;
	struct node *n;
	int fd, ret = node_get(&req->conn->nodes, CCFS_ROOT, &n);

	if (ret)
		return ret;
	if (fstat(n->fd, &root) || fstat(dir, &st))
		ret = -errno;
	node_put(&req->conn->nodes, n);
	if (ret)
		return ret;
	fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	for (int i = 0; i < DEPTH_MAX && !same_file(&st, &root); i++) {
		fd = step_up(fd, &up);
		if (fd < 0)
			return fd;
		if (same_file(&st, &up))
			break;	/* nothing is above it */
		st = up;
	}
	close(fd);
	return same_file(&st, &root) ? 0 : -ESTALE;
}

int request_handle(struct request *req)
{
	struct ccfs_fhandle h = { 0 };
	struct file_handle *of;
	int ret = msg_end(&req->in);

	if (!ret && S_ISDIR(req->node->type))
		ret = below_root(req, req->node->fd);
	if (ret)
		return ret;
	of = node_handle(req->node->fd);
	if (!of)
		return -EOPNOTSUPP;
	h.type = of->handle_type;
	h.len = of->handle_bytes;
	memcpy(h.bytes, of->f_handle, of->handle_bytes);
	free(of);
	ret = seal(req, &h, &h.seal);
	if (!ret)
		msg_put(&req->out, &h, sizeof(h));
	return ret;
}

/* Answer with the file at @fd (O_PATH, taken over), which is not known by a name. */
static int nameless_put(struct request *req, int fd)
{
	struct stat st;
	uint64_t node;
	int ret = fstat(fd, &st) ? -errno : 0;

	if (!ret && S_ISDIR(st.st_mode))
		ret = below_root(req, fd);
	if (!ret)
		return entry_put(req, fd, 0, &node);
	close(fd);
	return ret;
}

int request_present(struct request *req)
{
	struct file_handle *handle;
	struct ccfs_fhandle h;
	__u64 is;
	int fd, ret = msg_get(&req->in, &h, sizeof(h));

	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	if (h.len > CCFS_FHANDLE_MAX)
		return -EPROTO;
	ret = seal(req, &h, &is);
	if (ret)
		return ret;
	if (h.seal != is)
		return -ESTALE;
	handle = malloc(sizeof(*handle) + h.len);
	if (!handle)
		return -ENOMEM;
	handle->handle_type = h.type;
	handle->handle_bytes = h.len;
	memcpy(handle->f_handle, h.bytes, h.len);
	fd = nodes_open(&req->conn->nodes, handle);
	free(handle);
	return fd < 0 ? fd : nameless_put(req, fd);
}

/* What "." and ".." are to an inode that FUSE has no name of. */
int request_dot(struct request *req)
{
	struct ccfs_count dots;
	struct stat st;
	int fd, ret = msg_get(&req->in, &dots, sizeof(dots));

	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	if (dots.count != 1 && dots.count != 2)
		return -EPROTO;
	fd = fcntl(req->node->fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && dots.count == 2)
		fd = step_up(fd, &st);
	else if (fd < 0)
		fd = -errno;
	return fd < 0 ? fd : nameless_put(req, fd);
}

int request_forget(struct request *req)
{
	return conn_forget(req->conn, &req->in);
}

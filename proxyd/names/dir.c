// SPDX-License-Identifier: GPL-2.0-only
/*
 * dir.c - what is in a directory.
 *
 * The directory is opened for each request. An offset is the file system's own
 * cookie, so it stays good for as long as the file system says, whoever opens
 * the directory. The right to read it was checked on the client, when it was
 * opened there.
 *
 * With PLUS each entry comes with what LOOKUP and READLINK would have said of
 * it. An entry that cannot be looked up, because it has gone meanwhile or for
 * any other reason, comes as a bare name: who wants to know asks. Each may cost a
 * read of the disk, and the worker is wanted by others: after a while the answer
 * is as long as it is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxyd/export/cred.h"
#include "proxyd/export/procfd.h"
#include "proxyd/data/proxy.h"
#include "proxyd/names/dir.h"
#include "proxyd/names/ops.h"

#define CHUNK	32768		/* bytes of one getdents64 */
#define WALK_MS	500		/* for one answer, about */

/* An answer on its way. */
struct walk {
	struct request *req;
	int fd;			/* the directory */
	uint32_t left;		/* bytes */
	bool plus;
	bool full;		/* no more, for whatever reason */
	unsigned int count;	/* entries in it */
	int64_t end_ms;		/* it has taken long enough then */
};

/* One entry, in the order in which it is sent. */
struct entry {
	struct ccfs_dirent d;
	const char *name;
	char text[CCFS_PATH_MAX + 1];
	struct ccfs_attr attr;	/* d.node is not 0 */
};

/* Bytes of @e if it has @text_len bytes of text and, maybe, attributes. */
static uint32_t entry_size(const struct entry *e, uint16_t text_len, bool attr)
{
	return sizeof(e->d) + e->d.len + text_len + (attr ? sizeof(e->attr) : 0);
}

static void entry_readlink(struct entry *e, int fd)
{
	ssize_t n = readlinkat(fd, "", e->text, sizeof(e->text));

	if (n > 0 && n <= (ssize_t)CCFS_PATH_MAX)
		e->d.text_len = n;
}

/*
 * Whether the caller may read a directory, and search it, its own kernel has seen to.
 * But where a client's root is nobody its kernel cannot know, and is not believed.
 */
static bool by_caller(const struct request *req)
{
	return export_narrows(&req->conn->rules);
}

static int entry_open(struct request *req, int dir, const char *name)
{
	int fd, ret = by_caller(req) ? cred_take(&req->cred, req->groups) : 0;

	if (ret)
		return ret;
	fd = name_open(dir, name);
	if (by_caller(req))
		cred_back();
	return fd;
}

static int dir_open(struct request *req)
{
	int fd, ret = by_caller(req) ? cred_take(&req->cred, req->groups) : 0;

	if (ret)
		return ret;
	fd = procfd_open(req->node->fd, O_RDONLY | O_DIRECTORY);
	if (by_caller(req))
		cred_back();
	return fd;
}

/*
 * Look @e up. False: there is not enough room left for what it needs, and
 * nothing has been counted.
 */
static bool entry_look(struct walk *w, struct entry *e)
{
	struct conn *conn = w->req->conn;
	uint64_t node;
	struct stat st;
	int fd;

	e->d.name_gen = words_name_gen(&conn->words, w->fd, e->name);
	fd = entry_open(w->req, w->fd, e->name);
	if (fd < 0)
		return true;
	if (e->d.type == DT_LNK)
		entry_readlink(e, fd);	/* changes its access time: first */
	if (words_stat(&conn->words, fd, &st, &e->attr)) {
		e->d.text_len = 0;
		close(fd);
		return true;
	}
	if (entry_size(e, e->d.text_len, true) > w->left) {
		close(fd);
		return false;
	}
	if (!node_add(&conn->nodes, fd, &st, &node) &&
	    !request_enter(w->req, node)) {
		e->d.node = node;
		e->d.ino = st.st_ino;
	} else {
		e->d.text_len = 0;
	}
	return true;
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Put @de into the answer. False: it does not fit. */
static bool walk_put(struct walk *w, const struct dirent64 *de)
{
	struct msg *out = &w->req->out;
	struct entry e;

	e.d = (struct ccfs_dirent) {
		.ino = de->d_ino, .offset = de->d_off, .type = de->d_type,
		.len = strlen(de->d_name),
	};
	e.name = de->d_name;
	if (w->plus && !is_dots(e.name) && !entry_look(w, &e))
		return false;
	if (entry_size(&e, e.d.text_len, e.d.node) > w->left)
		return false;
	msg_put(out, &e.d, sizeof(e.d));
	msg_put(out, e.name, e.d.len);
	msg_put(out, e.text, e.d.text_len);
	if (e.d.node)
		msg_put(out, &e.attr, sizeof(e.attr));
	w->left -= entry_size(&e, e.d.text_len, e.d.node);
	w->count++;
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The next entries. Their bytes in the directory, 0 at its end, or -errno. */
static ssize_t walk_more(struct walk *w)
{
	char buf[CHUNK] __attribute__((aligned(8)));
	struct dirent64 *de;
	ssize_t n = getdents64(w->fd, buf, sizeof(buf)), at;

	for (at = 0; at < n && !w->full; at += de->d_reclen) {
		de = (struct dirent64 *)(buf + at);
		w->full = !walk_put(w, de) || now_ms() > w->end_ms;
	}
	return n < 0 ? -errno : n;
}

/* Until the answer is full or the directory ends. 0 or -errno. */
static int walk_fill(struct walk *w, uint32_t *flags)
{
	ssize_t n;

	do {
		n = walk_more(w);
	} while (n > 0 && !w->full);
	if (!n)
		*flags |= CCFS_LISTING_END;
	if (w->count)
		return 0;	/* an error comes again when it is alone */
	return n < 0 ? n : w->full ? -EINVAL : 0;
}

/* On the owner's own image no node can be let go of again (node.h): not too many. */
static bool may_add(const struct conn *conn)
{
	return !conn->proxy->local || conn->nodes.fds < conn->nodes.fds_max;
}

/*
 * Begin at @offset. A directory that is removed while it is read gives ENOENT;
 * ext4 does not know its own cookies any more then, and says EINVAL.
 */
static int walk_seek(struct walk *w, uint64_t offset)
{
	struct stat st;
	int ret;

	if (lseek(w->fd, offset, SEEK_SET) >= 0)
		return 0;
	ret = -errno;
	return fstat(w->fd, &st) || st.st_nlink ? ret : -ENOENT;
}

int dir_read(struct request *req, const struct ccfs_readdir *args)
{
	struct walk w = {
		.req = req, .plus = args->flags & CCFS_READDIR_PLUS && may_add(req->conn),
		.end_ms = now_ms() + WALK_MS,
	};
	struct ccfs_listing head = { 0 };
	int ret;

	if (args->size < sizeof(head))
		return -EINVAL;
	w.left = args->size - sizeof(head);
	if (w.left > req->room - sizeof(struct ccfs_header) - sizeof(head))
		w.left = req->room - sizeof(struct ccfs_header) - sizeof(head);
	w.fd = dir_open(req);
	if (w.fd < 0)
		return w.fd;
	msg_put(&req->out, &head, sizeof(head));
	ret = walk_seek(&w, args->offset);
	if (!ret)
		ret = walk_fill(&w, &head.flags);
	close(w.fd);
	if (!ret && !req->out.error)
		memcpy(req->out.data, &head, sizeof(head));
	return ret;
}

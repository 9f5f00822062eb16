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
 * any other reason, comes as a bare name: who wants to know asks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxyd/export/procfd.h"
#include "proxyd/names/dir.h"
#include "proxyd/names/ops.h"

#define CHUNK	32768		/* bytes of one getdents64 */

/* An answer on its way. */
struct listing {
	struct request *req;
	int fd;			/* the directory */
	uint32_t left;		/* bytes */
	bool plus;
	bool full;
	unsigned int count;	/* entries in it */
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
 * Look @e up. False: there is not enough room left for what it needs, and
 * nothing has been counted.
 */
static bool entry_look(struct listing *l, struct entry *e)
{
	struct conn *conn = l->req->conn;
	uint64_t node;
	struct stat st;
	int fd;

	e->d.name_gen = words_name(&conn->words, l->fd, e->name);
	fd = name_open(l->fd, e->name);
	if (fd < 0)
		return true;
	if (e->d.type == DT_LNK)
		entry_readlink(e, fd);	/* changes its access time: first */
	if (words_stat(&conn->words, fd, &st, &e->attr)) {
		e->d.text_len = 0;
		close(fd);
		return true;
	}
	if (entry_size(e, e->d.text_len, true) > l->left) {
		close(fd);
		return false;
	}
	if (!node_add(&conn->nodes, fd, &st, &node) &&
	    !request_enter(l->req, node)) {
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
static bool listing_put(struct listing *l, const struct dirent64 *de)
{
	struct msg *out = &l->req->out;
	struct entry e;

	e.d = (struct ccfs_dirent) {
		.ino = de->d_ino, .offset = de->d_off, .type = de->d_type,
		.len = strlen(de->d_name),
	};
	e.name = de->d_name;
	if (l->plus && !is_dots(e.name) && !entry_look(l, &e))
		return false;
	if (entry_size(&e, e.d.text_len, e.d.node) > l->left)
		return false;
	msg_put(out, &e.d, sizeof(e.d));
	msg_put(out, e.name, e.d.len);
	msg_put(out, e.text, e.d.text_len);
	if (e.d.node)
		msg_put(out, &e.attr, sizeof(e.attr));
	l->left -= entry_size(&e, e.d.text_len, e.d.node);
	l->count++;
	return true;
}

/* The next entries. Their bytes in the directory, 0 at its end, or -errno. */
static ssize_t listing_more(struct listing *l)
{
	char buf[CHUNK] __attribute__((aligned(8)));
	struct dirent64 *de;
	ssize_t n = getdents64(l->fd, buf, sizeof(buf)), at;

	for (at = 0; at < n && !l->full; at += de->d_reclen) {
		de = (struct dirent64 *)(buf + at);
		l->full = !listing_put(l, de);
	}
	return n < 0 ? -errno : n;
}

/* Until the answer is full or the directory ends. 0 or -errno. */
static int listing_fill(struct listing *l, uint32_t *flags)
{
	ssize_t n;

	do {
		n = listing_more(l);
	} while (n > 0 && !l->full);
	if (!n)
		*flags |= CCFS_LISTING_END;
	if (l->count)
		return 0;	/* an error comes again when it is alone */
	return n < 0 ? n : l->full ? -EINVAL : 0;
}

int dir_read(struct request *req, const struct ccfs_readdir *args)
{
	struct listing l = {
		.req = req, .plus = args->flags & CCFS_READDIR_PLUS,
	};
	struct ccfs_listing head = { 0 };
	int ret;

	if (args->size < sizeof(head))
		return -EINVAL;
	l.left = args->size - sizeof(head);
	l.fd = procfd_open(req->node->fd, O_RDONLY | O_DIRECTORY);
	if (l.fd < 0)
		return l.fd;
	msg_put(&req->out, &head, sizeof(head));
	ret = lseek(l.fd, args->offset, SEEK_SET) < 0 ? -errno :
		listing_fill(&l, &head.flags);
	close(l.fd);
	if (!ret && !req->out.error)
		memcpy(req->out.data, &head, sizeof(head));
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - look-up, and what makes, moves and removes names
 *
 * Each entry that the owner answers is one more use of its node; FUSE counts
 * the same uses and gives them back with FORGET.  An entry that FUSE did not
 * take (its request was gone) is forgotten here.
 */
#include <errno.h>
#include <string.h>

#include "fs/ops.h"

int get_entry(struct msg *m, struct ccfs *fs, fuse_ino_t dir, const char *name,
	      struct fuse_entry_param *e)
{
	struct ccfs_entry entry;
	struct tale_name found = { .dir = dir, .name = name };
	int ret = msg_get(m, &entry, sizeof(entry));

	if (ret)
		return ret;
	if (!entry.node)
		return -EPROTO;
	if (name)
		found.len = strlen(name);
	found.gen = entry.name_gen;
	attach_tell(&fs->attach, entry.node, &entry.attr, name ? &found : NULL);
	*e = (struct fuse_entry_param) {
		.ino = entry.node, .generation = node_generation(fs, entry.node),
	};
	attr_stat(&entry.attr, &e->attr);
	return 0;
}

void names_forget(struct ccfs *fs, const struct ccfs_forget *list, size_t n)
{
	forgets_add(&fs->forgets, list, n);
}

void names_forget_one(struct ccfs *fs, uint64_t node)
{
	const struct ccfs_forget one = { .node = node, .count = 1 };

	names_forget(fs, &one, 1);
}

/* Answer @req with @e, or with @ret if that is not 0. */
static void answer_entry(fuse_req_t req, int ret,
			 const struct fuse_entry_param *e)
{
	if (ret)
		answer_error(req, ret);
	else if (fuse_reply_entry(req, e))
		names_forget_one(ccfs_of(req), e->ino);
}

/* Send @m, which makes @name in @dir, and answer @req with its entry. */
static void ask_entry(struct msg *m, fuse_req_t req, fuse_ino_t dir,
		      const char *name)
{
	struct fuse_entry_param e;
	int ret = ask_call(m, req);

	if (!ret)
		ret = get_entry(m, ccfs_of(req), dir, name, &e);
	if (!ret)
		ret = get_changed(m, ccfs_of(req), dir);
	answer_entry(req, ret, &e);
	msg_free(m);
}

/* FUSE takes other errors of a look-up for "it is not there". */
static int lack(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS ? -ENOMEM : err;
}

/* "." or "..": FUSE has the node without a name of it, from a file handle. */
static void ask_dot(struct msg *m, fuse_req_t req, uint64_t dots)
{
	const struct ccfs_count n = { .count = dots };
	struct fuse_entry_param e;
	int ret;

	msg_put(m, &n, sizeof(n));
	ret = lack(ask_call(m, req));
	if (!ret)
		ret = get_entry(m, ccfs_of(req), 0, NULL, &e);
	answer_entry(req, ret, &e);
	msg_free(m);
}

/*
 * When FUSE looks whether a name that it knows is still there, it takes every
 * error but ENOMEM for "no", and what is mounted there is unmounted.  So that
 * is what a lack of anything is called.
 */
void op_lookup(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	struct fuse_entry_param e;
	struct msg m = { 0 };
	int ret;

	if (!strcmp(name, ".") || !strcmp(name, "..")) {
		ask(&m, req, CCFS_DOT, dir);
		ask_dot(&m, req, strlen(name));
		return;
	}
	ask(&m, req, CCFS_LOOKUP, dir);
	ask_name(&m, name);
	ret = lack(ask_call(&m, req));
	if (!ret)
		ret = get_entry(&m, ccfs_of(req), dir, name, &e);
	answer_entry(req, ret, &e);
	msg_free(&m);
}

void op_forget(fuse_req_t req, fuse_ino_t node, uint64_t count)
{
	const struct ccfs_forget one = { .node = node, .count = count };

	names_forget(ccfs_of(req), &one, 1);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *list)
{
	struct ccfs_forget few[256];
	size_t some;

	for (; n; n -= some, list += some) {
		some = n < 256 ? n : 256;
		for (size_t i = 0; i < some; i++)
			few[i] = (struct ccfs_forget) {
				.node = list[i].ino, .count = list[i].nlookup,
			};
		names_forget(ccfs_of(req), few, some);
	}
	fuse_reply_none(req);
}

static void make(fuse_req_t req, unsigned int op, fuse_ino_t dir,
		 const char *name, mode_t mode, dev_t rdev)
{
	struct ccfs_make mk = { .mode = mode, .rdev = rdev };
	struct msg m = { 0 };

	ask(&m, req, op, dir);
	msg_put(&m, &mk, sizeof(mk));
	ask_name(&m, name);
	ask_entry(&m, req, dir, name);
}

void op_mknod(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode,
	      dev_t rdev)
{
	make(req, CCFS_MKNOD, dir, name, mode, rdev);
}

void op_mkdir(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode)
{
	make(req, CCFS_MKDIR, dir, name, mode, 0);
}

void op_unlink(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	struct msg m = { 0 };

	ask(&m, req, CCFS_UNLINK, dir);
	ask_name(&m, name);
	ask_changed(&m, req, dir);
}

void op_rmdir(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	struct msg m = { 0 };

	ask(&m, req, CCFS_RMDIR, dir);
	ask_name(&m, name);
	ask_changed(&m, req, dir);
}

void op_symlink(fuse_req_t req, const char *text, fuse_ino_t dir,
		const char *name)
{
	struct msg m = { 0 };

	ask(&m, req, CCFS_SYMLINK, dir);
	ask_name(&m, name);
	msg_put_str(&m, text, strlen(text));
	ask_entry(&m, req, dir, name);
}

void op_rename(fuse_req_t req, fuse_ino_t dir, const char *name,
	       fuse_ino_t newdir, const char *newname, unsigned int flags)
{
	struct ccfs_rename r = { .newdir = newdir, .flags = flags };
	struct msg m = { 0 };
	int ret;

	ask(&m, req, CCFS_RENAME, dir);
	msg_put(&m, &r, sizeof(r));
	ask_name(&m, name);
	ask_name(&m, newname);
	ret = ask_call(&m, req);
	if (!ret)
		ret = get_changed(&m, ccfs_of(req), dir);
	if (!ret)
		ret = get_changed(&m, ccfs_of(req), newdir);
	answer_error(req, ret);
	msg_free(&m);
}

void op_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t newdir,
	     const char *newname)
{
	struct ccfs_link l = { .newdir = newdir };
	struct msg m = { 0 };

	ask(&m, req, CCFS_LINK, node);
	msg_put(&m, &l, sizeof(l));
	ask_name(&m, newname);
	ask_entry(&m, req, newdir, newname);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe.c - opens for writing and new attributes and flags, as the kernel comes to them
 *
 * fsnotify would report them, but only with all opens and with each write(), and an
 * event is some hundred instructions, which who reads or writes would pay for.  So
 * ftrace calls us where two functions begin, which costs nobody else anything:
 *
 *	security_file_open		of each open, when i_writecount is up
 *	security_inode_post_setattr	of notify_change(), when all is done
 *
 * What sets a file's flags (chattr) calls nothing when it is done, so it is replaced by ours,
 * which calls it (vfs_fileattr_set).
 *
 * What we know of them is checked when this is built.
 */
#include <linux/build_bug.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/security.h>
#include <linux/srcu.h>
#include <linux/static_call.h>
#include "box/trace.h"
#include "words/probe.h"

static_assert(__same_type(security_file_open, int (struct file *)));
static_assert(__same_type(security_inode_post_setattr,
			  void (struct mnt_idmap *, struct dentry *, int)));

static_assert(__same_type(vfs_fileattr_set,
			  int (struct mnt_idmap *, struct dentry *, struct fileattr *)));

static void (*probe_changed)(const struct inode *inode);

static void at_open(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		    struct ftrace_regs *regs)
{
	const struct file *file = (void *)ftrace_regs_get_argument(regs, 0);

	if (file->f_mode & FMODE_WRITE)
		probe_changed(file_inode(file));
}

static void at_setattr(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		       struct ftrace_regs *regs)
{
	const struct dentry *d = (void *)ftrace_regs_get_argument(regs, 1);

	probe_changed(d_inode(d));
}

static int no_fileattr_set(struct mnt_idmap *idmap, struct dentry *d, struct fileattr *fa)
{
	return -ENOSYS;
}

DEFINE_STATIC_CALL(linux_fileattr_set, no_fileattr_set);

/* Who is in ours: has to be out before it is unloaded. */
DEFINE_STATIC_SRCU(in_fileattr);

static int our_fileattr_set(struct mnt_idmap *idmap, struct dentry *d, struct fileattr *fa)
{
	int idx = srcu_read_lock(&in_fileattr);
	int err = static_call(linux_fileattr_set)(idmap, d, fa);

	probe_changed(d_inode(d));
	srcu_read_unlock(&in_fileattr, idx);
	return err;
}

static void notrace at_fileattr(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
				struct ftrace_regs *regs)
{
	ftrace_regs_set_instruction_pointer(regs, (unsigned long)our_fileattr_set);
}

enum { OPEN, SETATTR, FILEATTR, PROBES };

static struct trace probes[PROBES] = {
	[OPEN]		= TRACE("security_file_open", at_open),
	[SETATTR]	= TRACE("security_inode_post_setattr", at_setattr),
	[FILEATTR]	= TRACE_REPLACED("vfs_fileattr_set", at_fileattr),
};

int probe_begin(void (*changed)(const struct inode *inode))
{
	int i, err;

	probe_changed = changed;
	err = trace_find(&probes[FILEATTR]);
	if (err)
		return err;
	static_call_update(linux_fileattr_set, (typeof(&no_fileattr_set))probes[FILEATTR].body);
	for (i = 0; i < PROBES && !err; i++)
		err = trace_begin(&probes[i]);
	if (err)
		probe_end();
	return err;
}

void probe_end(void)
{
	int i;

	for (i = 0; i < PROBES; i++)
		trace_end(&probes[i]);
	synchronize_srcu(&in_fileattr);
	/* Who has left it may still have a return of ours to execute. */
	synchronize_rcu_tasks();
}

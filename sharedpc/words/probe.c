// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe.c - opens for writing and new attributes, as the kernel comes to them
 *
 * fsnotify would report them, but only with all opens and with each write(), and an
 * event is some hundred instructions, which who reads or writes would pay for.  So
 * ftrace calls us where two functions begin, which costs nobody else anything:
 *
 *	security_file_open		of each open, when i_writecount is up
 *	security_inode_post_setattr	of notify_change(), when all is done
 *
 * What we know of them is checked when this is built; that they can be traced,
 * when we begin.  PERMANENT: kernel.ftrace_enabled cannot be set to 0 meanwhile.
 */
#include <linux/build_bug.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/security.h>
#include "words/probe.h"

#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error "the arguments of a traced function are needed"
#endif

static_assert(__same_type(security_file_open, int (struct file *)));
static_assert(__same_type(security_inode_post_setattr,
			  void (struct mnt_idmap *, struct dentry *, int)));

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

static struct ftrace_ops open_ops = {
	.func	= at_open,
	.flags	= FTRACE_OPS_FL_PERMANENT,
};

static struct ftrace_ops setattr_ops = {
	.func	= at_setattr,
	.flags	= FTRACE_OPS_FL_PERMANENT,
};

/* ftrace_free_filter leaves the pointer: it could not be set once more. */
static void filter_drop(struct ftrace_ops *ops)
{
	ftrace_set_filter(ops, NULL, 0, 1);
}

static int probe_set(struct ftrace_ops *ops, char *function)
{
	int err = ftrace_set_filter(ops, function, strlen(function), 1);

	if (!err)
		err = register_ftrace_function(ops);
	if (err)
		filter_drop(ops);
	return err;
}

static void probe_unset(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	filter_drop(ops);
}

int probe_begin(void (*changed)(const struct inode *inode))
{
	int err;

	probe_changed = changed;
	err = probe_set(&open_ops, "security_file_open");
	if (err)
		return err;
	err = probe_set(&setattr_ops, "security_inode_post_setattr");
	if (err)
		probe_unset(&open_ops);
	return err;
}

void probe_end(void)
{
	probe_unset(&setattr_ops);
	probe_unset(&open_ops);
}

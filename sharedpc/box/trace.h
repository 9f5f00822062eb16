/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - functions of Linux that call one of ours where they begin, or are replaced
 *
 * By ftrace, which costs nobody else anything.  What is assumed of a function is for its user to
 * check, when he is built; that there is one, and that ftrace can do that to it, is checked
 * when he begins.  PERMANENT: kernel.ftrace_enabled cannot be set to 0 meanwhile.
 */
#ifndef TRACE_H
#define TRACE_H

#include <linux/ftrace.h>

struct trace {
	const char *function;
	struct ftrace_ops ops;
	unsigned long body;	/* what of it comes behind ftrace's place; 0: not found yet */
	bool on;
};

/* @at is called first. */
#define TRACE(name, at) {							\
	.function = (name),							\
	.ops = { .func = (at), .flags = FTRACE_OPS_FL_PERMANENT },		\
}

/* @at says which function of ours is called instead (ftrace_regs_set_instruction_pointer). */
#define TRACE_REPLACED(name, at) {						\
	.function = (name),							\
	.ops = { .func = (at),							\
		 .flags = FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_IPMODIFY },	\
}

/* Where a function is, exported or not, and whether ftrace has its place there.  0 or -errno. */
int trace_address(const char *function, unsigned long *addr, bool *traced);
/* Find it, for its body; trace_begin() does if need be.  0 or -errno. */
int trace_find(struct trace *t);
/* From here on.  0 or -errno; then it is as after trace_end(). */
int trace_begin(struct trace *t);
/*
 * Not any more: no call of it begins to come to ours.  Who is in a function that replaces it
 * is the user's to wait for.  Also of one that is not found, or was not begun.
 */
void trace_end(struct trace *t);

#endif

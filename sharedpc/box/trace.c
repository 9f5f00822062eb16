// SPDX-License-Identifier: GPL-2.0-only
/* trace.c - functions of Linux that come by one of ours, see trace.h */
#include <linux/kprobes.h>
#include "box/trace.h"

#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error "the arguments of a traced function are needed"
#endif

int trace_address(const char *function, unsigned long *addr, bool *traced)
{
	/* It is not to be hit, only to be found. */
	struct kprobe probe = { .symbol_name = function, .flags = KPROBE_FLAG_DISABLED };
	int err = register_kprobe(&probe);

	if (err)
		return err;
	*addr = (unsigned long)probe.addr;
	*traced = probe.flags & KPROBE_FLAG_FTRACE;
	unregister_kprobe(&probe);
	return 0;
}

int trace_find(struct trace *t)
{
	unsigned long addr;
	bool traced;
	int err = trace_address(t->function, &addr, &traced);

	if (!err)
		err = traced ? ftrace_set_filter_ip(&t->ops, addr, 0, 1) : -EOPNOTSUPP;
	if (!err)
		t->body = addr + MCOUNT_INSN_SIZE;
	return err;
}

int trace_begin(struct trace *t)
{
	int err = t->body ? 0 : trace_find(t);

	if (!err)
		err = register_ftrace_function(&t->ops);
	t->on = !err;
	if (err)
		trace_end(t);
	return err;
}

void trace_end(struct trace *t)
{
	if (t->on)
		unregister_ftrace_function(&t->ops);
	/* ftrace_free_filter leaves the pointer: it could not be set once more. */
	if (t->body)
		ftrace_set_filter(&t->ops, NULL, 0, 1);
	t->on = false;
	t->body = 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_MINMAX_H
#define TEST_KERNEL_MINMAX_H

/* Each once, as there. */
#define kernel_choose(a, b, op) ({	\
	__auto_type a_ = (a);		\
	__auto_type b_ = (b);		\
	a_ op b_ ? a_ : b_;		\
})
#define min(a, b)		kernel_choose(a, b, <)
#define max(a, b)		kernel_choose(a, b, >)
#define min_t(type, a, b)	kernel_choose((type)(a), (type)(b), <)
#define max_t(type, a, b)	kernel_choose((type)(a), (type)(b), >)

#endif

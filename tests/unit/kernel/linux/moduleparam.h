/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_MODULEPARAM_H
#define TEST_KERNEL_MODULEPARAM_H

/* They are what they are. */
#define module_param(name, type, mode)		_Static_assert(1, "")
#define MODULE_PARM_DESC(name, text)		_Static_assert(1, "")

#endif

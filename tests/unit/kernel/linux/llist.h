/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_LLIST_H
#define TEST_KERNEL_LLIST_H

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define init_llist_head(l) ((l)->first = NULL)

#endif

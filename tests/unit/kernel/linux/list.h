/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_LIST_H
#define TEST_KERNEL_LIST_H

#include <linux/types.h>

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

/* As there: what list_empty looks at may be looked at without a lock. */
static inline void list_add(struct list_head *node, struct list_head *head)
{
	node->next = head->next;
	node->prev = head;
	head->next->prev = node;
	WRITE_ONCE(head->next, node);
}

static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
	list_add(node, head->prev);
}

static inline void list_del(struct list_head *node)
{
	node->next->prev = node->prev;
	WRITE_ONCE(node->prev->next, node->next);
	/* As the kernel has it: who uses it on falls over. */
	node->next = (void *)0x100;
	node->prev = (void *)0x122;
}

static inline void list_del_init(struct list_head *node)
{
	list_del(node);
	INIT_LIST_HEAD(node);
}

static inline bool list_empty(const struct list_head *head)
{
	return READ_ONCE(head->next) == head;
}

static inline bool list_is_first(const struct list_head *node, const struct list_head *head)
{
	return node->prev == head;
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_entry((head)->next, type, member))
#define list_for_each_entry(p, head, member)					\
	for (p = list_entry((head)->next, __typeof__(*(p)), member);		\
	     &(p)->member != (head);						\
	     p = list_entry((p)->member.next, __typeof__(*(p)), member))
#define list_for_each_entry_safe(p, next, head, member)				\
	for (p = list_entry((head)->next, __typeof__(*p), member),		\
	     next = list_entry(p->member.next, __typeof__(*p), member);		\
	     &p->member != (head);						\
	     p = next, next = list_entry(next->member.next, __typeof__(*p), member))

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	node->next = head->first;
	node->pprev = &head->first;
	if (node->next)
		node->next->pprev = &node->next;
	head->first = node;
}

static inline void hlist_del(struct hlist_node *node)
{
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	node->next = (void *)0x100;
	node->pprev = (void *)0x122;
}

#define hlist_entry_or_null(p, type, member) \
	({ struct hlist_node *p_ = (p); p_ ? container_of(p_, type, member) : NULL; })
#define hlist_for_each_entry(p, head, member)					\
	for (p = hlist_entry_or_null((head)->first, __typeof__(*(p)), member); p;	\
	     p = hlist_entry_or_null((p)->member.next, __typeof__(*(p)), member))

#endif

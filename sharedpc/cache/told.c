// SPDX-License-Identifier: GPL-2.0-only
/*
 * told.c - what ccfs told and nobody has taken yet
 *
 * ccfs tells what the owner said of a file right before it answers FUSE, and
 * whoever asked FUSE takes it from here right after: so what lies here is
 * mostly about to be taken.  What is not (the one who asked was killed) is
 * pushed out by what comes later.
 *
 * A tale is old when it is taken, maybe: it is checked against its word then.
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "cache/cache.h"

#define TOLD_MAX	2048	/* tales of a mount */

struct told_tale {
	struct list_head age;
	struct hlist_node by_node;	/* unhashed: taken */
	struct hlist_node by_dir;	/* unhashed: no name, or taken */
	struct sharedpc_tale *tale;	/* NULL: taken */
	u64 dir;
	struct told_name name;
};

void told_init(struct told *t)
{
	spin_lock_init(&t->lock);
	INIT_LIST_HEAD(&t->age);
}

static void told_free(struct told_tale *one)
{
	kfree(one->tale);
	kfree(one);
}

/* With the lock. */
static void told_unlink(struct told *t, struct told_tale *one)
{
	hlist_del_init(&one->by_node);
	hlist_del_init(&one->by_dir);
	list_del(&one->age);
	t->count--;
}

void told_clear(struct told *t)
{
	struct told_tale *one, *next;

	list_for_each_entry_safe(one, next, &t->age, age)
		told_free(one);
}

static void told_insert(struct told *t, struct told_tale *one)
{
	struct told_tale *old = NULL;

	spin_lock(&t->lock);
	hlist_add_head(&one->by_node, &t->files[hash_64(one->tale->node, TOLD_BITS)]);
	if (one->dir)
		hlist_add_head(&one->by_dir, &t->names[hash_64(one->dir, TOLD_BITS)]);
	list_add_tail(&one->age, &t->age);
	if (++t->count > TOLD_MAX) {
		old = list_first_entry(&t->age, struct told_tale, age);
		told_unlink(t, old);
	}
	spin_unlock(&t->lock);
	if (old)
		told_free(old);
}

/* One tale at @at, of which @left bytes are there; its length, or -errno. */
static int told_parse(struct cache_mount *m, const void *at, u32 left)
{
	const struct sharedpc_tale *tale = at;
	struct told_tale *one;
	u32 len;

	if (left < sizeof(*tale) || !tale->node || tale->name_len > NAME_MAX ||
	    tale->text_len >= PATH_MAX)
		return -EINVAL;
	len = sizeof(*tale) + tale->name_len + tale->text_len;
	if (len > left)
		return -EINVAL;
	one = kzalloc(sizeof(*one), GFP_KERNEL);
	if (!one)
		return -ENOMEM;
	/* The text stays with the tale, with a NUL behind it. */
	one->tale = kzalloc(sizeof(*tale) + tale->text_len + 1, GFP_KERNEL);
	if (!one->tale) {
		kfree(one);
		return -ENOMEM;
	}
	*one->tale = *tale;
	memcpy(one->tale + 1, at + sizeof(*tale) + tale->name_len, tale->text_len);
	if (tale->name_len)
		one->dir = tale->dir;
	one->name.gen = tale->name_gen;
	one->name.node = tale->node;
	one->name.len = tale->name_len;
	memcpy(one->name.name, at + sizeof(*tale), tale->name_len);
	told_insert(&m->told, one);
	return round_up(len, 8);
}

int told_add(struct cache_mount *m, const struct sharedpc_tell *tell)
{
	u32 i, pos = 0;
	void *tales;
	int len = 0;

	if (tell->bytes > SHAREDPC_TELL_MAX || tell->tales % 8)
		return -EINVAL;
	tales = vmemdup_user(u64_to_user_ptr(tell->tales), tell->bytes);
	if (IS_ERR(tales))
		return PTR_ERR(tales);
	for (i = 0; i < tell->count && len >= 0; i++) {
		len = pos < tell->bytes ? told_parse(m, tales + pos, tell->bytes - pos) :
			-EINVAL;
		pos += len;
	}
	kvfree(tales);
	return len < 0 ? len : 0;
}

/* With the lock: @one has given one of its two away. */
static bool told_empty(struct told *t, struct told_tale *one)
{
	if (one->tale || !hlist_unhashed(&one->by_dir))
		return false;
	told_unlink(t, one);
	return true;
}

struct sharedpc_tale *told_take(struct told *t, u64 node)
{
	struct sharedpc_tale *tale = NULL;
	struct told_tale *one, *done = NULL;

	if (!READ_ONCE(t->count))
		return NULL;
	spin_lock(&t->lock);
	hlist_for_each_entry(one, &t->files[hash_64(node, TOLD_BITS)], by_node) {
		if (one->tale->node != node)
			continue;
		tale = one->tale;
		one->tale = NULL;
		hlist_del_init(&one->by_node);
		if (told_empty(t, one))
			done = one;
		break;
	}
	spin_unlock(&t->lock);
	kfree(done);
	return tale;
}

bool told_take_name(struct told *t, u64 dir, const struct qstr *name,
		    struct told_name *out)
{
	struct told_tale *one, *done = NULL;
	bool found = false;

	if (!READ_ONCE(t->count))
		return false;
	spin_lock(&t->lock);
	hlist_for_each_entry(one, &t->names[hash_64(dir, TOLD_BITS)], by_dir) {
		if (one->dir != dir || (name && (name->len != one->name.len ||
		    memcmp(name->name, one->name.name, name->len))))
			continue;
		*out = one->name;
		found = true;
		hlist_del_init(&one->by_dir);
		if (told_empty(t, one))
			done = one;
		break;
	}
	spin_unlock(&t->lock);
	kfree(done);
	return found;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * map.c - the proxy's mappings, watched by mmu notifiers
 *
 * The proxy maps a window of a file and says so (MAP); from then on whatever
 * the owner's kernel does to those pages - truncate, write-back, migration,
 * reclaim, munmap - calls map_invalidate before it happens, and the client's
 * rights go first: see docs/architecture.md, Taking back.
 *
 * The call-back waits for the client, with a bound and then the fence; the
 * client's side of that path takes no lock that could depend on us.
 */
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "owner/server.h"

static bool map_invalidate(struct mmu_interval_notifier *mni,
			   const struct mmu_notifier_range *range,
			   unsigned long seq)
{
	struct map *m = container_of(mni, struct map, mni);
	u64 start = max_t(u64, range->start, m->addr);
	u64 end = min_t(u64, range->end, m->addr + m->pages * PAGE_SIZE);
	u64 first = m->index + (start - m->addr) / PAGE_SIZE;
	u64 last = m->index + (end - 1 - m->addr) / PAGE_SIZE;

	/* Only the OOM reaper may not block, and shared maps are not its prey. */
	if (!mmu_notifier_range_blockable(range))
		return false;

	/* Under the lock that grant_frames retries under. */
	xa_lock_bh(&m->grants);
	mmu_interval_set_seq(mni, seq);
	xa_unlock_bh(&m->grants);

	/* What this proxy does to its own mapping concerns no other: munmap, madvise. */
	if (range->event == MMU_NOTIFY_PROTECTION_PAGE)
		share_revoke(m, first, last, true);
	else if (range->event == MMU_NOTIFY_CLEAR && mni->mm != current->mm)
		share_revoke(m, first, last, false);
	else
		revoke_all(m, first, last, NULL);
	return true;
}

static const struct mmu_interval_notifier_ops map_ops = {
	.invalidate = map_invalidate,
};

static void map_free(struct kref *ref)
{
	struct map *m = container_of(ref, struct map, ref);

	xa_destroy(&m->grants);
	server_put(m->server);
	kfree(m);
}

void map_put(struct map *m)
{
	kref_put(&m->ref, map_free);
}

static struct hlist_head *maps_of(struct server *s, u64 file)
{
	return &s->maps_by_file[hash_64(file, MAPS_BITS)];
}

/* The map that holds all of [index, index + count), with a reference. */
struct map *map_find(struct server *s, u64 file, u64 index, u64 count)
{
	struct map *m, *found = NULL;

	mutex_lock(&s->maps_lock);
	hlist_for_each_entry(m, maps_of(s, file), by_file) {
		if (m->file == file && index >= m->index &&
		    index - m->index < m->pages &&
		    count <= m->pages - (index - m->index)) {
			kref_get(&m->ref);
			found = m;
			break;
		}
	}
	mutex_unlock(&s->maps_lock);
	return found;
}

static bool map_overlaps(struct server *s, const struct sharedpc_map *want)
{
	struct map *m;

	hlist_for_each_entry(m, maps_of(s, want->file), by_file)
		if (m->file == want->file && want->index < m->index + m->pages &&
		    m->index < want->index + want->pages)
			return true;
	return false;
}

/* Of no file any more. */
static void map_leave(struct map *m)
{
	share_leave(m);
	if (m->vm_file)
		fput(m->vm_file);
	m->vm_file = NULL;
}

/* Of which file it is. */
static void map_file(struct map *m)
{
	struct vm_area_struct *vma;
	struct inode *inode;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, m->addr);
	if (vma && vma->vm_file) {
		/* The mapping's own reference may go before the map does. */
		m->vm_file = get_file(vma->vm_file);
		inode = file_inode(m->vm_file);
		m->dev = inode->i_sb->s_dev;
		m->ino = inode->i_ino;
		share_join(m, inode);
	}
	mmap_read_unlock(current->mm);
}

int map_add(struct server *s, const struct sharedpc_map *want)
{
	struct map *m;
	int err;

	if (!want->pages || want->pages > 1ULL << 32 || want->addr & ~PAGE_MASK ||
	    want->index + want->pages < want->index ||
	    want->addr + want->pages * PAGE_SIZE < want->addr)
		return -EINVAL;
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	kref_init(&m->ref);
	m->file = want->file;
	m->index = want->index;
	m->pages = want->pages;
	m->addr = want->addr;
	xa_init_flags(&m->grants, XA_FLAGS_LOCK_BH);
	INIT_LIST_HEAD(&m->takings);
	init_waitqueue_head(&m->taken);
	kref_get(&s->ref);
	m->server = s;
	map_file(m);

	mutex_lock(&s->maps_lock);
	err = -EEXIST;
	if (map_overlaps(s, want))
		goto unlock;
	err = mmu_interval_notifier_insert(&m->mni, current->mm, want->addr,
					   want->pages * PAGE_SIZE, &map_ops);
	if (err)
		goto unlock;
	list_add(&m->node, &s->maps);
	hlist_add_head(&m->by_file, maps_of(s, m->file));
	mutex_unlock(&s->maps_lock);
	return 0;

unlock:
	mutex_unlock(&s->maps_lock);
	map_leave(m);
	map_put(m);
	return err;
}

static void map_end(struct map *m)
{
	xa_lock_bh(&m->grants);
	m->dead = true;
	xa_unlock_bh(&m->grants);
	map_leave(m);
	revoke_all(m, m->index, m->index + m->pages - 1, NULL);
	/* Answers to what others have begun ahead find our server: while there is one. */
	revoke_quiesce(m);
	mmu_interval_notifier_remove(&m->mni);
	map_put(m);
}

int map_remove(struct server *s, u64 file, u64 index)
{
	struct map *m, *found = NULL;

	mutex_lock(&s->maps_lock);
	hlist_for_each_entry(m, maps_of(s, file), by_file) {
		if (m->file == file && m->index == index) {
			list_del(&m->node);
			hlist_del(&m->by_file);
			found = m;
			break;
		}
	}
	mutex_unlock(&s->maps_lock);
	if (!found)
		return -ENOENT;
	map_end(found);
	return 0;
}

void map_remove_all(struct server *s)
{
	struct map *m;

	for (;;) {
		mutex_lock(&s->maps_lock);
		m = list_first_entry_or_null(&s->maps, struct map, node);
		if (m) {
			list_del(&m->node);
			hlist_del(&m->by_file);
		}
		mutex_unlock(&s->maps_lock);
		if (!m)
			return;
		map_end(m);
	}
}

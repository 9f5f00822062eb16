// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault.c - pages for the client: which, from where, in which order.
 *
 * The kernel module does the granting; here it is decided how many pages to
 * grant at once, and foreign pages (cached before the region's policy could
 * place them, or when the region had nothing to spare) are moved into the
 * region. Moving allocates there and nowhere else: it reclaims what the region
 * caches besides, and fails without harm when nothing is left (-ENOSPC).
 *
 * A read that allows pages around it gets the run of cached pages around the
 * one it needs. If that one has to be read from the disk, so are those that
 * follow: the kernel's own read-ahead gives up on a mapping that it has missed
 * too often, as it must in one that is only ever touched on a miss. A write gets
 * its one page, since granting the right to write makes a page dirty; what its fault
 * waits for is waited for here (touch.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxyd/data/call.h"
#include "proxyd/data/touch.h"
#include "proxyd/export/procfd.h"
#include "proxyd/life/log.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"

#define TRIES		LIMIT_PROXY_TRIES	/* moves or lost races until -EBUSY */
#define FAULT_AROUND	16UL	/* pages; a window begins at a multiple of it */

/* What is to be granted: pages [index, index + count), of which @need at least. */
struct span {
	uint64_t need;
	uint64_t index;
	uint32_t count;
	char *addr;		/* of page @index */
};

/* Whether the region has no page to spare for this client. */
static bool region_low(struct proxy *proxy)
{
	struct sharedpc_info info;

	return ioctl(proxy->dev, SHAREDPC_IOC_INFO, &info) || !info.room;
}

static char *span_page(const struct span *s, uint64_t index)
{
	return s->addr + (index - s->index) * PAGE;
}

static bool resident(const struct span *s, uint64_t index)
{
	unsigned char vec;

	return !mincore(span_page(s, index), PAGE, &vec) && (vec & 1);
}

/* Cut @s down to the run of cached pages around the one that is needed. */
static void span_cached(struct span *s)
{
	unsigned char vec[SHAREDPC_FAULT_MAX] = { 0 };
	uint32_t need = s->need - s->index, first = need, end = need + 1;

	if (mincore(s->addr, s->count * PAGE, vec))
		memset(vec, 0, sizeof(vec));
	while (first > 0 && (vec[first - 1] & 1))
		first--;
	while (end < s->count && (vec[end] & 1))
		end++;
	s->addr += first * PAGE;
	s->index += first;
	s->count = end - first;
}

static void span_one(struct span *s)
{
	s->addr = span_page(s, s->need);
	s->index = s->need;
	s->count = 1;
}

/* Move what @foreign marks into the region. */
static int span_move(struct proxy *proxy, const struct span *s, uint64_t foreign)
{
	void *pages[SHAREDPC_FAULT_MAX];
	int nodes[SHAREDPC_FAULT_MAX], status[SHAREDPC_FAULT_MAX];
	unsigned long n = 0;
	uint32_t i;

	for (i = 0; i < s->count; i++) {
		if (!(foreign & 1ULL << i))
			continue;
		pages[n] = s->addr + i * PAGE;
		nodes[n++] = proxy->region_node;
	}
	if (region_low(proxy))
		return -ENOSPC;		/* the kernel would log its failure */
	if (n && move_pages(0, n, pages, nodes, status, MPOL_MF_MOVE_ALL) < 0)
		return errno == ENOMEM ? -ENOSPC : -errno;
	return 0;
}

static void pause_ms(unsigned int ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000L };

	nanosleep(&ts, NULL);
}

/* Grant @s, or the needed page alone. 0: answered; else the error to reply. */
static int span_grant(struct proxy *proxy, const struct file *file,
		      const struct sharedpc_call *call, struct span *s)
{
	char where[PATH_MAX];
	struct sharedpc_grant grant;
	int try, ret = -EBUSY;

	for (try = 0; try < TRIES; try++) {
		grant = (struct sharedpc_grant) {
			.slot = call->slot, .index = s->index, .count = s->count,
		};
		if (!ioctl(proxy->dev, SHAREDPC_IOC_GRANT, &grant))
			return 0;
		switch (errno) {
		case ESTALE:
			return 0;	/* nobody waits any more */
		case EXDEV:
			ret = span_move(proxy, s, grant.foreign);
			if (ret == -ENOSPC && (s->count == 1 ||
			    !(call->flags & SHAREDPC_CALL_AROUND)))
				return ret;
			if (ret == -ENOSPC)
				span_one(s);
			if (try > 2)
				pause_ms(try < 20 ? 1 : 20);
			break;
		case EAGAIN:
			if (try > 10)
				pause_ms(1);
			break;
		case EFAULT:
		case ENOSPC:
			if (s->count == 1 || !(call->flags & SHAREDPC_CALL_AROUND))
				return -errno;
			span_one(s);
			break;
		default:
			return -errno;
		}
		if (try == TRIES / 2 && (call->flags & SHAREDPC_CALL_AROUND))
			span_one(s);
	}
	log_say("%s: page %llu cannot be granted (%d)", procfd_where(file->fd, where),
		(unsigned long long)call->pos, ret);
	return -EBUSY;
}

/* What of the call lies before the end of the file and in the window. */
static int span_clip(const struct file *file, const struct sharedpc_call *call,
		     struct span *s, uint64_t pages)
{
	struct stat st;
	uint64_t end;

	if (fstat(file->fd, &st))
		return -errno;
	end = (st.st_size + PAGE - 1) / PAGE;
	if (call->pos >= end)
		return -EFAULT;
	s->count = call->count;
	if (s->count > SHAREDPC_FAULT_MAX)
		s->count = SHAREDPC_FAULT_MAX;
	if (s->count > pages)
		s->count = pages;
	if (s->count > end - s->index)
		s->count = end - s->index;
	return 0;
}

/* Choose the pages and have the needed one in memory. file->map is held. */
static int span_choose(struct proxy *proxy, const struct file *file,
		       const struct sharedpc_call *call, struct span *s)
{
	bool cached = resident(s, s->need);

	if (!cached && region_low(proxy))
		return -ENOSPC;
	/* The grant would do it as well, with the lock of the memory map held. */
	if (call->flags & SHAREDPC_CALL_WRITE && !file->writable)
		return -EPERM;
	if (call->flags & SHAREDPC_CALL_WRITE && touch_write(span_page(s, s->need)))
		return -EFAULT;
	if (!(call->flags & SHAREDPC_CALL_AROUND))
		return 0;
	if (call->flags & SHAREDPC_CALL_WRITE) {
		span_one(s);
		return 0;
	}
	/* Here, not in a kernel thread: this task's memory policy counts. */
	if (!cached)
		readahead(file->fd, s->need * PAGE, s->count * PAGE);
	if (madvise(span_page(s, s->need), PAGE, MADV_POPULATE_READ)) {
		if (errno == EFAULT)
			return -EFAULT;
		span_one(s);	/* let the grant say what is wrong */
		return 0;
	}
	span_cached(s);
	return 0;
}

/*
 * The page cannot be granted: nor may it stay locked, nor those that its fault has
 * mapped around it (FAULT_AROUND, the kernel's own number), which nobody counts.
 */
static void span_drop(const struct span *s)
{
	madvise(span_page(s, s->need & ~(FAULT_AROUND - 1)), FAULT_AROUND * PAGE,
		MADV_DONTNEED_LOCKED);
}

static int file_fault(struct proxy *proxy, struct file *file,
		      const struct sharedpc_call *call)
{
	struct span s = { .need = call->pos, .index = call->pos };
	uint64_t pages;
	int ret = 0;

	if (!call->count)
		return -EINVAL;
	s.addr = file_map(&proxy->files, file, s.index, &pages, &ret);
	if (!s.addr)
		return ret;
	/* Who may only write has no page to look at: he sends what he writes. */
	ret = __atomic_load_n(&file->readable, __ATOMIC_RELAXED) ?
		span_clip(file, call, &s, pages) : -EACCES;
	if (!ret)
		ret = span_choose(proxy, file, call, &s);
	if (!ret)
		ret = span_grant(proxy, file, call, &s);
	if (ret == -ENOSPC)
		span_drop(&s);
	pthread_rwlock_unlock(&file->map);
	return ret;
}

int call_fault(struct proxy *proxy, const struct sharedpc_call *call)
{
	struct file *file = file_get(&proxy->files, call->file);
	int ret;

	if (!file)
		return -ESTALE;
	ret = file_fault(proxy, file, call);
	if (file_put(&proxy->files, file))
		life_check(&proxy->life);
	return ret;
}

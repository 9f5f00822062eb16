// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-revoke.c - an owner's frames, lent and taken back: the kernel's own source files
 *
 * map.c, grant.c, share.c, revoke.c and kept.c between threads: three clients with a
 * server and two threads of its proxy each, which map one file and grant its pages; a kernel
 * that punches, moves and cleans them; messages that get lost; pages that I/O of a client
 * holds after it gave them back.  The clients store to what they may write, in plain
 * memory.  What must not be:
 *
 *	a frame that is free while a client has it, or I/O of its
 *	a page that is cleaned while a client may write it
 *	a store that is in a page which is neither clean nor dirty
 *	a REVOKE that waits until its client is fenced, though that answers
 *	a grant, a reference to a page, a file or a map left over at the end
 *
 * and, compiled for the thread sanitizer, a data race: a store that the owner's use of the
 * page is not ordered to is one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/hmm.h>
#include "box/ctl.h"
#include "box/region.h"
#include "image/lives.h"
#include "link/peer.h"
#include "owner/server.h"
#include "wire.h"

#define CLIENTS		3	/* images 1 to 3; the owner is 0 */
#define PAGES		12	/* of the file; in windows of WINDOW */
#define WINDOW		6
#define ADDR		0x10000000UL
#define WORKERS		2	/* threads of a proxy */
#define CHANGERS	3	/* threads of the owner's kernel that change pages */
#define HELD_MAX	32	/* pages that a client's I/O holds */

u32 ctl_self, ctl_nr_images = CLIENTS + 1;

static enum {
	NOTHING,
	TAKEN_FOR_DEAD,	/* nobody waits for the last client */
	GIVEN_LATE,	/* a client answers before it gives back */
	NOT_KEPT,	/* a client does not say what its I/O holds */
	UNORDERED,	/* a grant of pages that have changed meanwhile */
	OVERTAKEN,	/* FRAMES come after the REVOKE that takes them back */
	UNDIRTIED,	/* pages do not get dirty */
	UNLOCKED,	/* spinlocks lock nothing */
	BH_ON,		/* bottom halves are never off */
	SHORT,		/* no control: memory is short at times */
} control;

/* A frame's memory: a word for each client. */
static u64 memory[KERNEL_PAGES][CLIENTS + 1];

/* A page of the file. */
static struct cached {
	pthread_mutex_t lock;		/* the folio's */
	struct page *page;		/* or NULL, with the reference of the page cache */
	u64 disk[CLIENTS + 1];		/* what was in it when it was cleaned */
} cached[PAGES];

/* The owner's page tables for the proxy of a client. */
struct proxy {
	struct mm_struct mm;
	pthread_mutex_t lock;
	struct page *page[PAGES];
	bool write[PAGES];
	pthread_t worker[WORKERS];
};

/* What a client has. */
struct client {
	pthread_mutex_t lock;	/* its page tables' */
	struct wire told, said;
	struct page *page[PAGES];
	bool write[PAGES];
	struct {
		struct page *page;	/* NULL: free */
		u64 index, name;	/* 0: not said yet */
		bool over;		/* RELEASED is to be said until FREED comes */
	} held[HELD_MAX];
	u64 last_name;
	pthread_t listening, user;
};

static struct server servers[CLIENTS + 1];
static struct proxy proxies[CLIENTS + 1];
static struct client clients[CLIENTS + 1];
static struct file file = { .count = 1 };
static struct super_block sb;
static struct inode inode = { .count = 1, .i_sb = &sb };
static struct vm_area_struct vma = { .vm_file = &file };
static pthread_mutex_t frames_lock = PTHREAD_MUTEX_INITIALIZER;
static bool frame_used[KERNEL_PAGES];
static u32 slots;
static bool over;		/* no new grants and changes */
static bool stop;		/* no thread is needed any more */
static struct {
	u64 granted, punched, moved, cleaned, mapped, stored, revoked, kept, released, dirty;
} count;

#define COUNT(what) __atomic_fetch_add(&count.what, 1, __ATOMIC_RELAXED)
#define COUNTED(what) __atomic_load_n(&count.what, __ATOMIC_RELAXED)
#define SEEN(flag) __atomic_load_n(&(flag), __ATOMIC_ACQUIRE)
#define SAY(flag) __atomic_store_n(&(flag), true, __ATOMIC_RELEASE)

static void wrong_if(bool is, const char *what)
{
	if (is)
		kernel_fail(what);
}

/* What the files above use of others. */

bool peer_up(u32 image)
{
	return true;
}

int peer_send(u32 image, const struct sharedpc_msg *msg, const void *body, u32 body_len)
{
	static _Thread_local struct sharedpc_frames late;
	static _Thread_local u32 late_len;
	int err;

	if (control != OVERTAKEN || msg->type != SHAREDPC_MSG_FRAMES)
		return wire_send(&clients[image].told, msg, body, body_len);
	/* What came before goes now: a moment later than it should. */
	err = late_len ? wire_push(&clients[image].told, &late.msg, late.frame, late_len) : 0;
	late.msg = *msg;
	memcpy(late.frame, body, body_len);
	late_len = body_len;
	return err;
}

bool lives_ended(u32 id, u32 epoch)
{
	return control == TAKEN_FOR_DEAD && id == CLIENTS;
}

int lives_fence(u32 id, u32 epoch)
{
	kernel_fail("a client is fenced that answers");
}

const char *ctl_name(u32 image)
{
	return "client";
}

bool region_has(u32 owner, unsigned long pfn)
{
	return true;
}

u64 quota_room(const struct server *s)
{
	return U64_MAX;
}

struct server *server_get(u32 client, u32 number)
{
	kref_get(&servers[client].ref);
	return &servers[client];
}

static void server_free(struct kref *ref)
{
	kernel_fail("a server's reference is put that is the test's");
}

void server_put(struct server *s)
{
	kref_put(&s->ref, server_free);
}

bool server_current(const struct server *s)
{
	return true;
}

void server_granted_add(struct server *s, int frames)
{
	atomic64_add(frames, &s->granted);
}

void request_wake(struct server *s)
{
}

/* The call that this thread works at. */
static _Thread_local struct sharedpc_msg call;

int request_find(struct server *s, u32 slot, struct sharedpc_msg *msg)
{
	*msg = call;
	return 0;
}

int request_finish(struct server *s, u32 slot, const struct sharedpc_msg *done)
{
	return 0;
}

void request_unfinish(struct server *s, u32 slot)
{
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	return &vma;
}

/* The owner's page cache. */

static void check_unused(struct page *page)
{
	u32 c, i;

	for (c = 1; c <= CLIENTS; c++) {
		pthread_mutex_lock(&clients[c].lock);
		for (i = 0; i < PAGES; i++)
			wrong_if(clients[c].page[i] == page,
				 "a frame is free that a client has");
		for (i = 0; i < HELD_MAX; i++)
			wrong_if(clients[c].held[i].page == page && !clients[c].held[i].over,
				 "a frame is free that a client's I/O holds");
		pthread_mutex_unlock(&clients[c].lock);
	}
}

static void page_freed(struct page *page)
{
	check_unused(page);
	/* Somebody else's now. */
	memset(memory[page - kernel_page], 0xee, sizeof(memory[0]));
	pthread_mutex_lock(&frames_lock);
	frame_used[page - kernel_page] = false;
	pthread_mutex_unlock(&frames_lock);
}

/* With a reference. */
static struct page *page_make(void)
{
	u32 start = kernel_random(), i, n;

	pthread_mutex_lock(&frames_lock);
	for (n = 0; n < KERNEL_PAGES; n++) {
		i = (start + n) % KERNEL_PAGES;
		if (!frame_used[i])
			break;
	}
	wrong_if(n == KERNEL_PAGES, "no frame is free any more");
	frame_used[i] = true;
	pthread_mutex_unlock(&frames_lock);
	memset(memory[i], 0, sizeof(memory[i]));
	kernel_page[i].dirty = false;
	kernel_page[i].refcount = 1;
	return &kernel_page[i];
}

/* With the page's lock. */
static struct page *page_cached(struct cached *c)
{
	if (!c->page) {
		c->page = page_make();
		memset(c->disk, 0, sizeof(c->disk));
	}
	return c->page;
}

static bool pte_find(struct proxy *p, u32 i, bool write, unsigned long *pfn)
{
	bool is;

	pthread_mutex_lock(&p->lock);
	is = p->page[i] && (!write || p->write[i]);
	if (is)
		*pfn = page_to_pfn(p->page[i]) | HMM_PFN_VALID |
			(p->write[i] ? HMM_PFN_WRITE : 0);
	pthread_mutex_unlock(&p->lock);
	return is;
}

static void pte_fault(struct proxy *p, u32 i, bool write, unsigned long *pfn)
{
	struct page *page;

	if (pte_find(p, i, write, pfn))
		return;
	pthread_mutex_lock(&cached[i].lock);
	page = page_cached(&cached[i]);
	if (write)
		folio_mark_dirty(page_folio(page));
	pthread_mutex_lock(&p->lock);
	p->page[i] = page;
	p->write[i] |= write;
	pthread_mutex_unlock(&p->lock);
	pthread_mutex_unlock(&cached[i].lock);
	/* If it went at once the sequence says so. */
	*pfn = page_to_pfn(page) | HMM_PFN_VALID | (write ? HMM_PFN_WRITE : 0);
}

int hmm_range_fault(struct hmm_range *range)
{
	struct proxy *p = container_of(current->mm, struct proxy, mm);
	unsigned long addr;
	u32 n = 0;

	for (addr = range->start; addr < range->end; addr += PAGE_SIZE, n++) {
		if (mmu_interval_read_retry(range->notifier, range->notifier_seq))
			return -EBUSY;
		pte_fault(p, (addr - ADDR) / PAGE_SIZE,
			  range->hmm_pfns[n] & HMM_PFN_REQ_WRITE, &range->hmm_pfns[n]);
	}
	return 0;
}

/* All proxies' mappings of page @i: they are told, then it goes, or the right to write. */
static void unmap(u32 first, u32 last, enum mmu_notifier_event event)
{
	const struct mmu_notifier_range range = {
		.start = ADDR + first * PAGE_SIZE, .end = ADDR + (last + 1) * PAGE_SIZE,
		.event = event,
	};
	struct proxy *p;
	u32 i;

	for (p = &proxies[1]; p <= &proxies[CLIENTS]; p++) {
		kernel_change_begin(&p->mm, &range);
		pthread_mutex_lock(&p->lock);
		for (i = first; i <= last; i++) {
			p->write[i] = false;
			if (event == MMU_NOTIFY_CLEAR)
				p->page[i] = NULL;
		}
		pthread_mutex_unlock(&p->lock);
		kernel_change_end(&p->mm);
	}
}

static void check_right(const struct page *page)
{
	u32 c, i;

	for (c = 1; c <= CLIENTS; c++) {
		pthread_mutex_lock(&clients[c].lock);
		for (i = 0; i < PAGES; i++)
			wrong_if(clients[c].page[i] == page && clients[c].write[i],
				 "a page is cleaned that a client may write");
		pthread_mutex_unlock(&clients[c].lock);
	}
}

/* What I/O of a client stores after all the owner does not know of. */
static bool check_dirty(const struct cached *c)
{
	const u64 *now = memory[c->page - kernel_page];
	bool dirty = __atomic_load_n(&c->page->dirty, __ATOMIC_ACQUIRE);

	wrong_if(!dirty && memcmp(now, c->disk, sizeof(c->disk)),
		 "a store that nobody will write");
	return dirty;
}

/* As write-back does it, when all are told.  With the page's lock. */
static void clean(struct cached *c)
{
	check_right(c->page);
	if (!check_dirty(c))
		return;
	__atomic_store_n(&c->page->dirty, false, __ATOMIC_RELEASE);
	memcpy(c->disk, memory[c->page - kernel_page], sizeof(c->disk));
	COUNT(cleaned);
}

/* As migration does it.  With the page's lock. */
static void move(struct cached *c)
{
	struct page *old = c->page, *page = page_make();

	unmap(c - cached, c - cached, MMU_NOTIFY_CLEAR);
	page->dirty = check_dirty(c);
	memcpy(memory[page - kernel_page], memory[old - kernel_page], sizeof(memory[0]));
	c->page = page;
	put_page(old);
	COUNT(moved);
}

/* As truncate and punch do it: first all of them, then each.  With the pages' locks. */
static void punch(u32 first, u32 last)
{
	u32 i;

	unmap(first, last, MMU_NOTIFY_CLEAR);
	for (i = first; i <= last; i++) {
		if (cached[i].page)
			put_page(cached[i].page);
		cached[i].page = NULL;
	}
	COUNT(punched);
}

static void change(u32 first, u32 last)
{
	u32 i;

	for (i = first; i <= last; i++)
		pthread_mutex_lock(&cached[i].lock);
	switch (kernel_random() % 8) {
	case 0:
		punch(first, last);
		break;
	case 1:
		for (i = first; i <= last; i++)
			if (cached[i].page)
				move(&cached[i]);
		break;
	default:
		/* A folio of several pages. */
		unmap(first, last, MMU_NOTIFY_PROTECTION_PAGE);
		for (i = first; i <= last; i++)
			if (cached[i].page)
				clean(&cached[i]);
	}
	for (i = first; i <= last; i++)
		pthread_mutex_unlock(&cached[i].lock);
}

static void *changer_thread(void *unused)
{
	u32 first;

	while (!SEEN(over)) {
		first = kernel_random() % PAGES;
		change(first, min_t(u32, first + kernel_random() % 4, PAGES - 1));
		kernel_nap(kernel_random() % 300);
	}
	return NULL;
}

/* A proxy. */

static void map_window(struct server *s, u32 index)
{
	const struct sharedpc_map want = {
		.file = 1, .index = index, .pages = WINDOW, .addr = ADDR + index * PAGE_SIZE,
	};
	int err = map_add(s, &want);

	wrong_if(err && err != -EEXIST && !(kernel_short && err == -ENOMEM),
		 "a window that cannot be mapped");
	if (!err)
		COUNT(mapped);
}

/* What is not mapped is in no page table. */
static void unmap_window(struct server *s, u32 index)
{
	map_remove(s, 1, index);
}

static void grant(struct server *s)
{
	u32 window = kernel_random() % (PAGES / WINDOW) * WINDOW;
	u32 first = window + kernel_random() % WINDOW;
	struct sharedpc_grant want = {
		.slot = __atomic_add_fetch(&slots, 1, __ATOMIC_RELAXED), .index = first,
		.count = 1 + kernel_random() % min_t(u32, 4, window + WINDOW - first),
	};
	int err;

	call = (struct sharedpc_msg){
		.type = SHAREDPC_OP_FAULT, .slot = want.slot, .file = 1, .pos = first,
		.count = want.count, .flags = kernel_chance(2) ? SHAREDPC_CALL_WRITE : 0,
	};
	err = grant_frames(s, &want);
	if (!err)
		COUNT(granted);
	if (err == -ENOENT)
		map_window(s, window);
	else
		wrong_if(err && err != -EAGAIN && !(kernel_short && err == -ENOMEM),
			 "a grant that is refused");
}

static void *worker_thread(void *arg)
{
	struct server *s = arg;

	current->mm = s->mm;
	while (!SEEN(over)) {
		grant(s);
		if (kernel_chance(40))
			unmap_window(s, kernel_random() % (PAGES / WINDOW) * WINDOW);
		kernel_nap(kernel_random() % 200);
	}
	return NULL;
}

/* A client. */

/* I/O takes hold of a page that is about to be given back.  With the lock. */
static void hold(struct client *c, u32 i)
{
	u32 h;

	for (h = 0; h < HELD_MAX; h++) {
		if (c->held[h].page == c->page[i] && !c->held[h].over)
			return;		/* since an earlier time */
	}
	for (h = 0; h < HELD_MAX && c->held[h].page; h++)
		;
	if (h == HELD_MAX)
		return;
	c->held[h].page = c->page[i];
	c->held[h].index = i;
	c->held[h].name = 0;
	c->held[h].over = false;
}

static void give_back(struct client *c, const struct sharedpc_msg *revoke)
{
	u32 i;

	pthread_mutex_lock(&c->lock);
	for (i = revoke->pos; i < revoke->pos + revoke->count; i++) {
		c->write[i] = false;
		if (revoke->flags & SHAREDPC_REVOKE_WRITE)
			continue;
		if (c->page[i] && kernel_chance(40))
			hold(c, i);
		c->page[i] = NULL;
	}
	pthread_mutex_unlock(&c->lock);
}

static void say(struct client *c, const struct sharedpc_msg *msg)
{
	while (wire_send(&c->said, msg, NULL, 0))
		kernel_nap(100);
}

/* As pinned_tell. */
static void tell_kept(struct client *c, const struct sharedpc_msg *revoke,
		      struct sharedpc_msg *answer)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_KEPT, .slot = revoke->slot, .file = revoke->file,
		.result = revoke->result,
	};
	u32 h;

	for (h = 0; h < HELD_MAX; h++) {
		pthread_mutex_lock(&c->lock);
		msg.count = 0;
		if (c->held[h].page && !c->held[h].over && c->held[h].index >= revoke->pos &&
		    c->held[h].index < revoke->pos + revoke->count) {
			c->held[h].name = c->held[h].name ?: ++c->last_name;
			msg.count = c->held[h].name;
			msg.pos = c->held[h].index;
			msg.data = PFN_PHYS(page_to_pfn(c->held[h].page));
		}
		pthread_mutex_unlock(&c->lock);
		if (!msg.count)
			continue;
		COUNT(kept);
		if (!kernel_chance(8))
			say(c, &msg);
		answer->count++;
		answer->data += msg.data;
	}
}

static void client_revoke(struct client *c, const struct sharedpc_msg *revoke)
{
	struct sharedpc_msg done = {
		.type = SHAREDPC_MSG_REVOKED, .slot = revoke->slot, .file = revoke->file,
		.result = revoke->result,
	};

	COUNT(revoked);
	if (control == GIVEN_LATE) {
		say(c, &done);
		kernel_nap(200);
	}
	give_back(c, revoke);
	if (!(revoke->flags & SHAREDPC_REVOKE_WRITE) && control != NOT_KEPT)
		tell_kept(c, revoke, &done);
	if (kernel_chance(4))
		kernel_nap(kernel_random() % 500);
	say(c, &done);
}

static void client_frames(struct client *c, const struct sharedpc_frames *f, u32 nr)
{
	u32 i, k;

	pthread_mutex_lock(&c->lock);
	for (k = 0; k < nr; k++) {
		i = f->msg.pos + k;
		if (!f->frame[k])
			continue;
		/* A frame of the same page: a right stays until it is taken. */
		c->write[i] = (c->write[i] && c->page[i]) || f->frame[k] & SHAREDPC_FRAME_WRITE;
		c->page[i] = pfn_to_page(PHYS_PFN(f->frame[k]));
	}
	pthread_mutex_unlock(&c->lock);
}

static void client_freed(struct client *c, const struct sharedpc_msg *msg)
{
	struct sharedpc_msg again = *msg;
	u32 h;

	/* A RELEASED that comes late. */
	again.type = SHAREDPC_MSG_RELEASED;
	if (kernel_chance(2))
		wire_push(&c->said, &again, NULL, 0);
	pthread_mutex_lock(&c->lock);
	for (h = 0; h < HELD_MAX; h++) {
		if (c->held[h].page && c->held[h].over && c->held[h].name == msg->pos) {
			c->held[h].page = NULL;
			COUNT(released);
		}
	}
	pthread_mutex_unlock(&c->lock);
}

/* I/O is over, for some of them; what is said gets lost at times. */
static void release_some(struct client *c)
{
	struct sharedpc_msg msg = { .type = SHAREDPC_MSG_RELEASED };
	u32 h = kernel_random() % HELD_MAX;

	pthread_mutex_lock(&c->lock);
	if (c->held[h].page && c->held[h].name && (SEEN(over) || kernel_chance(2)))
		c->held[h].over = true;
	if (c->held[h].page && c->held[h].over) {
		msg.pos = c->held[h].name;
		msg.data = PFN_PHYS(page_to_pfn(c->held[h].page));
	}
	/* Held, but no REVOKE that asked for it is open any more. */
	if (msg.pos)
		wire_send(&c->said, &msg, NULL, 0);
	pthread_mutex_unlock(&c->lock);
}

static void *client_thread(void *arg)
{
	struct client *c = arg;
	struct sharedpc_frames f;
	u32 nr;

	while (!SEEN(stop)) {
		release_some(c);
		if (!wire_pop(&c->told, &f, &nr))
			continue;
		if (f.msg.type == SHAREDPC_MSG_FRAMES)
			client_frames(c, &f, nr);
		else if (f.msg.type == SHAREDPC_MSG_REVOKE)
			client_revoke(c, &f.msg);
		else if (f.msg.type == SHAREDPC_MSG_FREED)
			client_freed(c, &f.msg);
	}
	return NULL;
}

/* Stores, and reads of what others store, in plain memory. */
static void *user_thread(void *arg)
{
	struct client *c = arg;
	u32 me = c - clients, i;

	while (!SEEN(over)) {
		i = kernel_random() % PAGES;
		pthread_mutex_lock(&c->lock);
		if (c->page[i] && c->write[i]) {
			memory[c->page[i] - kernel_page][me]++;
			COUNT(stored);
		}
		pthread_mutex_unlock(&c->lock);
		kernel_jitter();
		if (kernel_chance(16))
			kernel_nap(50);
	}
	return NULL;
}

/* The soft interrupt of the owner, for what client @arg says. */
static void *softirq_thread(void *arg)
{
	struct client *c = arg;
	struct sharedpc_frames f;
	u32 nr;

	while (!SEEN(stop)) {
		if (!wire_pop(&c->said, &f, &nr))
			continue;
		kernel_softirq_enter();
		if (f.msg.type == SHAREDPC_MSG_REVOKED)
			revoke_answered(c - clients, &f.msg);
		else if (f.msg.type == SHAREDPC_MSG_KEPT)
			revoke_kept(c - clients, &f.msg);
		else if (f.msg.type == SHAREDPC_MSG_RELEASED)
			kept_released(c - clients, &f.msg);
		kernel_softirq_exit();
	}
	return NULL;
}

static void server_init(struct server *s, u32 client)
{
	kref_init(&s->ref);
	s->number = client;
	s->client = client;
	s->epoch = 1;
	s->mm = &proxies[client].mm;
	spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->revokes);
	mutex_init(&s->maps_lock);
	INIT_LIST_HEAD(&s->maps);
	kernel_mm_init(s->mm);
	pthread_mutex_init(&proxies[client].lock, NULL);
	pthread_mutex_init(&clients[client].lock, NULL);
	clients[client].told = (struct wire)WIRE_INIT;
	clients[client].said = (struct wire)WIRE_INIT;
	clients[client].told.room = 64;
}

static u64 holds(struct client *c)
{
	u64 n = 0;
	u32 h;

	pthread_mutex_lock(&c->lock);
	for (h = 0; h < HELD_MAX; h++)
		n += c->held[h].page && c->held[h].name;
	pthread_mutex_unlock(&c->lock);
	return n;
}

/* All is taken back, and clients let go of what they hold. */
static void end_maps(void)
{
	u32 c, tries;

	for (c = 1; c <= CLIENTS; c++) {
		map_remove_all(&servers[c]);
		for (tries = 0; holds(&clients[c]) && tries < 10000; tries++)
			kernel_nap(1000);
		wrong_if(holds(&clients[c]), "a page is held whose release is not heard");
		/* What could not be noted is kept until the client has stopped. */
		wrong_if(!kernel_short && kept_count(c), "a page is kept that nobody holds");
	}
}

/* References to pages that nobody could be made to remember: for ever. */
static u64 lost_pages(void)
{
	u64 lost = 0;
	u32 c;

	for (c = 1; c <= CLIENTS; c++) {
		kept_drop(c);
		lost += kept_count(c);
	}
	wrong_if(lost && !kernel_short, "a page is lost");
	return lost;
}

static void check_rest(void)
{
	u64 lost = lost_pages();
	u32 c, i;

	for (c = 1; c <= CLIENTS; c++) {
		wrong_if(atomic64_read(&servers[c].granted), "a grant is left");
		wrong_if(!list_empty(&servers[c].revokes), "a REVOKE is left");
		wrong_if(servers[c].ref.count != 1, "a reference to a server is left");
	}
	for (i = 0; i < PAGES; i++) {
		if (!cached[i].page)
			continue;
		check_dirty(&cached[i]);
		put_page(cached[i].page);
	}
	for (i = 0; i < KERNEL_PAGES; i++)
		if (frame_used[i])
			lost -= kernel_page[i].refcount;
	wrong_if(lost, "a reference to a page is left");
	wrong_if(file.count != 1, "a reference to a file is left");
	wrong_if(kernel_allocated(), "a map or a share is left");
}

/* Has it all happened? */
static bool happened(void)
{
	return COUNTED(granted) > 200 && COUNTED(stored) > 1000 && COUNTED(punched) > 20 &&
	       COUNTED(moved) > 20 && COUNTED(cleaned) > 20 && COUNTED(mapped) > 10 &&
	       COUNTED(kept) > 5 && COUNTED(released) > 5 &&
	       __atomic_load_n(&wire_lost, __ATOMIC_RELAXED) > 10 &&
	       (!kernel_short || kernel_refused() > 50);
}

static void run(u32 ms)
{
	pthread_t changer[CHANGERS], softirq[CLIENTS + 1];
	u32 c, i;

	kernel_unlocked = control == UNLOCKED;
	kernel_bh_always = control == BH_ON;
	kernel_unordered = control == UNORDERED;
	kernel_undirtied = control == UNDIRTIED;
	kernel_short = control == SHORT ? 4 : 0;
	/* A second is 100 ms: none of 20 makes a slow host look like a silent client. */
	kernel_jiffy_us = 1000;
	kernel_moody = 32;
	kernel_page_freed = page_freed;
	wire_lossy = 100;
	file.inode = &inode;
	kept_init();
	for (i = 0; i < PAGES; i++)
		pthread_mutex_init(&cached[i].lock, NULL);
	for (c = 1; c <= CLIENTS; c++)
		server_init(&servers[c], c);
	for (c = 1; c <= CLIENTS; c++) {
		pthread_create(&softirq[c], NULL, softirq_thread, &clients[c]);
		pthread_create(&clients[c].listening, NULL, client_thread, &clients[c]);
		pthread_create(&clients[c].user, NULL, user_thread, &clients[c]);
		for (i = 0; i < WORKERS; i++)
			pthread_create(&proxies[c].worker[i], NULL, worker_thread, &servers[c]);
	}
	for (i = 0; i < CHANGERS; i++)
		pthread_create(&changer[i], NULL, changer_thread, NULL);
	kernel_run(ms, control == NOTHING || control == SHORT ? happened : NULL);
	SAY(over);
	for (i = 0; i < CHANGERS; i++)
		pthread_join(changer[i], NULL);
	for (c = 1; c <= CLIENTS; c++) {
		pthread_join(clients[c].user, NULL);
		for (i = 0; i < WORKERS; i++)
			pthread_join(proxies[c].worker[i], NULL);
	}
	end_maps();
	SAY(stop);
	for (c = 1; c <= CLIENTS; c++) {
		pthread_join(clients[c].listening, NULL);
		pthread_join(softirq[c], NULL);
	}
	check_rest();
}

static void run_and_tell(void)
{
	run(3000);
	printf("%llu grants, %llu stores; %llu punched, %llu moved, %llu cleaned; %llu maps; %llu revokes, %llu kept, %llu released; %llu messages lost\n",
	       (unsigned long long)count.granted, (unsigned long long)count.stored,
	       (unsigned long long)count.punched, (unsigned long long)count.moved,
	       (unsigned long long)count.cleaned, (unsigned long long)count.mapped,
	       (unsigned long long)count.revoked, (unsigned long long)count.kept,
	       (unsigned long long)count.released, (unsigned long long)wire_lost);
	wrong_if(!happened(), "too little has happened");
}

static void test_revokes(void **state)
{
	run_and_tell();
}

static void test_short(void **state)
{
	assert_true(kernel_again(SHORT));
}

/* What comes of a frame that a client uses when it should not, whoever sees it first. */
#define MISUSED "a (frame|page) is|a store that|a reference to a page that|data race"

static void test_control_taken_for_dead(void **state)
{
	assert_true(kernel_control(TAKEN_FOR_DEAD, MISUSED));
}

static void test_control_given_late(void **state)
{
	assert_true(kernel_control(GIVEN_LATE, MISUSED));
}

static void test_control_not_kept(void **state)
{
	assert_true(kernel_control(NOT_KEPT, "that a client's I/O holds"));
}

static void test_control_unordered(void **state)
{
	assert_true(kernel_control(UNORDERED, MISUSED));
}

static void test_control_overtaken(void **state)
{
	assert_true(kernel_control(OVERTAKEN, MISUSED));
}

static void test_control_undirtied(void **state)
{
	assert_true(kernel_control(UNDIRTIED, "a store that nobody will write"));
}

static void test_control_bh_on(void **state)
{
	assert_true(kernel_control(BH_ON, "with bottom halves on"));
}

static void test_control_unlocked(void **state)
{
#ifdef __SANITIZE_THREAD__
	assert_true(kernel_control(UNLOCKED, "data race"));
#else
	skip();
#endif
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revokes),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_control_taken_for_dead),
		cmocka_unit_test(test_control_given_late),
		cmocka_unit_test(test_control_not_kept),
		cmocka_unit_test(test_control_unordered),
		cmocka_unit_test(test_control_overtaken),
		cmocka_unit_test(test_control_undirtied),
		cmocka_unit_test(test_control_bh_on),
		cmocka_unit_test(test_control_unlocked),
	};

	control = kernel_begin(argc, argv);
	if (control == SHORT)
		run_and_tell();
	else if (control)
		run(3000);
	if (control)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

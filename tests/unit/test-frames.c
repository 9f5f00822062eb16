// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-frames.c - the frames that a client holds: the kernel's own source files
 *
 * frames.c and pinned.c between threads: users who look frames up, map them, store to them
 * and hold them for I/O, a listening thread that files frames and takes them back, in the
 * order of an owner who uses at once for another page what he was given back.  Each page
 * says in its memory which one it is.  What must not be:
 *
 *	a frame in use that is another page by now
 *	a right in a page table that was taken back
 *	a store to a page that is being cleaned, which the owner does not get to know
 *	a frame, reference or note of what I/O holds left over at the end
 *
 * and, compiled for the thread sanitizer, a data race: with the owner's use of a frame, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include "box/region.h"
#include "client/call.h"
#include "client/file.h"
#include "client/frames.h"
#include "client/pinned.h"
#include "link/peer.h"
#include "wire.h"

#define OWNER		0
#define FILES		2
#define PAGES		6	/* of each */
#define FRAMES		14	/* few: they are used for one page, then another */
#define FRAMES_MAX	KERNEL_PAGES	/* when some are lost */
#define USERS		4
#define HOLDERS		2

static enum {
	NOTHING,
	STILL_MAPPED,	/* what is taken back stays in page tables */
	NOT_WAITED,	/* I/O has no reference */
	NOT_LATE,	/* stores that come late are not told */
	UNLOCKED,	/* spinlocks lock nothing */
	SHORT,		/* no control: memory is short at times */
} control;

/* What is in a frame. */
static struct {
	u64 page;		/* which one it is: page_tag() */
	u64 stored[USERS];	/* through page tables */
	u64 held;		/* by I/O: in any order to the owner's looks */
} memory[FRAMES_MAX];

/* A page of a file, as its owner has it; under owner_lock. */
static struct owned {
	int frame;		/* or -1 */
	bool write, dirty;
	bool owed;		/* I/O has stored to it late: the client has yet to say so */
	u64 stored[USERS], held;	/* when it was cleaned */
} owned[FILES][PAGES];

static pthread_mutex_t owner_lock = PTHREAD_MUTEX_INITIALIZER;
static u32 nr_frames = FRAMES;
/*
 * Of a frame that is no page's: nobody has it; the owner uses it; a client's I/O holds it;
 * nobody knows.
 */
static enum { FREE, USED, KEPT, LOST } frame_state[FRAMES_MAX];
static u64 kept_name[FRAMES_MAX];

/* The client's page tables. */
static struct table {
	pthread_mutex_t lock;
	struct folio *folio[PAGES];
	struct folio *stale[PAGES];	/* STILL_MAPPED: what was there before */
	bool write[PAGES];
} tables[FILES];

static struct session session = { .owner = OWNER, .server = 1 };
static struct sharedpc_file files[FILES];
static struct address_space mappings[FILES];
static const u64 file_bytes = PAGES * PAGE_SIZE;
static struct wire asked = WIRE_INIT, told = WIRE_INIT, revoked = WIRE_INIT;
static bool late[FILES];	/* frames_late has to run */
static bool over;		/* users and owner do nothing new */
static bool stop;
static struct {
	u64 mapped, stored, held, granted, taken, cleaned, kept, freed, late, lost;
} count;

struct file_stat file_stat;

#define COUNT(what) __atomic_fetch_add(&count.what, 1, __ATOMIC_RELAXED)
#define COUNTED(what) __atomic_load_n(&count.what, __ATOMIC_RELAXED)
#define SEEN(flag) __atomic_load_n(&(flag), __ATOMIC_ACQUIRE)
#define SAY(flag) __atomic_store_n(&(flag), true, __ATOMIC_RELEASE)

static void wrong_if(bool is, const char *what)
{
	if (is)
		kernel_fail(what);
}

static u64 page_tag(u32 file, u32 index)
{
	return 0x1000 + file * 0x100 + index;
}

/* What frames.c and pinned.c use of others. */

bool region_has(u32 owner, unsigned long pfn)
{
	return pfn - KERNEL_PFN < nr_frames;
}

bool file_alive(const struct sharedpc_file *f)
{
	return true;
}

static _Thread_local bool is_late;	/* this thread runs frames_late */
static bool take_meanwhile;	/* its next call fails when its page has been taken back */

static void owner_take(u32 file, u32 first, u32 nr);

/* The frames, if any, are there later. */
int call_run(struct session *s, struct sharedpc_msg *msg, struct inode *inode)
{
	might_sleep();
	if (is_late && __atomic_exchange_n(&take_meanwhile, false, __ATOMIC_ACQ_REL)) {
		pthread_mutex_lock(&owner_lock);
		owner_take(msg->file, msg->pos, 1);
		pthread_mutex_unlock(&owner_lock);
		return -EIO;
	}
	if (is_late && kernel_chance(4))
		return -EIO;
	wire_push(&asked, msg, NULL, 0);
	kernel_nap(kernel_random() % 300);
	return 0;
}

static void released(const struct sharedpc_msg *msg)
{
	struct sharedpc_msg freed = {
		.type = SHAREDPC_MSG_FREED, .pos = msg->pos, .data = msg->data,
	};
	u32 i = PHYS_PFN(msg->data) - KERNEL_PFN;

	pthread_mutex_lock(&owner_lock);
	if (frame_state[i] == KEPT && kept_name[i] == msg->pos) {
		frame_state[i] = FREE;
		memset(&memory[i], 0xee, sizeof(memory[i]));
		COUNT(freed);
	}
	pthread_mutex_unlock(&owner_lock);
	wire_send(&told, &freed, NULL, 0);
}

int peer_send(u32 image, const struct sharedpc_msg *msg, const void *body, u32 body_len)
{
	if (msg->type == SHAREDPC_MSG_RELEASED)
		return wire_send(&asked, msg, body, body_len);
	return wire_push(&revoked, msg, body, body_len);
}

int peer_send_wait(u32 image, const struct sharedpc_msg *msg)
{
	might_sleep();
	return peer_send(image, msg, NULL, 0);
}

void unmap_mapping_pages(struct address_space *mapping, unsigned long first,
			 unsigned long nr, bool even_cows)
{
	struct table *t = &tables[mapping - mappings];
	unsigned long i;

	pthread_mutex_lock(&t->lock);
	for (i = first; i < first + nr && i < PAGES; i++) {
		if (!t->folio[i])
			continue;
		folio_put(t->folio[i]);
		t->stale[i] = t->folio[i];
		t->folio[i] = NULL;
	}
	pthread_mutex_unlock(&t->lock);
}

/* The owner. */

/* Nobody can store through a page table now; what I/O has stored may be said later. */
static void check_stores(struct owned *o)
{
	if (o->dirty)
		return;
	wrong_if(memcmp(o->stored, memory[o->frame].stored, sizeof(o->stored)),
		 "a store that nobody will write");
	if (o->held != __atomic_load_n(&memory[o->frame].held, __ATOMIC_RELAXED))
		o->owed = true;
}

/* With the lock. */
static int frame_find(void)
{
	u32 start = kernel_random(), n, i;

	for (n = 0; n < nr_frames; n++) {
		i = (start + n) % nr_frames;
		if (frame_state[i] == FREE)
			return i;
	}
	return -1;
}

static bool owned_fill(struct owned *o, u32 file, u32 index)
{
	int i = o->frame >= 0 ? o->frame : frame_find();

	if (o->frame < 0 && i >= 0) {
		frame_state[i] = USED;
		memset(&memory[i], 0, sizeof(memory[i]));
		memory[i].page = page_tag(file, index);
		*o = (struct owned){ .frame = i, .owed = o->owed };
	}
	return i >= 0;
}

/* One call; its frames are on their way before the page can be taken back. */
static void owner_grant(const struct sharedpc_msg *call)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_FRAMES, .file = call->file, .pos = call->pos, .count = 1,
	};
	bool write = call->flags & SHAREDPC_CALL_WRITE;
	struct owned *o = &owned[call->file][call->pos];
	u64 frame;

	pthread_mutex_lock(&owner_lock);
	if (owned_fill(o, call->file, call->pos)) {
		o->write |= write;
		o->dirty |= write;
		o->owed &= !write;
		frame = PFN_PHYS(KERNEL_PFN + o->frame) | (o->write ? SHAREDPC_FRAME_WRITE : 0);
		COUNT(granted);
		wrong_if(wire_push_wait(&told, &msg, &frame, sizeof(frame)), "the wire is full");
	}
	pthread_mutex_unlock(&owner_lock);
}

static void *grant_thread(void *unused)
{
	struct sharedpc_frames f;
	u32 nr;

	while (!SEEN(stop)) {
		if (!wire_pop(&asked, &f, &nr))
			continue;
		if (f.msg.type == SHAREDPC_MSG_RELEASED)
			released(&f.msg);
		else
			owner_grant(&f.msg);
	}
	return NULL;
}

/* The client could not say what it holds: all that is its. */
static void owner_lose(const struct sharedpc_msg *answer, u32 file, u32 index, u32 nr)
{
	u32 i;

	wrong_if(!kernel_short || answer->error != -ENOMEM, "what is held could not be said");
	for (i = index; i < index + nr; i++)
		if (owned[file][i].frame >= 0)
			frame_state[owned[file][i].frame] = LOST;
	COUNT(lost);
}

/* With the lock, which nobody needs to answer.  Pages that are kept are noted. */
static void owner_revoke(u32 file, u32 index, u32 nr, u16 flags)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_REVOKE, .flags = flags, .file = file, .server = 1,
		.pos = index, .count = nr,
	};
	struct sharedpc_frames f;
	u32 n, i, kept = 0;

	wrong_if(wire_push_wait(&told, &msg, NULL, 0), "the wire is full");
	for (;;) {
		if (!wire_pop(&revoked, &f, &n))
			continue;
		if (f.msg.type == SHAREDPC_MSG_REVOKED)
			break;
		i = PHYS_PFN(f.msg.data) - KERNEL_PFN;
		kept++;
		/* One that was kept before is named again. */
		if (owned[file][f.msg.pos].frame == (int)i)
			frame_state[i] = KEPT;
		if (frame_state[i] == KEPT)
			kept_name[i] = f.msg.count;
		COUNT(kept);
	}
	if (f.msg.error) {
		owner_lose(&f.msg, file, index, nr);
		return;
	}
	wrong_if(f.msg.count != kept, "KEPTs that were not said");
}

static void owner_take(u32 file, u32 first, u32 nr)
{
	struct owned *o;
	u32 i;

	owner_revoke(file, first, nr, 0);
	for (i = first; i < first + nr; i++) {
		o = &owned[file][i];
		if (o->frame < 0)
			continue;
		if (frame_state[o->frame] == USED) {
			check_stores(o);
			memset(&memory[o->frame], 0xee, sizeof(memory[0]));
			frame_state[o->frame] = FREE;
		}
		o->frame = -1;
		COUNT(taken);
	}
}

static void owner_clean(u32 file, u32 first, u32 nr)
{
	struct owned *o;
	u32 i;

	owner_revoke(file, first, nr, SHAREDPC_REVOKE_WRITE);
	for (i = first; i < first + nr; i++) {
		o = &owned[file][i];
		o->write = false;
		if (o->frame < 0)
			continue;
		check_stores(o);
		if (!o->dirty)
			continue;
		o->dirty = false;
		memcpy(o->stored, memory[o->frame].stored, sizeof(o->stored));
		o->held = __atomic_load_n(&memory[o->frame].held, __ATOMIC_RELAXED);
		COUNT(cleaned);
	}
}

static void *owner_thread(void *unused)
{
	u32 file, first, nr;

	while (!SEEN(over)) {
		file = kernel_random() % FILES;
		first = kernel_random() % PAGES;
		nr = 1 + kernel_random() % (PAGES - first);
		pthread_mutex_lock(&owner_lock);
		if (kernel_chance(3))
			owner_clean(file, first, nr);
		else
			owner_take(file, first, nr);
		pthread_mutex_unlock(&owner_lock);
		kernel_nap(kernel_random() % 500);
	}
	return NULL;
}

/* The client's listening thread: as file_revoke, and what main.c makes of the others. */

/* Nobody but this thread can have given a right back meanwhile. */
static void check_table(const struct sharedpc_msg *msg)
{
	struct table *t = &tables[msg->file];
	u32 i;

	pthread_mutex_lock(&t->lock);
	for (i = msg->pos; i < msg->pos + msg->count; i++)
		wrong_if(t->folio[i] &&
			 (t->write[i] || !(msg->flags & SHAREDPC_REVOKE_WRITE)),
			 "a right in the page tables that was taken back");
	pthread_mutex_unlock(&t->lock);
}

static void listen_revoke(const struct sharedpc_msg *msg)
{
	struct sharedpc_msg done = {
		.type = SHAREDPC_MSG_REVOKED, .slot = msg->slot, .file = msg->file,
	};

	done.error = frames_revoke(&files[msg->file].inode, msg->pos, msg->count,
				   msg->flags & SHAREDPC_REVOKE_WRITE);
	check_table(msg);
	if (!(msg->flags & SHAREDPC_REVOKE_WRITE))
		done.error = pinned_tell(OWNER, msg, &done) ?: done.error;
	peer_send_wait(OWNER, &done);
}

static void listen_one(const struct sharedpc_frames *f, u32 nr)
{
	switch (f->msg.type) {
	case SHAREDPC_MSG_FRAMES:
		frames_add(&files[f->msg.file].inode, f->msg.pos, f->frame, nr, f->msg.pos);
		break;
	case SHAREDPC_MSG_REVOKE:
		listen_revoke(&f->msg);
		break;
	case SHAREDPC_MSG_FREED:
		pinned_freed(OWNER, &f->msg);
		break;
	}
}

static void *listening_thread(void *unused)
{
	unsigned long next_look = jiffies;
	struct sharedpc_frames f;
	u32 nr;

	while (!SEEN(stop)) {
		if (wire_pop(&told, &f, &nr))
			listen_one(&f, nr);
		if (!time_after_eq(jiffies, next_look))
			continue;
		next_look = jiffies + HZ / 20;
		pinned_look(OWNER);
	}
	return NULL;
}

/* Users. */

static u32 folio_frame(struct folio *folio)
{
	return page_to_pfn((struct page *)folio) - KERNEL_PFN;
}

static void check_page(struct folio *folio, u32 file, u32 index)
{
	wrong_if(memory[folio_frame(folio)].page != page_tag(file, index),
		 "a frame in use that is another page");
}

/* As the kernel does it after a store that no page table shows. */
static void mark_dirty(struct folio *folio, u32 file, u32 index)
{
	if (folio_test_dirty(folio))
		return;
	folio_lock(folio);
	if (folio->mapping == &mappings[file] && frames_dirtied(&files[file].inode, index) &&
	    control != NOT_LATE) {
		COUNT(late);
		SAY(late[file]);
	}
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

/* As fault.c: into the page table before the folio is unlocked. */
static void map(u32 file, u32 index, bool write)
{
	struct inode *inode = &files[file].inode;
	struct table *t = &tables[file];
	struct folio *folio = frames_get(inode, index, write, kernel_chance(2));

	if (!folio) {
		frames_fetch(inode, index, 1, write ? SHAREDPC_CALL_WRITE : 0);
		return;
	}
	check_page(folio, file, index);
	pthread_mutex_lock(&t->lock);
	if (!t->folio[index]) {
		folio_get(folio);
		t->folio[index] = folio;
		t->write[index] = false;
	}
	t->write[index] |= write;
	pthread_mutex_unlock(&t->lock);
	folio_unlock(folio);
	folio_put(folio);
	COUNT(mapped);
}

static void use(u32 user, u32 file, u32 index)
{
	struct table *t = &tables[file];
	struct folio *folio;

	pthread_mutex_lock(&t->lock);
	folio = t->folio[index];
	if (!folio && control == STILL_MAPPED)
		folio = t->stale[index];
	if (folio) {
		check_page(folio, file, index);
		if (t->write[index]) {
			memory[folio_frame(folio)].stored[user]++;
			COUNT(stored);
		}
	}
	pthread_mutex_unlock(&t->lock);
}

static void *user_thread(void *arg)
{
	u32 user = (unsigned long)arg, file, index, n;

	while (!SEEN(over)) {
		file = kernel_random() % FILES;
		index = kernel_random() % PAGES;
		map(file, index, kernel_chance(2));
		for (n = 0; n < 4; n++)
			use(user, file, index);
	}
	return NULL;
}

/* Direct I/O: it stores to a page that it got for writing, whatever came since. */
static void *holder_thread(void *unused)
{
	u32 file, index;
	struct folio *folio;

	while (!SEEN(over)) {
		file = kernel_random() % FILES;
		index = kernel_random() % PAGES;
		folio = frames_get(&files[file].inode, index, true, true);
		if (!folio) {
			kernel_nap(50);
			continue;
		}
		folio_unlock(folio);
		if (control == NOT_WAITED)
			folio_put(folio);
		kernel_nap(kernel_random() % 2000);
		check_page(folio, file, index);
		__atomic_fetch_add(&memory[folio_frame(folio)].held, 1, __ATOMIC_RELAXED);
		mark_dirty(folio, file, index);
		if (control != NOT_WAITED)
			folio_put(folio);
		COUNT(held);
	}
	return NULL;
}

static void *late_thread(void *unused)
{
	u32 i;

	is_late = true;
	while (!SEEN(stop)) {
		for (i = 0; i < FILES; i++)
			if (__atomic_exchange_n(&late[i], false, __ATOMIC_ACQ_REL) &&
			    frames_late(&files[i].inode))
				SAY(late[i]);
		kernel_nap(500);
	}
	return NULL;
}

static void init(void)
{
	u32 f, i;

	kernel_unlocked = control == UNLOCKED;
	kernel_moody = 16;
	kernel_short = control == SHORT ? 50 : 0;
	nr_frames = kernel_short ? FRAMES_MAX : FRAMES;
	wire_lossy = 20;
	pinned_init();
	for (i = 0; i < nr_frames; i++) {
		pthread_mutex_init(&kernel_page[i].lock, NULL);
		/* The region's. */
		kernel_page[i].refcount = 1;
	}
	for (f = 0; f < FILES; f++) {
		pthread_mutex_init(&tables[f].lock, NULL);
		files[f].inode.count = 1;
		files[f].inode.i_mapping = &mappings[f];
		files[f].session = &session;
		files[f].id = f;
		files[f].size = &file_bytes;
		xa_init(&files[f].frames);
		for (i = 0; i < PAGES; i++)
			owned[f][i].frame = -1;
	}
}

/* What I/O has stored late is known to the owner, or dirty. */
static bool all_known(void)
{
	bool known = true;
	u32 f, i;

	pthread_mutex_lock(&owner_lock);
	for (f = 0; f < FILES; f++)
		owner_take(f, 0, PAGES);
	for (f = 0; f < FILES; f++)
		for (i = 0; i < PAGES; i++)
			known &= !owned[f][i].owed;
	pthread_mutex_unlock(&owner_lock);
	for (i = 0; i < FILES; i++)
		known &= !SEEN(late[i]);
	return known;
}

/* I/O whose page is cleaned in between, and nobody else asks for the right to write. */
static void store_late(u32 file, u32 index)
{
	struct inode *inode = &files[file].inode;
	struct folio *folio;
	u32 tries;

	for (tries = 0; tries < 1000; tries++) {
		folio = frames_get(inode, index, true, true);
		if (folio)
			break;
		frames_fetch(inode, index, 1, SHAREDPC_CALL_WRITE);
		kernel_nap(1000);
	}
	wrong_if(!folio, "a page that is not granted");
	folio_unlock(folio);
	pthread_mutex_lock(&owner_lock);
	owner_clean(file, index, 1);
	pthread_mutex_unlock(&owner_lock);
	__atomic_fetch_add(&memory[folio_frame(folio)].held, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&take_meanwhile, index % 2, __ATOMIC_RELEASE);
	mark_dirty(folio, file, index);
	folio_put(folio);
	/* One after the other: or it is not this one's call that fails. */
	for (tries = 0; tries < 1000 && SEEN(take_meanwhile) && control != NOT_LATE; tries++)
		kernel_nap(1000);
}

/* All is taken back and said. */
static void end_frames(void)
{
	u32 tries;

	__atomic_store_n(&wire_lossy, 0, __ATOMIC_RELAXED);
	for (tries = 0; tries < FILES * PAGES; tries++)
		store_late(tries % FILES, tries / FILES);
	/* On a host that has other work too. */
	for (tries = 0; tries < 2000 && !all_known(); tries++)
		kernel_nap(10000);
	wrong_if(!all_known(), "a store that nobody will write");
	for (tries = 0; tries < 5000 && pinned_count(OWNER); tries++)
		kernel_nap(1000);
	wrong_if(pinned_count(OWNER), "a frame is held that nobody holds");
}

static void check_rest(void)
{
	u32 f, i;

	for (f = 0; f < FILES; f++) {
		wrong_if(atomic64_read(&files[f].held), "a frame is left in a file");
		wrong_if(frames_drop(&files[f].inode), "a file that cannot be dropped");
	}
	for (i = 0; i < nr_frames; i++) {
		wrong_if(kernel_page[i].refcount != 1, "a reference to a page is left");
		wrong_if(kernel_page[i].mapping, "a frame is left with a file");
		wrong_if(frame_state[i] != FREE && frame_state[i] != LOST,
			 "a frame is left with the owner");
	}
	wrong_if(kernel_allocated(), "a note of what is held is left");
}

/* Has it all happened? */
static bool happened(void)
{
	return COUNTED(mapped) > 500 && COUNTED(stored) > 500 && COUNTED(held) > 50 &&
	       COUNTED(late) > 5 && COUNTED(taken) > 100 && COUNTED(cleaned) > 50 &&
	       COUNTED(kept) > 5 && COUNTED(freed) > 5 &&
	       (!kernel_short || (kernel_refused() > 50 && COUNTED(lost)));
}

static void run(u32 ms)
{
	pthread_t user[USERS], holder[HOLDERS], owner, grant, listening, later;
	u32 i;

	init();
	pthread_create(&owner, NULL, owner_thread, NULL);
	pthread_create(&grant, NULL, grant_thread, NULL);
	pthread_create(&listening, NULL, listening_thread, NULL);
	pthread_create(&later, NULL, late_thread, NULL);
	for (i = 0; i < USERS; i++)
		pthread_create(&user[i], NULL, user_thread, (void *)(unsigned long)i);
	for (i = 0; i < HOLDERS; i++)
		pthread_create(&holder[i], NULL, holder_thread, NULL);
	kernel_run(ms, control == NOTHING || control == SHORT ? happened : NULL);
	SAY(over);
	pthread_join(owner, NULL);
	for (i = 0; i < USERS; i++)
		pthread_join(user[i], NULL);
	for (i = 0; i < HOLDERS; i++)
		pthread_join(holder[i], NULL);
	end_frames();
	SAY(stop);
	pthread_join(grant, NULL);
	pthread_join(listening, NULL);
	pthread_join(later, NULL);
	check_rest();
}

static void run_and_tell(void)
{
	run(3000);
	printf("%llu mapped, %llu stores, %llu held, %llu late; %llu granted, %llu taken, %llu cleaned, %llu kept, %llu freed, %llu lost\n",
	       (unsigned long long)count.mapped, (unsigned long long)count.stored,
	       (unsigned long long)count.held, (unsigned long long)count.late,
	       (unsigned long long)count.granted, (unsigned long long)count.taken,
	       (unsigned long long)count.cleaned, (unsigned long long)count.kept,
	       (unsigned long long)count.freed, (unsigned long long)count.lost);
	wrong_if(!happened(), "too little has happened");
}

static void test_frames(void **state)
{
	run_and_tell();
}

static void test_short(void **state)
{
	assert_true(kernel_again(SHORT));
}

/* What comes of a frame that is used when it should not, whoever sees it first. */
#define MISUSED "that is another page|a store that nobody|data race"

static void test_control_still_mapped(void **state)
{
	assert_true(kernel_control(STILL_MAPPED, MISUSED));
}

static void test_control_not_waited(void **state)
{
	assert_true(kernel_control(NOT_WAITED, MISUSED));
}

static void test_control_not_late(void **state)
{
	assert_true(kernel_control(NOT_LATE, "a store that nobody will write"));
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
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_control_still_mapped),
		cmocka_unit_test(test_control_not_waited),
		cmocka_unit_test(test_control_not_late),
		cmocka_unit_test(test_control_unlocked),
	};

	control = kernel_begin(argc, argv);
	if (control == SHORT)
		run_and_tell();
	else if (control)
		run(1000);
	if (control)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-peer.c - what images say to each other: the kernel's own source files
 *
 * peer.c and ring.c with each other, as they are: an image is a process, with a memory of its
 * own, and ctl is memory that they share.  So one can be killed at any moment, by kill(2),
 * and comes back in another life that knows nothing.  Each is client and owner to the others:
 * some of its threads talk, as fast as there is room, messages of all kinds; each kind of a
 * thread is numbered for each listener.  Some are dropped, delayed, doubled and spoilt, and
 * who sends them knows; bells get lost; stray stores go to rings.  What must not be:
 *
 *	a message that is lost, comes twice, or before another one of its thread and kind
 *	.. but for a ring that a stray store went to, which goes on after that
 *	a message that was spoilt
 *	a message of a life that has ended; more than one, of a thread that was just about to
 *	send it, for a life that has ended
 *	a thread that waits for room for ever
 *	an image that comes or goes, and those above are not told, or twice
 *	a lock of the soft interrupt that is taken with bottom halves on
 *
 * and, compiled for the thread sanitizer, a data race within an image.
 */
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/jiffies.h>
#include "box/ctl.h"
#include "link/doorbell.h"
#include "link/inject.h"
#include "link/peer.h"

#define IMAGES		3
#define TALKERS		3	/* threads; one more is the listening one, which answers */
#define PATIENCE_S	15	/* for room, of real time */
#define MENDED		2000	/* messages after a stray store */

u32 ctl_self, ctl_nr_images = IMAGES, ctl_epoch;

static enum {
	NOTHING,
	ONE_LIFE,	/* all lives of an image have one number */
	DROPPED,	/* what is dropped its sender does not know of */
	DOUBLED,	/* neither what comes twice */
	IN_CIRCLE,	/* a REVOKE is answered in the ring that REVOKEs are in */
	BH_ON,		/* bottom halves are never off */
	UNLOCKED,	/* spinlocks lock nothing */
} control;

enum kind { ASK, ANSWER, FRAMES, TELL, REVOKE, KINDS };

static const u16 type_of[KINDS] = {
	[ASK] = SHAREDPC_OP_FSYNC, [ANSWER] = SHAREDPC_MSG_REVOKED,
	[FRAMES] = SHAREDPC_MSG_FRAMES, [TELL] = SHAREDPC_MSG_DONE,
	[REVOKE] = SHAREDPC_MSG_REVOKE,
};

/* What an image has said, or has heard, in a life. */
struct tally {
	u64 nr[IMAGES][TALKERS + 1][KINDS];	/* by the other one */
};

/* What all share. */
static struct box {
	struct {
		struct sharedpc_slot slot;
		sem_t bell;
		u32 life;		/* the truth */
		u64 born;		/* the order in which lives began */
		bool quick;		/* .. before all had seen that the last one had ended */
		u32 seen_gone[IMAGES];	/* lives of the others */
		struct tally said, heard;
		bool silent;		/* says nothing new any more */
	} image[IMAGES];
	u32 strays[IMAGES][IMAGES][SHAREDPC_RING_CLASSES];
	struct sharedpc_ring ring[IMAGES][IMAGES][SHAREDPC_RING_CLASSES];
	bool hush, end;
	struct {
		u64 said, heard, full, dropped, doubled, spoilt, died, strays, late, stale, spun;
	} count;
} *box;

#define COUNT(what) __atomic_fetch_add(&box->count.what, 1, __ATOMIC_RELAXED)
#define COUNTED(what) __atomic_load_n(&box->count.what, __ATOMIC_RELAXED)
#define SEEN(flag) __atomic_load_n(&(flag), __ATOMIC_ACQUIRE)
#define SAY(flag) __atomic_store_n(&(flag), true, __ATOMIC_RELEASE)

static void wrong_if(bool is, const char *what)
{
	if (is)
		kernel_fail(what);
}

/* What peer.c uses of others. */

struct sharedpc_slot *ctl_slot(u32 image)
{
	return &box->image[image].slot;
}

struct sharedpc_ring *ctl_ring(u32 src, u32 dst, u32 class)
{
	return &box->ring[src][dst][class];
}

const char *ctl_name(u32 image)
{
	static const char * const names[] = { "0", "1", "2" };

	return names[image];
}

static void (*rung)(void);

int doorbell_init(void (*handler)(void))
{
	__atomic_store_n(&rung, handler, __ATOMIC_RELEASE);
	return 0;
}

void doorbell_exit(void)
{
	__atomic_store_n(&rung, NULL, __ATOMIC_RELEASE);
}

void doorbell_ring(u32 image)
{
	if (!kernel_chance(32))
		sem_post(&box->image[image].bell);
}

static void *interrupt_thread(void *unused)
{
	void (*handler)(void);

	for (;;) {
		while (sem_wait(&box->image[ctl_self].bell))
			;
		kernel_softirq_enter();
		handler = __atomic_load_n(&rung, __ATOMIC_ACQUIRE);
		if (handler)
			handler();
		kernel_softirq_exit();
	}
	return NULL;
}

static _Thread_local enum inject_what injected;

enum inject_what inject_now(u32 type, u32 key)
{
	return injected;
}

/* What is said. */

static _Thread_local u32 talker;	/* which one this thread is */

/* file: its number; pos: whose life; result: for which; data: who; count: once more */
static struct sharedpc_msg msg_make(u32 to, enum kind kind, u64 nr)
{
	return (struct sharedpc_msg) {
		.type = type_of[kind], .file = nr, .pos = box->image[ctl_self].life,
		.result = peer_epoch(to), .data = talker, .slot = kind,
		.count = injected == INJECT_DUPLICATE, .error = injected == INJECT_CORRUPT,
	};
}

static void inject_some(enum kind kind)
{
	static const enum inject_what what[] = {
		INJECT_DROP, INJECT_DELAY, INJECT_DUPLICATE, INJECT_CORRUPT, INJECT_CUT,
	};

	injected = kernel_chance(20) ? what[kernel_random() % 5] : INJECT_NOTHING;
	/* What is dropped finds room. */
	if (control == IN_CIRCLE)
		injected = INJECT_NOTHING;
	/* Seldom: it is as if the ring were full for some time. */
	if (injected == INJECT_DELAY && (kind == ANSWER || !kernel_chance(20)))
		injected = INJECT_NOTHING;
	/* One that is heard out of turn cannot be told from it. */
	if (injected == INJECT_DUPLICATE && kind == TELL)
		injected = INJECT_NOTHING;
}

/* It was sent, as the sender believes.  Is it on its way? */
static bool sent_is_said(void)
{
	switch (injected) {
	case INJECT_DROP:
	case INJECT_CUT:
		COUNT(dropped);
		return control == DROPPED;
	case INJECT_CORRUPT:
		COUNT(spoilt);
		return false;
	case INJECT_DUPLICATE:
		COUNT(doubled);
		return true;
	default:
		return true;
	}
}

static void wait_for_room(u32 to, u64 since)
{
	u64 patience = control ? 3 : PATIENCE_S;

	COUNT(full);
	wrong_if(ktime_get_ns() - since > patience * 1000000000 && peer_up(to),
		 "no room, for ever");
	kernel_nap(100 + kernel_random() % 500);
}

/* Say the next one of @kind to @to, which may not be there. */
static void say(u32 to, enum kind kind)
{
	u64 *nr = &box->image[ctl_self].said.nr[to][talker][kind], since = ktime_get_ns();
	u64 frame[SHAREDPC_FAULT_MAX];
	u32 frames = kind == FRAMES ? kernel_random() % (SHAREDPC_FAULT_MAX + 1) : 0, i;
	struct sharedpc_msg msg;
	int err;

	for (i = 0; i < frames; i++)
		frame[i] = *nr + 1 + i;
	do {
		inject_some(kind);
		msg = msg_make(to, kind, *nr + 1);
		if (control == DOUBLED)
			msg.count = 0;
		/* Before it can be heard. */
		__atomic_store_n(nr, *nr + 1, __ATOMIC_RELAXED);
		err = kind == ANSWER ? peer_send_wait(to, &msg) :
			peer_send(to, &msg, frame, frames * sizeof(frame[0]));
		if (err || !sent_is_said())
			__atomic_store_n(nr, *nr - 1, __ATOMIC_RELAXED);
		if (err == -EAGAIN)
			wait_for_room(to, since);
	} while (err == -EAGAIN);
	wrong_if(err && err != -ENOTCONN, "what cannot be sent");
	if (!err)
		COUNT(said);
	injected = INJECT_NOTHING;
}

static bool by_chance(void *unused)
{
	return kernel_chance(8);
}

static void *talker_thread(void *arg)
{
	static const enum kind kinds[] = { ASK, ASK, FRAMES, TELL, TELL, REVOKE };
	u32 to, n;

	talker = (unsigned long)arg;
	while (!SEEN(box->hush)) {
		to = kernel_random() % IMAGES;
		for (n = kernel_random() % 64; n && to != ctl_self && peer_up(to); n--)
			say(to, control == IN_CIRCLE ? REVOKE : kinds[kernel_random() % 6]);
		if (kernel_chance(4))
			kernel_nap(kernel_random() % 300);
		if (kernel_chance(50)) {
			COUNT(spun);
			peer_spin_for(100, by_chance, NULL);
		}
	}
	return NULL;
}

/* What is heard. */

/* Of one thread of another image, of one sort; with the lock. */
static struct stream {
	u32 life;
	u64 last;
	u64 missing;		/* TELL: the listening thread has it in hand; or 0 */
	u64 maybe;		/* the same, of the first that was heard */
	bool twice;		/* the last one comes once more, or more often */
} streams[IMAGES][TALKERS + 1][KINDS];

static pthread_mutex_t heard_lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_up[IMAGES];		/* those above have been told */
static u32 came_life[IMAGES], gone_life[IMAGES];
static u32 misled[IMAGES][TALKERS + 1];	/* messages for an earlier life of ours */
static struct {
	u32 strays;
	u32 since;		/* messages */
} rings[IMAGES][SHAREDPC_RING_CLASSES];

/* Has a stray store gone to the ring, not long ago? */
static bool ring_strayed(u32 image, enum kind kind)
{
	u32 class = kind == ASK || kind == ANSWER ? SHAREDPC_RING_CLIENT : SHAREDPC_RING_OWNER;
	u32 strays = SEEN(box->strays[image][ctl_self][class]);

	if (strays != rings[image][class].strays)
		rings[image][class].since = 0;
	rings[image][class].strays = strays;
	rings[image][class].since++;
	return strays && rings[image][class].since < MENDED;
}

/* A new life is heard from the beginning, if it began after ours. */
static bool begins(const struct stream *s, u32 image, const struct sharedpc_msg *msg)
{
	return s->life != msg->pos && (box->image[image].quick ||
				       box->image[image].born < box->image[ctl_self].born);
}

/* Two in turn, but that the thread may still have the one before in hand. */
static bool in_order(struct stream *s, bool tell, u64 nr, bool twice)
{
	if (nr == s->last + 1) {
		s->last = nr;
		s->twice = twice;
		return true;
	}
	if (nr == s->last && s->twice)
		return true;
	if (!tell)
		return false;
	if (nr && nr == s->maybe) {
		s->maybe = 0;
		return true;
	}
	if (s->missing && nr == s->missing) {
		s->missing = 0;
		return true;
	}
	if (!s->missing && nr == s->last + 2) {
		s->missing = s->last + 1;
		s->last = nr;
		s->twice = twice;
		return true;
	}
	return false;
}

static void hear_in_turn(u32 image, const struct sharedpc_msg *msg, bool strayed)
{
	enum kind kind = msg->slot;
	struct stream *s = &streams[image][msg->data][kind];

	if (begins(s, image, msg)) {
		*s = (struct stream){ .life = msg->pos, .last = msg->file, .twice = msg->count };
		s->maybe = s->last - 1;
	} else {
		if (s->life != msg->pos)
			*s = (struct stream){ .life = msg->pos };
		if (!in_order(s, kind == TELL, msg->file, msg->count)) {
			wrong_if(!strayed && msg->file <= s->last, "a message that comes twice");
			wrong_if(!strayed, "a message is lost");
			if (msg->file <= s->last)
				COUNT(stale);
			else
				*s = (struct stream){ .life = msg->pos, .last = msg->file,
						      .twice = msg->count };
		}
	}
	__atomic_store_n(&box->image[ctl_self].heard.nr[image][msg->data][kind], s->last,
			 __ATOMIC_RELAXED);
}

static void hear_one(u32 image, const struct sharedpc_msg *msg)
{
	bool strayed;

	COUNT(heard);
	wrong_if(msg->slot >= KINDS || msg->type != type_of[msg->slot] || msg->data > TALKERS,
		 "a message that nobody sent");
	wrong_if(msg->error, "a message that was spoilt");
	pthread_mutex_lock(&heard_lock);
	wrong_if(msg->pos < came_life[image], "a message of an earlier life");
	wrong_if(msg->pos <= gone_life[image], "a message of a life that has ended");
	strayed = ring_strayed(image, msg->slot);
	if (msg->result != ctl_epoch && !strayed) {
		COUNT(late);
		wrong_if(++misled[image][msg->data] > 1, "messages for an earlier life");
	}
	hear_in_turn(image, msg, strayed);
	pthread_mutex_unlock(&heard_lock);
	kernel_jitter();
}

static void asked(u32 image, const struct sharedpc_msg *msg)
{
	hear_one(image, msg);
}

static bool told_now(u32 image, const struct sharedpc_msg *msg)
{
	if (msg->type != SHAREDPC_MSG_DONE)
		return false;
	hear_one(image, msg);
	return true;
}

static void told(u32 image, const struct sharedpc_frames *f, u32 nr)
{
	u32 i;

	hear_one(image, &f->msg);
	for (i = 0; i < nr; i++)
		wrong_if(f->frame[i] != f->msg.file + i, "frames of another message");
	/* One after the other is slow, and its ring gets full. */
	if (control == IN_CIRCLE || (ktime_get_ns() >> 28 & 3) == ctl_self)
		kernel_nap(500);
	talker = TALKERS;
	if (f->msg.type == SHAREDPC_MSG_REVOKE)
		say(image, control == IN_CIRCLE ? TELL : ANSWER);
}

static void came(u32 image)
{
	pthread_mutex_lock(&heard_lock);
	wrong_if(is_up[image], "an image comes twice");
	is_up[image] = true;
	came_life[image] = control == ONE_LIFE ? SEEN(box->image[image].life) : peer_epoch(image);
	pthread_mutex_unlock(&heard_lock);
}

static void went(u32 image)
{
	pthread_mutex_lock(&heard_lock);
	wrong_if(!is_up[image], "an image goes twice");
	is_up[image] = false;
	gone_life[image] = came_life[image];
	pthread_mutex_unlock(&heard_lock);
	__atomic_store_n(&box->image[ctl_self].seen_gone[image], gone_life[image],
			 __ATOMIC_RELEASE);
}

static bool look(u32 image)
{
	return kernel_chance(100);
}

static void tick(void)
{
}

static void rang(void)
{
}

static const struct peer_hooks hooks = {
	.asked = asked, .told_now = told_now, .told = told, .came = came, .went = went,
	.look = look, .tick = tick, .rung = rang,
};

/* A life of an image: a process. */
static void live(u32 image)
{
	pthread_t thread[TALKERS], interrupt;
	unsigned long i;

	/* Nobody outlives the test. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ctl_self = image;
	ctl_epoch = box->image[image].slot.epoch;
	kernel_reseed(box->image[image].born * IMAGES + image);
	pthread_create(&interrupt, NULL, interrupt_thread, NULL);
	wrong_if(peer_init(&hooks), "no link");
	/* As image_init. */
	__atomic_store_n(&box->image[image].slot.state, SHAREDPC_READY, __ATOMIC_RELEASE);
	peer_announce();
	for (i = 0; i < TALKERS; i++)
		pthread_create(&thread[i], NULL, talker_thread, (void *)i);
	for (i = 0; i < TALKERS; i++)
		pthread_join(thread[i], NULL);
	SAY(box->image[image].silent);
	while (!SEEN(box->end))
		kernel_nap(1000);
	peer_exit();
	_exit(0);
}

/* The boot image's part: who lives. */

static pid_t pids[IMAGES];

static void begin_life(u32 image, bool quick)
{
	static u64 born;
	struct sharedpc_slot *slot = &box->image[image].slot;

	sem_init(&box->image[image].bell, 1, 0);
	box->image[image].life++;
	box->image[image].born = ++born;
	box->image[image].quick = quick;
	memset(&box->image[image].said, 0, sizeof(struct tally));
	memset(&box->image[image].heard, 0, sizeof(struct tally));
	memset(box->image[image].seen_gone, 0, sizeof(box->image[image].seen_gone));
	slot->polling = 0;
	slot->epoch = control == ONE_LIFE ? 1 : box->image[image].life;
	__atomic_store_n(&slot->state, SHAREDPC_STARTING, __ATOMIC_RELEASE);
	fflush(stdout);
	pids[image] = fork();
	if (!pids[image])
		live(image);
}

static void end_all(void)
{
	u32 i;

	for (i = 0; i < IMAGES; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
}

/* One that ends by itself has said why. */
static void check_alive(void)
{
	int status;
	pid_t pid;

	pid = waitpid(-1, &status, WNOHANG);
	if (pid <= 0)
		return;
	end_all();
	kernel_fail("an image has ended");
}

static bool all_settled(u32 image)
{
	u32 i;

	for (i = 0; i < IMAGES; i++)
		if (i != image && SEEN(box->image[i].slot.state) == SHAREDPC_READY &&
		    SEEN(box->image[i].seen_gone[image]) < box->image[image].life)
			return false;
	return true;
}

static void die(u32 image)
{
	bool quick = kernel_chance(3);
	u32 tries;
	int status;

	if (SEEN(box->image[image].slot.state) != SHAREDPC_READY)
		return;
	kill(pids[image], SIGKILL);
	waitpid(pids[image], &status, 0);
	__atomic_store_n(&box->image[image].slot.state, SHAREDPC_STOPPED, __ATOMIC_RELEASE);
	kernel_nap(kernel_random() % 20000);
	/* One that has not seen it come need not see it go. */
	for (tries = 0; !quick && !all_settled(image) && tries < 2000; tries++) {
		kernel_nap(1000);
		check_alive();
	}
	begin_life(image, quick || tries == 2000);
	COUNT(died);
}

/* Somewhere in a ring, by whomever. */
static void stray(void)
{
	u32 src = kernel_random() % IMAGES, dst = (src + 1 + kernel_random() % 2) % IMAGES;
	u32 class = kernel_random() % SHAREDPC_RING_SOCKET;
	struct sharedpc_ring *ring = &box->ring[src][dst][class];
	u64 with = 1ULL << (kernel_chance(2) ? kernel_random() % 17 : kernel_random() % 64);

	__atomic_add_fetch(&box->strays[src][dst][class], 1, __ATOMIC_RELEASE);
	switch (kernel_random() % 4) {
	case 0:
		__atomic_fetch_xor(&ring->head, with, __ATOMIC_RELAXED);
		break;
	case 1:
		__atomic_fetch_xor(&ring->tail, with, __ATOMIC_RELAXED);
		break;
	case 2:
		__atomic_fetch_xor((u64 *)ring->data + kernel_random() % (sizeof(ring->data) / 8),
				   with, __ATOMIC_RELAXED);
		break;
	case 3:
		/* All bells of that image are silent until its next tick. */
		__atomic_store_n(&box->image[src].slot.polling, 1, __ATOMIC_RELAXED);
		break;
	}
	COUNT(strays);
}

/* Has it all happened? */
static bool happened(void)
{
	return COUNTED(heard) > 20000 && COUNTED(full) > 20 && COUNTED(dropped) > 100 &&
	       COUNTED(doubled) > 100 && COUNTED(spoilt) > 100 && COUNTED(died) > 5 &&
	       COUNTED(strays) > 10 && COUNTED(spun) > 100;
}

/* Each thread of an image says something of each kind to each other one. */
#define STREAMS		(IMAGES * IMAGES * (TALKERS + 1) * KINDS)

static u64 said_before[STREAMS];

/* What has been said in stream @n, and what was heard of it.  False: there is no such one. */
static bool stream_at(u32 n, u64 *said, u64 *heard)
{
	u32 kind = n % KINDS, t = n / KINDS % (TALKERS + 1);
	u32 to = n / KINDS / (TALKERS + 1) % IMAGES, from = n / KINDS / (TALKERS + 1) / IMAGES;

	*said = __atomic_load_n(&box->image[from].said.nr[to][t][kind], __ATOMIC_RELAXED);
	*heard = __atomic_load_n(&box->image[to].heard.nr[from][t][kind], __ATOMIC_RELAXED);
	return from != to && (t == TALKERS) == (kind == ANSWER);
}

static bool all_say_more(void)
{
	u64 said, heard;
	u32 n;

	for (n = 0; n < STREAMS; n++)
		if (stream_at(n, &said, &heard) && said <= said_before[n])
			return false;
	return true;
}

static bool all_heard(void)
{
	u64 said, heard;
	u32 n;

	for (n = 0; n < STREAMS; n++)
		if (stream_at(n, &said, &heard) && said != heard)
			return false;
	return true;
}

static bool all_silent(void)
{
	u32 i;

	for (i = 0; i < IMAGES; i++)
		if (!SEEN(box->image[i].silent))
			return false;
	return true;
}

static void wait_until(bool (*is)(void), const char *what)
{
	u32 tries;

	for (tries = 0; tries < 20000 && !is(); tries++) {
		kernel_nap(1000);
		check_alive();
	}
	if (is())
		return;
	end_all();
	kernel_fail(what);
}

static void run(u32 ms)
{
	u64 begin = ktime_get_ns(), spent = 0, heard;
	u32 i;
	int status;

	kernel_unlocked = control == UNLOCKED;
	kernel_bh_always = control == BH_ON;
	kernel_jiffy_us = 1000;
	kernel_moody = 32;
	box = mmap(NULL, sizeof(*box), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	wrong_if(box == MAP_FAILED, "no memory");
	for (i = 0; i < IMAGES; i++)
		begin_life(i, false);
	while (spent < ms || (!control && spent < 20 * ms && !happened())) {
		kernel_nap(kernel_random() % 50000);
		check_alive();
		/* What ends a circle. */
		if (kernel_chance(4) && control != IN_CIRCLE)
			stray();
		if (kernel_chance(8) && control != IN_CIRCLE)
			die(kernel_random() % IMAGES);
		spent = (ktime_get_ns() - begin) / 1000000;
	}
	/* What is said after the last stray store and the last death arrives. */
	kernel_nap(300000);
	for (i = 0; i < STREAMS; i++)
		stream_at(i, &said_before[i], &heard);
	if (!control)
		wait_until(all_say_more, "an image that says nothing any more");
	SAY(box->hush);
	wait_until(all_silent, "an image that does not stop to talk");
	wait_until(all_heard, "a message is lost");
	SAY(box->end);
	for (i = 0; i < IMAGES; i++) {
		waitpid(pids[i], &status, 0);
		wrong_if(status, "an image has failed");
	}
}

static void test_links(void **state)
{
	run(4000);
	printf("%llu said, %llu heard, %llu late, %llu stale; %llu dropped, %llu doubled, %llu spoilt, %llu times no room; %llu died, %llu stray stores\n",
	       (unsigned long long)box->count.said, (unsigned long long)box->count.heard,
	       (unsigned long long)box->count.late, (unsigned long long)box->count.stale,
	       (unsigned long long)box->count.dropped, (unsigned long long)box->count.doubled,
	       (unsigned long long)box->count.spoilt, (unsigned long long)box->count.full,
	       (unsigned long long)box->count.died, (unsigned long long)box->count.strays);
	assert_true(happened());
}

static void test_control_one_life(void **state)
{
	assert_true(kernel_control(ONE_LIFE, "of an earlier life"));
}

static void test_control_dropped(void **state)
{
	assert_true(kernel_control(DROPPED, "a message is lost"));
}

static void test_control_doubled(void **state)
{
	assert_true(kernel_control(DOUBLED, "comes twice"));
}

static void test_control_in_circle(void **state)
{
	assert_true(kernel_control(IN_CIRCLE, "no room, for ever"));
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
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_control_one_life),
		cmocka_unit_test(test_control_dropped),
		cmocka_unit_test(test_control_doubled),
		cmocka_unit_test(test_control_in_circle),
		cmocka_unit_test(test_control_bh_on),
		cmocka_unit_test(test_control_unlocked),
	};

	control = kernel_begin(argc, argv);
	if (control) {
		run(3000);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

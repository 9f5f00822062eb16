// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-call.c - calls of a client, the kernel's own source files
 *
 * call.c, session.c and bounce.c between threads: callers of all kinds, some of whom are
 * killed; an owner that takes its time, whose answers get lost, come late, twice or after
 * another one; its servers end, and so does it.  Each call has a number of its own, which
 * is in its bounce buffers and comes back, hashed, with its answer.  What must not be:
 *
 *	an answer that is another call's, or that the caller does not have
 *	a slot that is used again before the owner is done with it
 *	a bounce buffer that is used again before the owner has read it
 *	a call that ends without a reason
 *	a slot, buffer, reference or session left over at the end
 *
 * and, compiled for the thread sanitizer, a data race.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/slab.h>
#include "box/ctl.h"
#include "client/bounce.h"
#include "client/call.h"
#include "client/frames.h"
#include "link/peer.h"
#include "wire.h"

#define OWNER		0
#define SERVERS		2
#define CALLERS		10
#define INODES		4
#define WORDS		4	/* of each bounce buffer, in this test */
#define HISTORY		64	/* answers that may come once more */
#define FRAMED		0x10000

u32 ctl_self = 1, ctl_nr_images = 2;

static enum {
	NOTHING,
	NO_SERIAL,	/* an answer is for whoever has its slot now */
	GIVEN_BACK,	/* who gives up takes his bounce buffers back */
	NOT_ENDED,	/* calls of a session that ends are not told */
	TOLD_EARLY,	/* the caller is woken before his frames are there */
	UNLOCKED,	/* spinlocks lock nothing */
	BH_ON,		/* bottom halves are never off */
	SHORT,		/* no control: memory is short at times */
} control;

static struct wire asked = WIRE_INIT, told = WIRE_INIT, listened = WIRE_INIT;

/* A call as its owner knows it. */
struct known {
	u32 name;
	bool begun, answered;
	struct sharedpc_msg answer;	/* what is said if it comes again */
};

struct server {
	u32 number;
	struct known call[SHAREDPC_CALLS];
};

static pthread_mutex_t owner_lock = PTHREAD_MUTEX_INITIALIZER;	/* the next six */
static struct server servers[SERVERS];
static u32 epoch = 1, last_number;
static u64 bounce_memory[SHAREDPC_BOUNCES][WORDS];
static struct sharedpc_msg history[HISTORY];
static u32 nr_history;

static bool up = true;
static bool over;		/* no new calls */
static bool quiet;		/* the owner says only what it has to */
static bool stop;		/* no thread is needed any more */
static u64 last_cookie;
static struct inode inodes[INODES];
static u64 framed[FRAMED];	/* the frames of this call are in the file */
static struct {
	u64 calls, answered, killed, ended, resent, late, framed;
} count;

struct caller {
	pthread_t thread;
	struct task_struct *task;
	bool left;		/* as in call_name */
};

static struct caller callers[CALLERS];

#define COUNT(what) __atomic_fetch_add(&count.what, 1, __ATOMIC_RELAXED)
#define COUNTED(what) __atomic_load_n(&count.what, __ATOMIC_RELAXED)
#define SEEN(flag) __atomic_load_n(&(flag), __ATOMIC_ACQUIRE)
#define SAY(flag) __atomic_store_n(&(flag), true, __ATOMIC_RELEASE)

static void wrong_if(bool is, const char *what)
{
	if (is)
		kernel_fail(what);
}

static u64 hashed(u64 cookie)
{
	return cookie * 0x9e3779b97f4a7c15ULL ^ 0x5bd1e995;
}

/* What the owner does with it: the same for the one who asks and the one who answers. */
static int said_error(u16 type, u64 cookie)
{
	if (type == SHAREDPC_OP_FAULT)
		return 0;
	return cookie % 7 == 0 ? -ENOENT : cookie % 31 == 0 ? -EINTR : 0;
}

static int seen_error(u16 type, u64 cookie)
{
	int err = said_error(type, cookie);

	return err == -EINTR ? -EIO : err;
}

/* The link, as call.c sees it. */

bool peer_up(u32 image)
{
	return __atomic_load_n(&up, __ATOMIC_RELAXED);
}

u32 peer_epoch(u32 image)
{
	return __atomic_load_n(&epoch, __ATOMIC_RELAXED);
}

int peer_send(u32 image, const struct sharedpc_msg *msg, const void *body, u32 body_len)
{
	if (!peer_up(image))
		return -ENOTCONN;
	return wire_send(&asked, msg, body, body_len);
}

int peer_send_wait(u32 image, const struct sharedpc_msg *msg)
{
	int err, tries = 0;

	might_sleep();
	while ((err = peer_send(image, msg, NULL, 0)) == -EAGAIN && tries++ < 10000)
		kernel_nap(100);
	return err;
}

bool peer_spin(bool (*done)(void *arg), void *arg)
{
	return kernel_chance(2) && done(arg);
}

int frames_add(struct inode *inode, u64 index, const u64 *frame, u32 nr, u64 need)
{
	kernel_jitter();
	wrong_if(!nr || need != index, "frames of another fault");
	__atomic_store_n(&framed[frame[0] % FRAMED], frame[0], __ATOMIC_RELAXED);
	COUNT(framed);
	return 0;
}

/* The owner. */

static struct server *server_find(u32 number)
{
	u32 i;

	for (i = 0; i < SERVERS; i++)
		if (servers[i].number == number)
			return &servers[i];
	return NULL;
}

/* With the lock. */
static void say(const struct sharedpc_msg *msg)
{
	history[nr_history++ % HISTORY] = *msg;
	wire_send(&told, msg, NULL, 0);
	if (!SEEN(quiet) && kernel_chance(8))
		wire_push(&told, msg, NULL, 0);
}

static void say_late(void)
{
	if (SEEN(quiet) || !nr_history || !kernel_chance(3))
		return;
	COUNT(late);
	wire_push(&told, &history[kernel_random() % min_t(u32, nr_history, HISTORY)], NULL, 0);
}

/* Everything in its buffers is this call's; a NAME has its answer there. */
static void use_bounces(const struct sharedpc_msg *msg)
{
	u64 bytes = msg->type == SHAREDPC_OP_WRITE ? msg->count :
		msg->type == SHAREDPC_OP_NAME ? msg->pos : 0;
	u32 first = msg->data / SHAREDPC_BOUNCE_SIZE, i, k;

	for (i = first; i < first + DIV_ROUND_UP(bytes, SHAREDPC_BOUNCE_SIZE); i++) {
		for (k = 0; k < WORDS; k++) {
			wrong_if(bounce_memory[i][k] != msg->file,
				 "a bounce buffer with what is another call's");
			if (msg->type == SHAREDPC_OP_NAME)
				bounce_memory[i][k] = ~msg->file;
		}
	}
}

/* With the lock. */
static void answer(struct known *call, const struct sharedpc_msg *msg)
{
	struct sharedpc_msg done = {
		.type = SHAREDPC_MSG_DONE, .slot = msg->slot, .server = msg->server,
		.file = msg->file, .error = said_error(msg->type, msg->file),
		.result = hashed(msg->file), .pos = msg->pos, .count = 1,
	};

	use_bounces(msg);
	call->answered = true;
	call->answer = done;
	if (msg->type == SHAREDPC_OP_FAULT) {
		/* As grant.c: frames are not said again. */
		call->answer.error = -EAGAIN;
		call->answer.result = 0;
		done.type = SHAREDPC_MSG_FRAMES;
	}
	say(&done);
}

/* Is @msg a call to be done?  With the lock. */
static bool begin(const struct sharedpc_msg *msg)
{
	struct server *s = server_find(msg->server);
	struct known *call;

	if (!s)
		return false;
	call = &s->call[msg->slot % SHAREDPC_CALLS];
	if (call->name == msg->slot) {
		if (call->answered)
			say(&call->answer);
		COUNT(resent);
		return false;
	}
	if (call->begun && (s32)(msg->slot - call->name) < 0)
		return false;
	wrong_if(call->begun && !call->answered, "a slot used again before its answer");
	*call = (struct known){ .name = msg->slot, .begun = true };
	return true;
}

static void serve(const struct sharedpc_msg *msg)
{
	struct server *s;
	bool is_new;

	pthread_mutex_lock(&owner_lock);
	is_new = begin(msg);
	pthread_mutex_unlock(&owner_lock);
	if (!is_new)
		return;
	kernel_nap(kernel_chance(16) ? kernel_random() % 5000 : kernel_random() % 100);
	pthread_mutex_lock(&owner_lock);
	s = server_find(msg->server);
	if (s)
		answer(&s->call[msg->slot % SHAREDPC_CALLS], msg);
	say_late();
	pthread_mutex_unlock(&owner_lock);
}

static void *owner_thread(void *unused)
{
	struct sharedpc_frames f;
	u32 nr;

	while (!SEEN(stop))
		if (wire_pop(&asked, &f, &nr))
			serve(&f.msg);
	return NULL;
}

/* The link, from the owner. */

/* The control: whatever the answer names, it is the call that is there. */
static void forget_serial(struct sharedpc_msg *msg)
{
	struct session *s = session_find(OWNER, msg->server);

	if (!s)
		return;
	spin_lock_bh(&s->lock);
	msg->slot = s->slot[msg->slot % SHAREDPC_CALLS].name;
	spin_unlock_bh(&s->lock);
	session_put(s);
}

static void *softirq_thread(void *unused)
{
	struct sharedpc_frames f;
	bool is_done;
	u32 nr;

	while (!SEEN(stop)) {
		if (!wire_pop(&told, &f, &nr))
			continue;
		if (control == NO_SERIAL)
			forget_serial(&f.msg);
		kernel_softirq_enter();
		is_done = f.msg.type == SHAREDPC_MSG_DONE && call_done_now(OWNER, &f.msg);
		kernel_softirq_exit();
		while (!is_done && wire_push(&listened, &f.msg, NULL, 0))
			kernel_nap(100);
	}
	return NULL;
}

static void ended(struct session *s)
{
	COUNT(ended);
	if (control != NOT_ENDED)
		call_session_ended(s);
	bounce_wake();
	session_put(s);
}

/* A server of the owner's ends, and another one takes its place. */
static void server_ends(u32 i)
{
	struct session *s;
	u32 number;

	pthread_mutex_lock(&owner_lock);
	number = servers[i].number;
	servers[i] = (struct server){ .number = ++last_number };
	pthread_mutex_unlock(&owner_lock);
	s = session_end(OWNER, number);
	if (s)
		ended(s);
}

static void owner_ends(void)
{
	struct session *s;
	u32 i;

	__atomic_store_n(&up, false, __ATOMIC_RELAXED);
	pthread_mutex_lock(&owner_lock);
	for (i = 0; i < SERVERS; i++)
		servers[i] = (struct server){ .number = ++last_number };
	pthread_mutex_unlock(&owner_lock);
	kernel_mb();	/* pairs with session_check */
	while ((s = session_end_any(OWNER)))
		ended(s);
	kernel_nap(kernel_random() % 1000);
	pthread_mutex_lock(&owner_lock);
	__atomic_store_n(&epoch, epoch + 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&owner_lock);
	__atomic_store_n(&up, true, __ATOMIC_RELAXED);
}

static void listen_one(struct sharedpc_msg *msg)
{
	const int no_error = 0;

	if (msg->type == SHAREDPC_MSG_DONE) {
		call_done(OWNER, msg);
		return;
	}
	if (control == TOLD_EARLY) {
		msg->type = SHAREDPC_MSG_DONE;
		msg->error = no_error;
		call_done(OWNER, msg);
		return;
	}
	call_framed(OWNER, msg, &msg->file, msg->count);
}

static void *listening_thread(void *unused)
{
	unsigned long next_tick = jiffies, next_end = jiffies + HZ;
	struct sharedpc_frames f;
	u32 nr;

	while (!SEEN(stop)) {
		if (time_after_eq(jiffies, next_tick)) {
			next_tick = jiffies + HZ / 4;
			call_resend(OWNER);
		}
		if (!SEEN(quiet) && time_after_eq(jiffies, next_end)) {
			next_end = jiffies + kernel_random() % (2 * HZ);
			if (kernel_chance(4))
				owner_ends();
			else
				server_ends(kernel_random() % SERVERS);
		}
		if (wire_pop(&listened, &f, &nr))
			listen_one(&f.msg);
	}
	return NULL;
}

/* The callers. */

static void fill(u32 first, u32 nr, u64 cookie)
{
	u32 i, k;

	for (i = first; i < first + nr; i++)
		for (k = 0; k < WORDS; k++)
			bounce_memory[i][k] = cookie;
}

/* A call without an answer of its own: has it a reason? */
static void check_unanswered(struct caller *c, struct session *s, int err, bool left)
{
	switch (err) {
	case -EINTR:
		wrong_if(!fatal_signal_pending(current), "interrupted, and nobody did");
		COUNT(killed);
		return;
	case -EIO:
	case -ENOTCONN:
		wrong_if(session_alive(s) && !(left && SEEN(c->left)),
			 "EIO, and the session lives");
		return;
	}
	fprintf(stderr, "error %d\n", err);
	kernel_fail("a call ended without a reason");
}

static void check_answer(struct caller *c, struct session *s, const struct sharedpc_msg *msg,
			 u64 cookie, int err, bool is_name)
{
	COUNT(calls);
	if (err != seen_error(msg->type, cookie) ||
	    (err == -EIO && msg->result != hashed(cookie))) {
		check_unanswered(c, s, err, is_name);
		return;
	}
	COUNT(answered);
	if (msg->type == SHAREDPC_OP_FAULT && !msg->result)
		return;		/* lost, to be asked again */
	wrong_if(msg->result != hashed(cookie), "an answer that is not its own");
	wrong_if(msg->type == SHAREDPC_OP_FAULT &&
		 __atomic_load_n(&framed[cookie % FRAMED], __ATOMIC_RELAXED) != cookie,
		 "an answer before its frames");
}

static u64 next_cookie(void)
{
	return __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
}

static void do_write(struct caller *c, struct session *s)
{
	size_t bytes = 1 + kernel_random() % SHAREDPC_WRITE_MAX;
	struct sharedpc_msg msg = { .type = SHAREDPC_OP_WRITE, .result = ~0ULL };
	u64 cookie = next_cookie();
	int first, err;
	u32 nr;

	first = bounce_get(s, bytes, kernel_chance(4), &nr);
	if (first < 0) {
		check_unanswered(c, s, first, false);
		return;
	}
	fill(first, nr, cookie);
	msg.file = cookie;
	msg.data = first * SHAREDPC_BOUNCE_SIZE;
	msg.count = min_t(u64, bytes, nr * SHAREDPC_BOUNCE_SIZE);
	err = call_run(s, &msg, NULL);
	check_answer(c, s, &msg, cookie, err, false);
	if (control == GIVEN_BACK && err == -EINTR)
		bounce_put(s, first, nr);
}

static void do_name(struct caller *c, struct session *s)
{
	struct sharedpc_msg msg = { .type = SHAREDPC_OP_NAME, .result = ~0ULL };
	u64 cookie = next_cookie();
	int first, err;
	u32 nr, i, k;

	first = bounce_take(s, 1 + kernel_random() % (2 * SHAREDPC_BOUNCE_SIZE), &nr);
	if (first < 0)
		return;
	fill(first, nr, cookie);
	msg.file = cookie;
	msg.data = first * SHAREDPC_BOUNCE_SIZE;
	msg.pos = nr * SHAREDPC_BOUNCE_SIZE;
	err = call_name(s, &msg, &c->left);
	if (err == -EBUSY)
		return;
	check_answer(c, s, &msg, cookie, err, true);
	if (err)
		return;
	for (i = first; i < first + nr; i++)
		for (k = 0; k < WORDS; k++)
			wrong_if(bounce_memory[i][k] != ~cookie, "no answer in the buffer");
	bounce_put(s, first, nr);
}

static void do_plain(struct caller *c, struct session *s, u16 type)
{
	u64 cookie = next_cookie();
	struct sharedpc_msg msg = {
		.type = type, .file = cookie, .pos = cookie, .count = 1, .result = ~0ULL,
	};
	int err = call_run(s, &msg, &inodes[cookie % INODES]);

	check_answer(c, s, &msg, cookie, err, false);
}

static void call_once(struct caller *c, struct session *s)
{
	switch (kernel_random() % 4) {
	case 0:
		do_write(c, s);
		break;
	case 1:
		do_name(c, s);
		break;
	case 2:
		do_plain(c, s, SHAREDPC_OP_FAULT);
		break;
	case 3:
		do_plain(c, s, SHAREDPC_OP_FSYNC);
		break;
	}
}

static void *caller_thread(void *arg)
{
	struct caller *c = arg;
	struct session *s;
	u32 e, number;

	__atomic_store_n(&c->task, current, __ATOMIC_RELEASE);
	while (!SEEN(over)) {
		pthread_mutex_lock(&owner_lock);
		e = epoch;
		number = servers[kernel_random() % SERVERS].number;
		pthread_mutex_unlock(&owner_lock);
		s = session_get(OWNER, e, number);
		if (IS_ERR(s)) {
			wrong_if(PTR_ERR(s) != -ESTALE && PTR_ERR(s) != -ENOTCONN &&
				 !(kernel_short && PTR_ERR(s) == -ENOMEM), "no session");
			sched_yield();
			continue;
		}
		call_once(c, s);
		session_put(s);
		/* Another process. */
		kernel_kill(current, false);
		__atomic_store_n(&c->left, false, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void *killer_thread(void *unused)
{
	struct task_struct *task;
	struct caller *c;

	while (!SEEN(over)) {
		kernel_nap(kernel_random() % 3000);
		c = &callers[kernel_random() % CALLERS];
		task = __atomic_load_n(&c->task, __ATOMIC_ACQUIRE);
		if (task && kernel_chance(2))
			kernel_kill(task, true);
		else
			SAY(c->left);
	}
	return NULL;
}

/* All has been said, and nobody has anything any more. */
static void check_rest(void)
{
	u32 i;

	for (i = 0; i < 5000 && session_calls(OWNER); i++)
		kernel_nap(1000);
	wrong_if(session_calls(OWNER), "a slot is left in use");
}

static void check_counts(void)
{
	u32 i;

	wrong_if(bounce_count(), "a bounce buffer is left in use");
	for (i = 0; i < INODES; i++)
		wrong_if(inodes[i].count != 1, "a reference to an inode is left");
	session_exit();
	wrong_if(session_count(), "a session is left alive");
	wrong_if(kernel_allocated(), "a session is left");
}

/* Has it all happened? */
static bool happened(void)
{
	return COUNTED(answered) > 500 && COUNTED(killed) > 10 && COUNTED(framed) > 50 &&
	       COUNTED(ended) > 5 && __atomic_load_n(&wire_lost, __ATOMIC_RELAXED) > 20 &&
	       COUNTED(late) > 20 && COUNTED(resent) > 5 &&
	       (!kernel_short || kernel_refused() > 20);
}

static void run(u32 ms)
{
	pthread_t owner[3], softirq, listening, killer;
	u32 i;

	kernel_unlocked = control == UNLOCKED;
	kernel_bh_always = control == BH_ON;
	kernel_moody = 16;
	kernel_short = control == SHORT ? 4 : 0;
	wire_lossy = 20;
	asked.room = 32;
	session_init(NULL, ended);
	for (i = 0; i < SERVERS; i++)
		servers[i].number = ++last_number;
	for (i = 0; i < INODES; i++)
		inodes[i].count = 1;
	for (i = 0; i < 3; i++)
		pthread_create(&owner[i], NULL, owner_thread, NULL);
	pthread_create(&softirq, NULL, softirq_thread, NULL);
	pthread_create(&listening, NULL, listening_thread, NULL);
	for (i = 0; i < CALLERS; i++)
		pthread_create(&callers[i].thread, NULL, caller_thread, &callers[i]);
	pthread_create(&killer, NULL, killer_thread, NULL);
	kernel_run(ms, control == NOTHING || control == SHORT ? happened : NULL);
	SAY(over);
	pthread_join(killer, NULL);
	for (i = 0; i < CALLERS; i++)
		pthread_join(callers[i].thread, NULL);
	SAY(quiet);
	__atomic_store_n(&wire_lossy, 0, __ATOMIC_RELAXED);
	check_rest();
	SAY(stop);
	for (i = 0; i < 3; i++)
		pthread_join(owner[i], NULL);
	pthread_join(softirq, NULL);
	pthread_join(listening, NULL);
	check_counts();
}

static void run_and_tell(void)
{
	run(3000);
	printf("%llu calls, %llu answered, %llu killed, %llu framed; %llu sessions ended; messages: %llu lost, %llu late, %llu again\n",
	       (unsigned long long)count.calls, (unsigned long long)count.answered,
	       (unsigned long long)count.killed, (unsigned long long)count.framed,
	       (unsigned long long)count.ended, (unsigned long long)wire_lost,
	       (unsigned long long)count.late, (unsigned long long)count.resent);
	wrong_if(!happened(), "too little has happened");
}

static void test_calls(void **state)
{
	run_and_tell();
}

static void test_short(void **state)
{
	assert_true(kernel_again(SHORT));
}

/* What follows is one thing after the other, with time enough for whoever forgets to wake. */
static struct session *quiet_session(void)
{
	kernel_jiffy_us = 1000;
	kernel_moody = 0;
	session_init(NULL, ended);
	inodes[0].count = 1;
	return session_get(OWNER, epoch, ++last_number);
}

static void session_over(struct session *s)
{
	session_put(s);
	session_exit();
	assert_int_equal(kernel_allocated(), 0);
}

/* Who gave up leaves his slot to the answer, which may come at any time, or twice. */
static void test_time_out(void **state)
{
	struct sharedpc_msg msg = { .type = SHAREDPC_OP_FSYNC };
	struct sharedpc_frames f;
	struct session *s;
	u32 nr;

	s = quiet_session();
	kernel_jiffy_us = 5;
	assert_false(IS_ERR(s));
	assert_int_equal(call_run(s, &msg, &inodes[0]), -ETIMEDOUT);
	assert_true(wire_pop(&asked, &f, &nr));
	msg = f.msg;
	msg.type = SHAREDPC_MSG_DONE;
	msg.slot -= SHAREDPC_CALLS;
	call_done(OWNER, &msg);
	assert_int_equal(session_calls(OWNER), 1);
	msg.slot += SHAREDPC_CALLS;
	assert_false(call_done_now(OWNER, &msg));
	assert_int_equal(inodes[0].count, 2);
	call_done(OWNER, &msg);
	assert_int_equal(session_calls(OWNER), 0);
	assert_int_equal(inodes[0].count, 1);
	call_done(OWNER, &msg);
	assert_int_equal(inodes[0].count, 1);
	session_over(s);
}

/* One more caller, and what came of it. */
struct one {
	pthread_t thread;
	struct session *s;
	struct task_struct *task;
	size_t bytes;
	int err;
	u32 nr;
	bool done;
};

static void *call_thread(void *arg)
{
	struct sharedpc_msg msg = { .type = SHAREDPC_OP_FSYNC };
	struct one *one = arg;

	__atomic_store_n(&one->task, current, __ATOMIC_RELEASE);
	one->err = call_run(one->s, &msg, &inodes[0]);
	SAY(one->done);
	return NULL;
}

static void *buffer_thread(void *arg)
{
	struct one *one = arg;

	one->err = bounce_get(one->s, one->bytes, false, &one->nr);
	SAY(one->done);
	return NULL;
}

static bool soon(struct one *one)
{
	u32 i;

	for (i = 0; i < 2000 && !SEEN(one->done); i++)
		kernel_nap(1000);
	return i < 2000;
}

/* The next call on the wire: it is answered. */
static bool answer_next(struct sharedpc_msg *msg)
{
	struct sharedpc_frames f;
	u32 i, nr;

	for (i = 0; i < 2000; i++) {
		if (!wire_pop(&asked, &f, &nr))
			continue;
		*msg = f.msg;
		msg->type = SHAREDPC_MSG_DONE;
		return true;
	}
	return false;
}

/* All slots are taken by calls that were given up; who waits for one gets the next. */
static void test_wait_for_slot(void **state)
{
	struct one killed, first = { 0 }, second = { 0 };
	struct sharedpc_msg msg[SHAREDPC_CALLS];
	struct session *s = quiet_session();
	u32 i;

	for (i = 0; i < SHAREDPC_CALLS; i++) {
		killed = (struct one){ .s = s };
		pthread_create(&killed.thread, NULL, call_thread, &killed);
		assert_true(answer_next(&msg[i]));
		kernel_kill(__atomic_load_n(&killed.task, __ATOMIC_ACQUIRE), true);
		pthread_join(killed.thread, NULL);
		assert_int_equal(killed.err, -EINTR);
	}
	assert_int_equal(session_calls(OWNER), SHAREDPC_CALLS);
	first.s = s;
	second.s = s;
	pthread_create(&first.thread, NULL, call_thread, &first);
	kernel_nap(20000);
	call_done(OWNER, &msg[0]);		/* one that was given up */
	assert_true(answer_next(&msg[0]));
	pthread_create(&second.thread, NULL, call_thread, &second);
	kernel_nap(20000);
	assert_true(call_done_now(OWNER, &msg[0]));	/* the first one's */
	assert_true(soon(&first));
	assert_true(answer_next(&msg[0]));
	assert_true(call_done_now(OWNER, &msg[0]));
	assert_true(soon(&second));
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	assert_int_equal(first.err | second.err, 0);
	for (i = 1; i < SHAREDPC_CALLS; i++)
		call_done(OWNER, &msg[i]);
	assert_int_equal(session_calls(OWNER), 0);
	assert_int_equal(inodes[0].count, 1);
	session_over(s);
}

/* Who waits for a buffer has it when some are given back; then it is the next one's turn. */
static void test_wait_for_buffer(void **state)
{
	const u32 most = SHAREDPC_WRITE_MAX / SHAREDPC_BOUNCE_SIZE;
	struct session *s = quiet_session();
	struct one first, second;
	u32 nr, rest, round;
	int has, has_rest;

	kernel_moody = 4;
	for (round = 0; round < 50; round++) {
		first = (struct one){ .s = s, .bytes = 1 };
		second = first;
		has = bounce_get(s, SHAREDPC_WRITE_MAX, false, &nr);
		assert_int_equal(nr, most);
		/* The other half of what a session can have. */
		has_rest = bounce_get(s, SHAREDPC_WRITE_MAX, false, &rest);
		pthread_create(&first.thread, NULL, buffer_thread, &first);
		pthread_create(&second.thread, NULL, buffer_thread, &second);
		kernel_nap(2000);
		bounce_put(s, has, nr);
		assert_true(soon(&first) && soon(&second));
		bounce_put(s, has_rest, rest);
		pthread_join(first.thread, NULL);
		pthread_join(second.thread, NULL);
		assert_true(first.err >= 0 && second.err >= 0);
		bounce_put(s, first.err, first.nr);
		bounce_put(s, second.err, second.nr);
		assert_int_equal(bounce_count(), 0);
	}
	session_over(s);
}

static void *get_thread(void *number)
{
	struct session *s = session_get(OWNER, epoch, (unsigned long)number);

	return IS_ERR(s) ? NULL : s;
}

/* Of a server that ends nobody has a session, though its number cannot be noted. */
static void test_end_without_memory(void **state)
{
	struct session *s, *end;
	pthread_t thread;
	u32 number, i;

	kernel_jiffy_us = 1000;
	kernel_moody = 2;
	kernel_short = 3;
	session_init(NULL, ended);
	for (i = 0; i < 300; i++) {
		number = ++last_number;
		pthread_create(&thread, NULL, get_thread, (void *)(unsigned long)number);
		kernel_jitter();
		end = session_end(OWNER, number);
		if (end)
			ended(end);
		pthread_join(thread, (void **)&s);
		assert_true(!s || !session_alive(s));
		if (s)
			session_put(s);
		assert_true(IS_ERR(session_get(OWNER, epoch, number)));
	}
	assert_int_equal(session_count(), 0);
	kernel_short = 0;
	session_exit();
	assert_int_equal(kernel_allocated(), 0);
}

static void test_control_serial(void **state)
{
	assert_true(kernel_control(NO_SERIAL,
				   "not its own|used again|no answer|another|without a reason|EIO"));
}

static void test_control_given_back(void **state)
{
	assert_true(kernel_control(GIVEN_BACK, "a bit is cleared|another call's"));
}

static void test_control_not_ended(void **state)
{
	assert_true(kernel_control(NOT_ENDED, "left in use"));
}

static void test_control_told_early(void **state)
{
	assert_true(kernel_control(TOLD_EARLY, "an answer before its frames"));
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
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_time_out),
		cmocka_unit_test(test_wait_for_slot),
		cmocka_unit_test(test_wait_for_buffer),
		cmocka_unit_test(test_end_without_memory),
		cmocka_unit_test(test_control_serial),
		cmocka_unit_test(test_control_given_back),
		cmocka_unit_test(test_control_not_ended),
		cmocka_unit_test(test_control_told_early),
		cmocka_unit_test(test_control_bh_on),
		cmocka_unit_test(test_control_unlocked),
	};

	control = kernel_begin(argc, argv);
	if (control == SHORT)
		run_and_tell();
	else if (control)
		run(2000);
	if (control)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

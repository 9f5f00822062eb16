// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-server.c - the calls of clients at their owner: the kernel's own source files
 *
 * server.c and request.c between threads: two clients with calls of all kinds in their
 * slots, which they send again, give up, and leave open when they die and come back; for
 * each of two file systems proxies that want to serve it, whose threads take calls, answer
 * them, say an answer twice, get killed, and leave with calls in hand; messages that get
 * lost, old ones that come once more, and rings without room.  Each call has a number of its
 * own.  What must not be:
 *
 *	a call that is done twice, or by those who serve something else
 *	an answer that is another call's, or another one when it is said again
 *	a call without an answer though its server lives, or a slot that stays in use
 *	a server's number that is given again, or two servers of one file system
 *	a server, or a reference to a file, left over at the end
 *
 * and, compiled for the thread sanitizer, a data race.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/file.h>
#include "box/ctl.h"
#include "image/lives.h"
#include "link/peer.h"
#include "owner/server.h"
#include "wire.h"
#include "words/words.h"

#define CLIENTS		2	/* images 1 and 2; the owner is 0 */
#define SYSTEMS		2	/* file systems */
#define RIVALS		2	/* proxies that want to serve one for one client */
#define WORKERS		3	/* threads of a proxy; the last one takes NAMEs */
#define CALLERS		4	/* of a client */
#define COOKIES		(1U << 20)
#define NUMBERS		4096	/* servers */
#define RESEND_US	20000

u32 ctl_self, ctl_nr_images = CLIENTS + 1;

static enum {
	NOTHING,
	RENAMED,	/* what is sent again has another serial number */
	ANOTHERS,	/* an answer goes to another slot */
	KEPT_WRONG,	/* what is kept of an answer is not what was said */
	WAKELESS,	/* a thread that waits for a call is not woken */
	ACYCLIC,	/* a server's number is given again at once */
	LEFT_OVER,	/* a reference to a server is not put */
	BH_ON,		/* bottom halves are never off */
	UNLOCKED,	/* spinlocks lock nothing */
	SHORT,		/* no control: memory is short at times */
} control;

/* A slot of a client at a server; with the session's lock. */
struct slot {
	enum { FREE, WAITING, ABANDONED } state;
	struct sharedpc_msg msg, before;	/* the call, and the one before it */
	unsigned long begun;
	bool answered;
	struct sharedpc_msg answer;		/* the first */
};

/* A server, as its client sees it. */
struct session {
	pthread_mutex_t lock;
	u32 number, client, epoch, system;
	bool leaving;		/* its proxy leaves, or its client has died */
	bool ended;		/* the client knows */
	struct slot slot[SHAREDPC_CALLS];
};

static struct session *sessions[NUMBERS];	/* by number; they stay */
static struct session *current_session[CLIENTS + 1][SYSTEMS];

/* An image that is a client. */
static struct client {
	pthread_mutex_t heard;		/* as peer.c has it */
	struct wire told, asked;
	bool up;
	u32 epoch, life;
	pthread_t softirq, listening, caller[CALLERS];
} clients[CLIENTS + 1];

/* A process that serves a file system, or would like to. */
static struct proxy {
	u32 client, system;
	struct mm_struct *mm;
	struct server *server;
	bool leave;
	struct worker {
		struct proxy *proxy;
		bool names;
		struct task_struct *task;
		pthread_t thread;
	} worker[WORKERS];
	pthread_t thread;
} proxies[CLIENTS + 1][SYSTEMS][RIVALS];

static struct super_block blocks[SYSTEMS];
static struct inode inodes[SYSTEMS];
static struct file files[SYSTEMS];
static int serving[CLIENTS + 1][SYSTEMS];
static u8 done[COOKIES];	/* so often */
static u64 last_cookie;
static bool over;		/* no new calls */
static bool quiet;		/* nothing gets lost, nobody dies */
static bool closing;		/* no new servers */
static bool stop;		/* no thread is needed any more */
static struct {
	u64 calls, answered, framed, again, given_up, ended, refused;
	u64 servers, busy, died, killed, unfinished;
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

static u64 hashed(u64 cookie)
{
	return cookie * 0x9e3779b97f4a7c15ULL ^ 0x5bd1e995;
}

static int error_of(u64 cookie)
{
	return cookie % 7 ? 0 : -ENOENT;
}

static struct session *session_find(u32 number)
{
	return number < NUMBERS ? __atomic_load_n(&sessions[number], __ATOMIC_ACQUIRE) : NULL;
}

/* What server.c and request.c use of others. */

bool peer_up(u32 image)
{
	return SEEN(clients[image].up);
}

u32 peer_epoch(u32 image)
{
	return __atomic_load_n(&clients[image].epoch, __ATOMIC_RELAXED);
}

u32 lives_now(u32 id)
{
	return __atomic_load_n(&clients[id].life, __ATOMIC_RELAXED);
}

int lives_learn(u32 id)
{
	might_sleep();
	__atomic_store_n(&clients[id].life, peer_epoch(id), __ATOMIC_RELAXED);
	return 0;
}

bool ctl_is_owner(u32 image)
{
	return image == ctl_self;
}

/* The control: it ends whatever else waits there. */
static void to_another(struct sharedpc_msg *msg)
{
	struct session *s = session_find(msg->server);
	u32 i;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	for (i = 0; i < SHAREDPC_CALLS; i++)
		if (s->slot[i].state == WAITING && kernel_chance(4))
			msg->slot = s->slot[i].msg.slot;
	pthread_mutex_unlock(&s->lock);
}

int peer_send(u32 image, const struct sharedpc_msg *msg, const void *body, u32 body_len)
{
	struct sharedpc_msg m = *msg;

	if (!peer_up(image))
		return -ENOTCONN;
	if (control == ANOTHERS && kernel_chance(10))
		to_another(&m);
	return wire_send(&clients[image].told, &m, body, body_len);
}

int peer_send_wait(u32 image, const struct sharedpc_msg *msg)
{
	int err, tries = 0;

	might_sleep();
	while ((err = peer_send(image, msg, NULL, 0)) == -EAGAIN && tries++ < 20)
		kernel_nap(100);
	return err;
}

bool peer_spin(bool (*is_done)(void *arg), void *arg)
{
	return kernel_chance(2) && is_done(arg);
}

void words_refused(void)
{
	COUNT(refused);
}

void revoke_believe(u32 client)
{
}

void map_remove_all(struct server *s)
{
	might_sleep();
}

void locking_drop_all(struct server *s)
{
	(void)s;
}

void size_drop_all(struct server *s)
{
	might_sleep();
}

/* The client is told, whatever happens to other messages. */
int revoke_end(struct server *s)
{
	const struct sharedpc_msg end = {
		.type = SHAREDPC_MSG_REVOKE, .flags = SHAREDPC_REVOKE_END, .server = s->number,
	};
	struct session *session = session_find(s->number);

	might_sleep();
	while (session && !SEEN(session->ended)) {
		if (!wire_push(&clients[s->client].told, &end, NULL, 0))
			COUNT(ended);
		kernel_nap(500);
	}
	return 0;
}

struct file *fget_raw(unsigned int fd)
{
	return fd < SYSTEMS ? get_file(&files[fd]) : NULL;
}

/* A proxy. */

/* As grant_publish. */
static int grant(struct server *s, const struct sharedpc_call *call)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_FRAMES, .slot = call->slot, .file = call->file,
		.server = s->number, .result = hashed(call->file), .count = 1,
	};
	const struct sharedpc_msg again = {
		.type = SHAREDPC_MSG_DONE, .slot = msg.slot, .file = msg.file,
		.server = msg.server, .error = control == KEPT_WRONG ? 0 : -EAGAIN,
	};
	int err = request_finish(s, call->slot, &again);

	if (err)
		return err;
	err = peer_send(s->client, &msg, NULL, 0);
	if (err) {
		COUNT(unfinished);
		kernel_jitter();
		request_unfinish(s, call->slot);
	}
	return err;
}

static void check_stale(const struct server *s, int err)
{
	wrong_if(err && !(err == -ESTALE && READ_ONCE(s->gone)), "a call that is nobody's any more");
}

static void reply(struct server *s, const struct sharedpc_call *call, int error)
{
	struct sharedpc_reply r = {
		.slot = call->slot, .error = error, .result = hashed(call->file),
		.pos = call->file + 1,
	};
	struct sharedpc_reply wrong = r;

	wrong.error = 1;
	wrong_if(request_reply(s, &wrong) != -EINVAL, "a wrong answer is taken");
	check_stale(s, request_reply(s, &r));
	if (kernel_chance(4))
		wrong_if(request_reply(s, &r) != -ESTALE, "a call is answered twice");
}

static void answer(struct server *s, const struct sharedpc_call *call)
{
	struct sharedpc_reply none = { .slot = call->slot, .error = -ENOSPC };
	int tries, err = -EAGAIN;

	if (call->op != SHAREDPC_OP_FAULT) {
		reply(s, call, error_of(call->file));
		return;
	}
	for (tries = 0; tries < 20 && err == -EAGAIN; tries++) {
		err = grant(s, call);
		kernel_jitter();
	}
	/* What is kept may have been said between, and its client be done with it. */
	if (err == -EAGAIN)
		request_reply(s, &none);
	else if (err != -ENOTCONN && tries == 1)
		check_stale(s, err);
}

static void serve(struct worker *w, struct server *s, const struct sharedpc_call *call)
{
	struct session *session = session_find(s->number);

	wrong_if(w->names != (call->op == SHAREDPC_OP_NAME), "a call for other threads");
	wrong_if(call->uid != s->epoch, "a call of another life");
	wrong_if(__atomic_fetch_add(&done[call->file % COOKIES], 1, __ATOMIC_RELAXED),
		 "a call is done twice");
	wrong_if(call->gid != session->system || session->client != s->client,
		 "a call that is another server's");
	if (call->op == SHAREDPC_OP_CLOSE)
		return;
	kernel_nap(kernel_random() % (kernel_chance(20) ? 3000 : 100));
	/* Some leave with a call in their hands. */
	if (!SEEN(w->proxy->leave) || SEEN(quiet))
		answer(s, call);
}

static pthread_mutex_t tasks_lock = PTHREAD_MUTEX_INITIALIZER;	/* worker.task */

static void worker_is(struct worker *w, struct task_struct *task)
{
	pthread_mutex_lock(&tasks_lock);
	w->task = task;
	pthread_mutex_unlock(&tasks_lock);
}

/* One of @of threads of @p. */
static void proxy_kill(struct proxy *p, u32 of)
{
	u32 i;

	pthread_mutex_lock(&tasks_lock);
	for (i = 0; i < WORKERS; i++) {
		if (!p->worker[i].task || !kernel_chance(of))
			continue;
		kernel_kill(p->worker[i].task, true);
		COUNT(killed);
	}
	pthread_mutex_unlock(&tasks_lock);
}

static void *worker_thread(void *arg)
{
	struct worker *w = arg;
	struct server *s = w->proxy->server;
	struct sharedpc_call call;
	int err;

	worker_is(w, current);
	while (!SEEN(w->proxy->leave)) {
		call = (struct sharedpc_call){ .flags = w->names ? SHAREDPC_NEXT_NAMES : 0 };
		err = request_next(s, &call);
		if (err == -EINTR) {
			kernel_kill(current, false);
			continue;
		}
		if (err) {
			wrong_if(err != -ENODEV || !READ_ONCE(s->gone), "NEXT ends without a reason");
			break;
		}
		serve(w, s, &call);
	}
	worker_is(w, NULL);
	return NULL;
}

/* HELLO: the client knows of it. */
static void session_begin(const struct server *s, u32 system)
{
	struct session *session = calloc(1, sizeof(*session));
	u32 i;

	pthread_mutex_init(&session->lock, NULL);
	session->number = s->number;
	session->client = s->client;
	session->epoch = s->epoch;
	session->system = system;
	for (i = 0; i < SHAREDPC_CALLS; i++)
		session->slot[i].msg.slot = kernel_random() * SHAREDPC_CALLS + i;
	__atomic_store_n(&sessions[s->number], session, __ATOMIC_RELEASE);
	__atomic_store_n(&current_session[s->client][system], session, __ATOMIC_RELEASE);
}

static void proxy_serve(struct proxy *p)
{
	struct server *s = p->server;
	u32 i;

	COUNT(servers);
	wrong_if(__atomic_add_fetch(&serving[p->client][p->system], 1, __ATOMIC_RELAXED) != 1,
		 "two servers of one file system");
	wrong_if(s->number >= NUMBERS, "too many servers for this test");
	wrong_if(session_find(s->number), "a number of a server is given again");
	session_begin(s, p->system);
	for (i = 0; i < WORKERS; i++) {
		p->worker[i].proxy = p;
		p->worker[i].names = i == WORKERS - 1;
		pthread_create(&p->worker[i].thread, NULL, worker_thread, &p->worker[i]);
	}
	for (i = 0; i < WORKERS; i++)
		pthread_join(p->worker[i].thread, NULL);
	SAY(session_find(s->number)->leaving);
	__atomic_sub_fetch(&serving[p->client][p->system], 1, __ATOMIC_RELAXED);
	server_close(s);
}

static void *proxy_thread(void *arg)
{
	struct proxy *p = arg;
	struct sharedpc_serve want;
	struct server *s;
	long err;

	/* To compare with only. */
	current->mm = (void *)p;
	while (!SEEN(closing)) {
		want = (struct sharedpc_serve){ .client = p->client, .fd = p->system };
		s = server_open(&want);
		if (!IS_ERR(s)) {
			wrong_if(want.server != s->number, "another number");
			p->server = s;
			proxy_serve(p);
			__atomic_store_n(&p->leave, false, __ATOMIC_RELEASE);
			continue;
		}
		err = PTR_ERR(s);
		wrong_if(err == -EBUSY && !want.server, "busy, and nobody serves");
		wrong_if(err != -EBUSY && err != -ENOTCONN && !(kernel_short && err == -ENOMEM),
			 "a server that cannot be opened");
		COUNT(busy);
		kernel_nap(kernel_random() % 1000);
	}
	return NULL;
}

/* Somebody kills threads of proxies, and some leave. */
static void trouble(void)
{
	struct proxy *p = &proxies[1 + kernel_random() % CLIENTS][kernel_random() % SYSTEMS]
				  [kernel_random() % RIVALS];

	if (kernel_chance(4))
		SAY(p->leave);
	proxy_kill(p, SEEN(p->leave) ? 1 : WORKERS);
}

/* A client. */

static bool session_over(const struct session *s)
{
	return SEEN(s->leaving) || SEEN(s->ended) || peer_epoch(s->client) != s->epoch ||
	       !peer_up(s->client);
}

/* What call.c does not send; EINVAL. */
static bool senseless(const struct sharedpc_msg *msg)
{
	return msg->type != SHAREDPC_OP_FSYNC && msg->type != SHAREDPC_OP_CLOSE &&
	       msg->file % 13 == 0;
}

static void make_call(const struct session *s, struct sharedpc_msg *msg)
{
	static const u16 types[] = {
		SHAREDPC_OP_FAULT, SHAREDPC_OP_WRITE, SHAREDPC_OP_FSYNC, SHAREDPC_OP_CLOSE,
		SHAREDPC_OP_NAME,
	};
	u32 slot = msg->slot + SHAREDPC_CALLS;

	*msg = (struct sharedpc_msg) {
		.slot = slot,
		.type = types[kernel_random() % 5],
		.file = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED),
		.count = 1, .pos = 1, .uid = s->epoch, .gid = s->system, .server = s->number,
	};
	if (senseless(msg))
		msg->count = ~0ULL;
}

static void send(const struct session *s, const struct sharedpc_msg *msg)
{
	wire_send(&clients[s->client].asked, msg, NULL, 0);
}

/* A call is begun in a free slot, or none. */
static struct slot *begin(struct session *s)
{
	struct slot *slot = &s->slot[kernel_random() % SHAREDPC_CALLS];

	pthread_mutex_lock(&s->lock);
	if (s->ended || slot->state != FREE) {
		pthread_mutex_unlock(&s->lock);
		return NULL;
	}
	slot->before = slot->msg;
	make_call(s, &slot->msg);
	slot->state = WAITING;
	slot->answered = false;
	slot->begun = jiffies;
	COUNT(calls);
	send(s, &slot->msg);
	pthread_mutex_unlock(&s->lock);
	return slot;
}

/* Wait for its answer, or give it up. */
static void call_once(struct session *s)
{
	struct slot *slot = begin(s);
	bool is_over = !slot;

	while (!is_over) {
		kernel_nap(100);
		pthread_mutex_lock(&s->lock);
		is_over = slot->state == FREE || s->ended;
		if (!is_over && kernel_chance(200)) {
			slot->state = ABANDONED;
			is_over = true;
			COUNT(given_up);
		}
		pthread_mutex_unlock(&s->lock);
	}
}

static void *caller_thread(void *arg)
{
	struct client *c = arg;
	struct session *s;

	while (!SEEN(over)) {
		s = __atomic_load_n(&current_session[c - clients][kernel_random() % SYSTEMS],
				    __ATOMIC_ACQUIRE);
		if (s && __atomic_load_n(&last_cookie, __ATOMIC_RELAXED) < COOKIES)
			call_once(s);
		else
			kernel_nap(100);
	}
	return NULL;
}

static void slot_resend(struct session *s, struct slot *slot)
{
	/* Long after it may have been done. */
	if (slot->before.type && !SEEN(quiet) && kernel_chance(20))
		send(s, &slot->before);
	if (slot->state == FREE && slot->msg.type && kernel_chance(20))
		send(s, &slot->msg);
	if (slot->state == FREE || s->ended)
		return;
	wrong_if(time_after(jiffies, slot->begun + (control == WAKELESS ? 10 : 100) * HZ) && !session_over(s),
		 "a call without an answer, and its server lives");
	if (control == RENAMED && slot->state == WAITING)
		slot->msg.slot += SHAREDPC_CALLS;
	if (kernel_chance(2) && control != RENAMED)
		return;
	send(s, &slot->msg);
	COUNT(again);
}

static void resend(u32 client)
{
	struct session *s;
	u32 n, i;

	for (n = 0; n < SYSTEMS; n++) {
		s = __atomic_load_n(&current_session[client][n], __ATOMIC_ACQUIRE);
		if (!s || s->epoch != peer_epoch(client))
			continue;
		pthread_mutex_lock(&s->lock);
		for (i = 0; i < SHAREDPC_CALLS; i++)
			slot_resend(s, &s->slot[i]);
		pthread_mutex_unlock(&s->lock);
	}
}

/* With the lock: the first answer of @slot. */
static void check_first(struct session *s, const struct slot *slot, const struct sharedpc_msg *msg)
{
	const struct sharedpc_msg *call = &slot->msg;
	bool is_fault = call->type == SHAREDPC_OP_FAULT;

	if (msg->type == SHAREDPC_MSG_DONE && msg->error == -EIO) {
		wrong_if(!session_over(s), "EIO, and the server lives");
		return;
	}
	if (senseless(call)) {
		wrong_if(msg->error != -EINVAL, "a call that makes no sense is done");
		return;
	}
	if (call->type == SHAREDPC_OP_CLOSE) {
		wrong_if(msg->error, "a CLOSE that fails");
		return;
	}
	if (is_fault && msg->type == SHAREDPC_MSG_DONE) {
		wrong_if(msg->error != -EAGAIN && msg->error != -ENOSPC, "FRAMES are kept");
		return;
	}
	wrong_if(is_fault != (msg->type == SHAREDPC_MSG_FRAMES), "an answer to another call");
	wrong_if(msg->file != call->file || msg->result != hashed(call->file),
		 "an answer to another call");
	wrong_if(!is_fault && (msg->error != error_of(call->file) || msg->pos != call->file + 1),
		 "another error than there was");
	wrong_if(__atomic_load_n(&done[call->file % COOKIES], __ATOMIC_RELAXED) != 1,
		 "an answer, and the call is not done");
	COUNT(answered);
}

/* It is said once more. */
static void check_again(struct session *s, const struct slot *slot, const struct sharedpc_msg *msg)
{
	if (msg->error == -EIO && session_over(s))
		return;
	if (slot->msg.type == SHAREDPC_OP_FAULT && msg->error == -EAGAIN)
		return;
	/* What is done at once is not kept, nor a CLOSE of a server that has ended. */
	if (senseless(&slot->msg) || slot->msg.type == SHAREDPC_OP_CLOSE)
		return;
	/* A FAULT that was taken for lost, and then was done after all. */
	if (slot->msg.type == SHAREDPC_OP_FAULT && slot->answer.error == -EAGAIN)
		return;
	wrong_if(memcmp(msg, &slot->answer, sizeof(*msg)), "another answer the second time");
}

static void told_answer(u32 client, const struct sharedpc_msg *msg)
{
	struct session *s = session_find(msg->server);
	struct slot *slot;

	/* What was for an earlier life. */
	if (!s || s->client != client || s->epoch != peer_epoch(client)) {
		wrong_if(s && s->client != client, "an answer to another client");
		return;
	}
	slot = &s->slot[msg->slot % SHAREDPC_CALLS];
	pthread_mutex_lock(&s->lock);
	wrong_if((s32)(msg->slot - slot->msg.slot) > 0, "an answer to a call that was not made");
	if (msg->slot == slot->msg.slot && !s->ended) {
		if (slot->answered)
			check_again(s, slot, msg);
		else
			check_first(s, slot, msg);
		if (!slot->answered)
			slot->answer = *msg;
		if (msg->type == SHAREDPC_MSG_FRAMES)
			COUNT(framed);
		slot->answered = true;
		slot->state = FREE;
	}
	pthread_mutex_unlock(&s->lock);
}

static void session_end(struct session *s)
{
	pthread_mutex_lock(&s->lock);
	SAY(s->ended);
	pthread_mutex_unlock(&s->lock);
}

static void *listening_thread(void *arg)
{
	struct client *c = arg;
	unsigned long next = jiffies;
	struct sharedpc_frames f;
	u32 nr;

	while (!SEEN(stop)) {
		if (time_after_eq(jiffies, next)) {
			next = jiffies + RESEND_US / kernel_jiffy_us;
			resend(c - clients);
		}
		if (!SEEN(quiet) && kernel_chance(100))
			kernel_nap(kernel_random() % 4000);
		if (!wire_pop(&c->told, &f, &nr))
			continue;
		if (f.msg.type == SHAREDPC_MSG_REVOKE)
			session_end(session_find(f.msg.server));
		else
			told_answer(c - clients, &f.msg);
	}
	return NULL;
}

/* The owner's soft interrupt, for what client @arg says. */
static void *softirq_thread(void *arg)
{
	struct client *c = arg;
	struct sharedpc_frames f;
	u32 nr;

	while (!SEEN(stop)) {
		if (!wire_pop(&c->asked, &f, &nr))
			continue;
		pthread_mutex_lock(&c->heard);
		kernel_softirq_enter();
		if (peer_up(c - clients) && f.msg.uid == peer_epoch(c - clients))
			request_arrived(c - clients, &f.msg);
		if (control == LEFT_OVER && kernel_chance(100))
			server_get(c - clients, f.msg.server);
		kernel_softirq_exit();
		pthread_mutex_unlock(&c->heard);
	}
	return NULL;
}

/* A client dies, and comes back in another life. */
static void die(struct client *c)
{
	u32 n, i = c - clients;

	pthread_mutex_lock(&c->heard);
	__atomic_store_n(&c->up, false, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&c->heard);
	kernel_nap(kernel_random() % 1000);
	for (n = 1; n < NUMBERS; n++)
		if (session_find(n) && sessions[n]->client == i && !SEEN(sessions[n]->ended))
			session_end(sessions[n]);
	server_peer_went(i);
	kernel_nap(kernel_random() % 2000);
	__atomic_add_fetch(&c->epoch, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&c->up, true, __ATOMIC_RELEASE);
	COUNT(died);
}

/* By the calls that there are: on a slow host all goes slower. */
static void *fate_thread(void *unused)
{
	u64 next = 0;

	while (!SEEN(over)) {
		kernel_nap(kernel_random() % 10000);
		/* Who is killed wakes up. */
		if (COUNTED(calls) < next || control == WAKELESS)
			continue;
		next = COUNTED(calls) + kernel_random() % 32;
		if (kernel_chance(16))
			die(&clients[1 + kernel_random() % CLIENTS]);
		else
			trouble();
	}
	return NULL;
}

static bool slots_free(void)
{
	struct session *s;
	bool is_free = true;
	u32 n, i;

	for (n = 1; n < NUMBERS; n++) {
		s = session_find(n);
		if (!s || session_over(s))
			continue;
		pthread_mutex_lock(&s->lock);
		for (i = 0; i < SHAREDPC_CALLS; i++)
			is_free &= s->slot[i].state == FREE;
		pthread_mutex_unlock(&s->lock);
	}
	return is_free;
}

static void each_proxy(void (*run)(struct proxy *p))
{
	u32 c, f, r;

	for (c = 1; c <= CLIENTS; c++)
		for (f = 0; f < SYSTEMS; f++)
			for (r = 0; r < RIVALS; r++)
				run(&proxies[c][f][r]);
}

static void proxy_begin(struct proxy *p)
{
	u32 at = p - &proxies[0][0][0];

	p->client = at / (SYSTEMS * RIVALS);
	p->system = at / RIVALS % SYSTEMS;
	pthread_create(&p->thread, NULL, proxy_thread, p);
}

static void proxy_join(struct proxy *p)
{
	while (pthread_tryjoin_np(p->thread, NULL)) {
		SAY(p->leave);
		proxy_kill(p, 1);
		kernel_nap(1000);
	}
}

static void check_rest(void)
{
	u32 number = 1, i;

	wrong_if(server_next(&number), "a server is left");
	wrong_if(kernel_allocated(), "a server is left");
	for (i = 0; i < SYSTEMS; i++)
		wrong_if(files[i].count != 1, "a reference to a file is left");
	for (number = 0; number < NUMBERS; number++)
		free(sessions[number]);
}

/* Has it all happened? */
static bool happened(void)
{
	return COUNTED(answered) > 500 && COUNTED(framed) > 50 && COUNTED(again) > 100 &&
	       COUNTED(given_up) > 10 && COUNTED(ended) > 10 && COUNTED(servers) > 10 &&
	       COUNTED(busy) > 20 && COUNTED(died) > 2 && COUNTED(killed) > 20 &&
	       COUNTED(unfinished) > 5 && (!kernel_short || kernel_refused() > 3);
}

static void client_begin(struct client *c)
{
	u32 i;

	pthread_mutex_init(&c->heard, NULL);
	c->told = (struct wire)WIRE_INIT;
	c->told.room = 8;
	c->asked = (struct wire)WIRE_INIT;
	c->epoch = 1;
	c->up = true;
	pthread_create(&c->softirq, NULL, softirq_thread, c);
	pthread_create(&c->listening, NULL, listening_thread, c);
	for (i = 0; i < CALLERS; i++)
		pthread_create(&c->caller[i], NULL, caller_thread, c);
}

static void run(u32 ms)
{
	struct client *c;
	pthread_t fate;
	u32 i;

	kernel_unlocked = control == UNLOCKED;
	kernel_bh_always = control == BH_ON;
	kernel_wakeless = control == WAKELESS;
	kernel_acyclic = control == ACYCLIC;
	kernel_short = control == SHORT ? 4 : 0;
	kernel_jiffy_us = 1000;
	kernel_moody = 32;
	wire_lossy = 20;
	for (i = 0; i < SYSTEMS; i++) {
		inodes[i] = (struct inode){ .count = 1, .i_sb = &blocks[i] };
		files[i] = (struct file){ .count = 1, .inode = &inodes[i] };
	}
	for (c = &clients[1]; c <= &clients[CLIENTS]; c++)
		client_begin(c);
	each_proxy(proxy_begin);
	pthread_create(&fate, NULL, fate_thread, NULL);
	kernel_run(ms, control == NOTHING || control == SHORT ? happened : NULL);
	SAY(over);
	pthread_join(fate, NULL);
	for (c = &clients[1]; c <= &clients[CLIENTS]; c++)
		for (i = 0; i < CALLERS; i++)
			pthread_join(c->caller[i], NULL);
	SAY(quiet);
	__atomic_store_n(&wire_lossy, 0, __ATOMIC_RELAXED);
	for (i = 0; i < 10000 && !slots_free(); i++)
		kernel_nap(1000);
	wrong_if(!slots_free(), "a slot is left in use");
	/* Those who listen are needed for that. */
	SAY(closing);
	each_proxy(proxy_join);
	SAY(stop);
	for (c = &clients[1]; c <= &clients[CLIENTS]; c++) {
		pthread_join(c->softirq, NULL);
		pthread_join(c->listening, NULL);
	}
	check_rest();
}

static void run_and_tell(void)
{
	run(3000);
	printf("%llu calls, %llu answered, %llu framed, %llu again, %llu given up; %llu servers, %llu ended, %llu died, %llu killed; %llu messages lost, %llu unfinished\n",
	       (unsigned long long)count.calls, (unsigned long long)count.answered,
	       (unsigned long long)count.framed, (unsigned long long)count.again,
	       (unsigned long long)count.given_up, (unsigned long long)count.servers,
	       (unsigned long long)count.ended, (unsigned long long)count.died,
	       (unsigned long long)count.killed, (unsigned long long)wire_lost,
	       (unsigned long long)count.unfinished);
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

static void test_control_renamed(void **state)
{
	assert_true(kernel_control(RENAMED, "done twice"));
}

static void test_control_anothers(void **state)
{
	assert_true(kernel_control(ANOTHERS, "to another call|is not done|the second time|that fails"));
}

static void test_control_kept_wrong(void **state)
{
	assert_true(kernel_control(KEPT_WRONG, "the second time|FRAMES are kept"));
}

static void test_control_wakeless(void **state)
{
	assert_true(kernel_control(WAKELESS, "without an answer, and"));
}

static void test_control_acyclic(void **state)
{
	assert_true(kernel_control(ACYCLIC, "is given again"));
}

static void test_control_left_over(void **state)
{
	assert_true(kernel_control(LEFT_OVER, "a server is left"));
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
		cmocka_unit_test(test_control_renamed),
		cmocka_unit_test(test_control_anothers),
		cmocka_unit_test(test_control_kept_wrong),
		cmocka_unit_test(test_control_wakeless),
		cmocka_unit_test(test_control_acyclic),
		cmocka_unit_test(test_control_left_over),
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

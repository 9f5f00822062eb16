// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories as FUSE reads them, fs/dir.c and fs/listing.c, from an owner that
 * is played here: how often it is asked, that nobody is served what was read
 * before he began, what sharedpc.ko is told, and that each use of a node ends up
 * with FUSE or is given back.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/fuse.h>
#include <cmocka.h>

#include "fs/ops.h"
#include "fs/watch.h"
#include "sharedpc_ioctl.h"

#define DIR_NODE	5
#define NODES		8192
#define FIRST		100	/* node of a version's first file: + 1000 * version */
#define PIECE		4096

static struct ccfs fs = { .owner.dev = -1, .attach.dev = -1 };

/* The owner's side; lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int files = 400;		/* in every directory */
static int version;		/* of all of them: it is in the names */
static int most = 100000;	/* entries of one answer */
static int gone = -1;		/* this one cannot be looked up */
static int written = -1;	/* and this one is open for writing, and the first */
static size_t cut;		/* bytes that are missing from answers */
static int fails;		/* error of answers */
static bool hold;		/* answers wait */
static int asked;		/* READDIRs so far */
static int held;		/* of them, that wait */
static unsigned int plus_asked;
static int uses[NODES];		/* shown less forgotten */

/* What FUSE got last, in this thread. */
struct got {
	char name[32];
	uint64_t node, ino, off;
	unsigned int type;
};

static __thread struct got got[2000];
static __thread int ngot;
static __thread int error;
static __thread int told;	/* tales since the last piece */
static bool lost;		/* the request is gone when it is answered */
static int fuse_has[NODES];	/* uses; lock */
static char told_text[64];

int __wrap_fuse_reply_err(fuse_req_t req, int err);
int __wrap_fuse_reply_buf(fuse_req_t req, const char *buf, size_t size);
const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req);
void *__wrap_fuse_req_userdata(fuse_req_t req);
int __wrap_ioctl(int fd, unsigned long request, void *arg);

const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req)
{
	static const struct fuse_ctx ctx;

	return &ctx;
}

void *__wrap_fuse_req_userdata(fuse_req_t req)
{
	return &fs;
}

int __wrap_fuse_reply_err(fuse_req_t req, int err)
{
	error = err;
	return 0;
}

/* The request is a pointer to a bool here: READDIRPLUS. */
static const struct fuse_dirent *entry_at(fuse_req_t req, const char *buf,
					  struct got *g, size_t *len)
{
	const struct fuse_direntplus *plus = (const void *)buf;
	const struct fuse_dirent *d = (const void *)buf;

	g->node = 0;
	if (*(bool *)req) {
		d = &plus->dirent;
		g->node = plus->entry_out.nodeid;
		assert_int_equal(plus->entry_out.entry_valid, 0);
		assert_int_equal(plus->entry_out.attr_valid, 0);
		if (g->node)
			assert_int_equal(plus->entry_out.attr.ino, g->node);
		*len = FUSE_DIRENTPLUS_SIZE(plus);
	} else {
		*len = FUSE_DIRENT_SIZE(d);
	}
	return d;
}

int __wrap_fuse_reply_buf(fuse_req_t req, const char *buf, size_t size)
{
	const struct fuse_dirent *d;
	size_t at, len;
	int nodes = 0;

	ngot = 0;
	error = 0;
	if (lost)
		return -ENOENT;
	for (at = 0; at < size; at += len) {
		struct got *g = &got[ngot++];

		d = entry_at(req, buf + at, g, &len);
		snprintf(g->name, sizeof(g->name), "%.*s", (int)d->namelen, d->name);
		g->ino = d->ino;
		g->off = d->off;
		g->type = d->type;
		if (!g->node)
			continue;
		nodes++;
		pthread_mutex_lock(&lock);
		fuse_has[g->node]++;
		pthread_mutex_unlock(&lock);
	}
	assert_int_equal(at, size);
	assert_int_equal(told, fs.attach.dev >= 0 ? nodes : 0);
	told = 0;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	const struct sharedpc_tell *tell = arg;
	const uint8_t *at = (const uint8_t *)(uintptr_t)tell->tales;
	const uint8_t *end = at + tell->bytes;

	assert_int_equal(request, SHAREDPC_IOC_TELL);
	assert_int_equal(fd, fs.attach.dev);
	assert_int_equal((uintptr_t)at % 8, 0);
	for (uint32_t i = 0; i < tell->count; i++) {
		const struct sharedpc_tale *t = (const void *)at;

		assert_in_range(t->dir, DIR_NODE, DIR_NODE + LISTINGS);
		assert_int_equal(t->ino, t->node);
		if (t->gen)
			assert_int_equal(t->gen, t->node * 2);
		assert_int_equal(t->name_gen, t->node * 3);
		assert_int_equal(t->name_len, 8);
		memcpy(told_text, t + 1, t->name_len + t->text_len);
		told_text[t->name_len + t->text_len] = '\0';
		at += (sizeof(*t) + t->name_len + t->text_len + 7) & ~7;
	}
	assert_ptr_equal(at, end);
	told += tell->count;
	return 0;
}

/* Entry @i of a directory: ".", "..", then files; the first is a link. */
static void put_entry(struct msg *m, int i, bool plus)
{
	uint64_t node = FIRST + 1000 * version + i;
	struct ccfs_dirent d = { .ino = node, .offset = i + 1, .type = 8 };
	struct ccfs_attr a = { .ino = node, .mode = S_IFREG | 0644, .gen = node * 2 };
	char name[16];

	snprintf(name, sizeof(name), "v%d-%05d", version, i);
	if (i < 2)
		strcpy(name, i ? ".." : ".");
	else if (plus && i != gone)
		d.node = node;
	d.len = strlen(name);
	if (d.node) {
		uses[node]++;
		d.name_gen = node * 3;
		if (i == 2) {
			a.mode = S_IFLNK | 0777;
			d.text_len = 6;
		}
		if (written >= 0 && (i == written || i == 3))
			a.gen = 0;
	}
	msg_put(m, &d, sizeof(d));
	msg_put(m, name, d.len);
	msg_put(m, "target", d.text_len);
	if (d.node)
		msg_put(m, &a, sizeof(a));
}

/* Locked. */
static void answer_readdir(struct msg *in, struct msg *out)
{
	struct ccfs_listing head = { 0 };
	struct ccfs_readdir rd;
	struct ccfs_cred cred;
	uint64_t i;

	assert_int_equal(msg_get(in, &cred, sizeof(cred)), 0);
	assert_int_equal(msg_get(in, &rd, sizeof(rd)), 0);
	plus_asked = rd.flags;
	if (rd.offset + most >= (uint64_t)files + 2)
		head.flags = CCFS_LISTING_END;
	msg_put(out, &head, sizeof(head));
	for (i = rd.offset; i < (uint64_t)files + 2 && i < rd.offset + most; i++) {
		if (out->len + 200 > rd.size) {
			memset(out->data, 0, sizeof(head));
			break;
		}
		put_entry(out, i, rd.flags);
	}
	msg_shrink(out, cut);
	asked++;
	while (hold) {
		held++;
		pthread_cond_broadcast(&change);
		pthread_cond_wait(&change, &lock);
		held--;
	}
	out->head.error = fails;
}

/* Each held answer needs a thread; others overtake it. */
struct answer {
	struct msg in;
	int fd;
};

static void *answer_run(void *arg)
{
	static pthread_mutex_t send = PTHREAD_MUTEX_INITIALIZER;
	struct answer *a = arg;
	struct msg out = { 0 };

	msg_start(&out, a->in.head.op, a->in.head.id, 0);
	pthread_mutex_lock(&lock);
	if (a->in.head.op == CCFS_READDIR)
		answer_readdir(&a->in, &out);
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&send);
	msg_send(a->fd, &out);
	pthread_mutex_unlock(&send);
	msg_free(&out);
	msg_free(&a->in);
	free(a);
	return NULL;
}

static void take_forget(struct msg *in)
{
	struct ccfs_forget f;
	struct ccfs_count n;
	struct ccfs_cred cred;

	msg_get(in, &cred, sizeof(cred));
	msg_get(in, &n, sizeof(n));
	pthread_mutex_lock(&lock);
	while (!msg_get(in, &f, sizeof(f)))
		uses[f.node] -= f.count;
	pthread_mutex_unlock(&lock);
}

static void *owner_run(void *arg)
{
	struct msg in = { 0 };
	struct answer *a;
	pthread_t t;

	while (!msg_recv((intptr_t)arg, &in)) {
		if (in.head.op == CCFS_FORGET) {
			take_forget(&in);
			continue;
		}
		a = malloc(sizeof(*a));
		*a = (struct answer) { .in = in, .fd = (intptr_t)arg };
		in = (struct msg) { 0 };
		pthread_create(&t, NULL, answer_run, a);
		pthread_detach(t);
	}
	msg_free(&in);
	return NULL;
}

static int setup(void **state)
{
	pthread_t t;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	conn_init(&fs.conn, fd[0], &fs.owner);
	assert_int_equal(conn_start(&fs.conn), 0);
	assert_int_equal(forgets_start(&fs.forgets, &fs.conn), 0);
	listings_init(&fs.listings);
	fs.attach.dev = open("/dev/null", O_RDWR | O_CLOEXEC);
	return pthread_create(&t, NULL, owner_run, (void *)(intptr_t)fd[1]);
}

/* Read a piece of @dir at @off. Its last entry's offset. */
static uint64_t piece(uint64_t dir, uint64_t off)
{
	static const bool plus = true;

	op_readdirplus((fuse_req_t)&plus, dir, PIECE, off, NULL);
	return ngot ? got[ngot - 1].off : off;
}

/* Everything that was sent before has been read. */
static void settle(void)
{
	struct msg m = { 0 };

	msg_start(&m, CCFS_ACCESS, 0, CCFS_ROOT);
	assert_int_equal(conn_call(&fs.conn, &m), 0);
	msg_free(&m);
}

/* All that is kept goes; then FUSE has all uses that there are. */
static void balanced(void)
{
	int wrong = 1;

	listings_expire(&fs, watch_now_ms() + LISTING_MS + 1);
	/* What is forgotten is sent after a while. */
	for (int tries = 0; wrong && tries < 1000; tries++) {
		usleep(FORGET_DELAY_MS * 1000);
		settle();
		wrong = 0;
		pthread_mutex_lock(&lock);
		for (int i = 0; i < NODES; i++)
			wrong += uses[i] != fuse_has[i];
		pthread_mutex_unlock(&lock);
	}
	assert_int_equal(wrong, 0);
}

/* Read on from @off to the end, expecting files @next on, of @v. */
static void rest(uint64_t off, int next, int v, bool nodes)
{
	char name[16];

	for (;;) {
		off = piece(DIR_NODE, off);
		assert_int_equal(error, 0);
		if (!ngot)
			break;
		for (int i = 0; i < ngot; i++, next++) {
			snprintf(name, sizeof(name), "v%d-%05d", v, next);
			if (next >= 2)
				assert_string_equal(got[i].name, name);
			assert_int_equal(got[i].off, next + 1);
			assert_int_equal(got[i].ino, FIRST + 1000 * v + next);
			assert_int_equal(got[i].node, nodes && next >= 2 &&
					 next != gone ? got[i].ino : 0);
			assert_int_equal(got[i].type, next == 2 && nodes ? 10 : 8);
		}
	}
	assert_int_equal(next, files + 2);
}

/* 400 names: one message. */
static void one_message(void **state)
{
	asked = 0;
	rest(0, 0, 0, true);
	assert_int_equal(asked, 1);
	assert_int_equal(plus_asked, CCFS_READDIR_PLUS);
	balanced();
	piece(DIR_NODE, 0);
	/* the link is the first of its piece, so its tale was not the last */
	files = 1;
	piece(DIR_NODE, 0);
	assert_string_equal(told_text, "v0-00002target");
	files = 400;
	balanced();
}

/* The owner's answers have less than all, and each goes on where the last ended. */
static void parts(void **state)
{
	version = 1;
	asked = 0;
	most = 90;
	gone = 70;
	rest(0, 0, 1, true);
	assert_int_equal(asked, 5);
	most = 100000;
	gone = -1;
	balanced();
}

/* An entry that FUSE has got comes without its node the next time. */
static void once(void **state)
{
	uint64_t off;
	int n;

	version = 2;
	off = piece(DIR_NODE, 0);
	n = ngot;
	assert_true(n > 10 && got[5].node);
	asked = 0;
	assert_int_equal(got[5].off, 6);
	piece(DIR_NODE, 6);
	assert_int_equal(asked, 0);
	assert_int_equal(got[0].node, 0);
	assert_int_equal(got[0].ino, FIRST + 2000 + 6);
	assert_int_equal(got[n - 7].node, 0);
	assert_int_not_equal(got[n - 6].node, 0);
	assert_true(off > 6);
	balanced();
}

/* Who begins sees what is there now, and so does from then on who had begun. */
static void begun_anew(void **state)
{
	uint64_t first, second;
	int n;

	version = 3;
	first = piece(DIR_NODE, 0);
	n = ngot;
	version = 4;
	asked = 0;
	second = piece(DIR_NODE, 0);
	assert_int_equal(asked, 1);
	assert_string_equal(got[3].name, "v4-00003");
	assert_int_equal(first, second);
	piece(DIR_NODE, first);
	assert_memory_equal(got[0].name, "v4-", 3);
	assert_int_equal(asked, 1);
	/* another directory is another one */
	piece(DIR_NODE + 1, first);
	assert_int_equal(asked, 2);
	assert_true(n > 10);
	told = 0;
	balanced();
}

static void *begin(void *arg)
{
	piece(DIR_NODE, (uintptr_t)arg);
	assert_memory_equal(got[0].name[0] == '.' ? got[3].name : got[0].name,
			    "v5-", 3);
	return NULL;
}

/*
 * An answer that was read before somebody else began, and comes after that, is
 * for him who asked. From offset 0 and from a later one.
 */
static void late(void **state)
{
	for (uintptr_t off = 0; off < 300; off += 200) {
		pthread_t t;

		version = 5;
		hold = true;
		assert_int_equal(pthread_create(&t, NULL, begin, (void *)off), 0);
		pthread_mutex_lock(&lock);
		while (!held)
			pthread_cond_wait(&change, &lock);
		version = 6;
		hold = false;
		pthread_mutex_unlock(&lock);
		rest(0, 0, 6, true);		/* overtakes: held waits for a signal */
		pthread_mutex_lock(&lock);
		pthread_cond_broadcast(&change);
		pthread_mutex_unlock(&lock);
		pthread_join(t, NULL);
		asked = 0;
		piece(DIR_NODE, off + 100);
		assert_memory_equal(got[0].name, "v6-", 3);
		assert_int_equal(asked, 1);
		balanced();
	}
}

/* FUSE did not take the piece, or the owner has sent half an answer or an error. */
static void failures(void **state)
{
	version = 0;
	lost = true;
	piece(DIR_NODE, 0);
	lost = false;
	told = 0;
	balanced();
	fails = -ENOENT;
	piece(DIR_NODE, 0);
	assert_int_equal(error, ENOENT);
	fails = 0;
	pthread_mutex_lock(&lock);
	memset(uses, 0, sizeof(uses));
	memset(fuse_has, 0, sizeof(fuse_has));
	pthread_mutex_unlock(&lock);
	for (cut = 1; cut < 160; cut += 7) {
		files = 1;
		piece(DIR_NODE, 0);
		assert_int_equal(error, EIO);
	}
	cut = 0;
	files = 400;
	listings_expire(&fs, watch_now_ms() + LISTING_MS + 1);
	settle();
	memset(uses, 0, sizeof(uses));
	memset(fuse_has, 0, sizeof(fuse_has));
	rest(0, 0, 0, true);
	balanced();
}

/* Too many directories at a time: the first ones go, and are asked for again. */
static void too_many(void **state)
{
	uint64_t off = 0;

	asked = 0;
	for (int i = 0; i <= LISTINGS; i++)
		off = piece(DIR_NODE + i, 0);
	assert_int_equal(asked, LISTINGS + 1);
	piece(DIR_NODE + LISTINGS, off);
	assert_int_equal(asked, LISTINGS + 1);
	piece(DIR_NODE, off);
	assert_int_equal(asked, LISTINGS + 2);
	balanced();
}

/* READDIR: as FUSE asks, the owner is asked, each time and without nodes. */
static void plain(void **state)
{
	static const bool plus;
	uint64_t off = 0;
	int n = 0;

	asked = 0;
	do {
		op_readdir((fuse_req_t)&plus, DIR_NODE, PIECE, off, NULL);
		assert_int_equal(error, 0);
		n += ngot;
		off = ngot ? got[ngot - 1].off : off;
	} while (ngot);
	assert_int_equal(n, 402);
	assert_true(asked > 5);
	assert_int_equal(plus_asked, 0);
	balanced();
}

/* What may be older than what FUSE has is a bare name, unless it comes at once. */
static void written_since(void **state)
{
	uint64_t off;
	int nodes = 0;

	written = 40;
	off = piece(DIR_NODE, 0);
	assert_int_equal(got[3].node, FIRST + 1000 * version + 3);
	assert_true(off < 40);
	while (off < 40)
		off = piece(DIR_NODE, off);
	for (int i = 0; i < ngot; i++)
		if (got[i].off == 41)
			assert_int_equal(got[i].node, 0);
		else
			nodes += got[i].node != 0;
	assert_true(nodes);
	written = -1;
	balanced();
}

/* After a change of our own FUSE gets no node from before it. */
static void changed_since(void **state)
{
	uint64_t off = piece(DIR_NODE, 0);
	int before = asked;

	assert_int_not_equal(got[ngot - 1].node, 0);
	listings_changed(&fs, DIR_NODE + 1);
	off = piece(DIR_NODE, off);
	assert_int_not_equal(got[ngot - 1].node, 0);
	listings_changed(&fs, DIR_NODE);
	piece(DIR_NODE, off);
	assert_true(ngot > 0);
	for (int i = 0; i < ngot; i++)
		assert_int_equal(got[i].node, 0);
	assert_int_equal(asked, before);
	piece(DIR_NODE, 0);
	assert_int_not_equal(got[ngot - 1].node, 0);
	balanced();
}

/* What is long for this image's memory comes as names, from some answer on. */
static void long_one(void **state)
{
	const size_t max = fs.listings.plus_max;
	uint64_t off = 0, last;
	int nodes = 0, names = 0;

	fs.listings.plus_max = 250;
	most = 120;
	asked = 0;
	do {
		last = off;
		off = piece(DIR_NODE, off);
		for (int i = 0; i < ngot; i++) {
			names++;
			nodes += got[i].node != 0;
			assert_int_equal(got[i].node != 0, got[i].off > 2 && got[i].off <= 360);
		}
	} while (off != last);
	assert_int_equal(names, files + 2);
	assert_int_equal(nodes, 358);
	assert_int_equal(asked, 4);
	assert_int_equal(plus_asked, 0);
	fs.listings.plus_max = max;
	most = 100000;
	balanced();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_message),
		cmocka_unit_test(parts),
		cmocka_unit_test(once),
		cmocka_unit_test(begun_anew),
		cmocka_unit_test(late),
		cmocka_unit_test(failures),
		cmocka_unit_test(too_many),
		cmocka_unit_test(plain),
		cmocka_unit_test(written_since),
		cmocka_unit_test(changed_since),
		cmocka_unit_test(long_one),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

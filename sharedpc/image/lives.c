// SPDX-License-Identifier: GPL-2.0-only
/*
 * lives.c - which lives of the images have begun, and ended for certain
 *
 * A life is one run of an image's kernel, and has a number.  Whether it has ended only the
 * boot image knows, which starts and stops CPUs; an image's slot is the image's
 * own word, which a wild store of its may have written.  So the boot image keeps books, and
 * the others know what it tells them:
 *
 *	LIFE	which life is that image in?  Or: stop it (FENCE)
 *	LIVES	.. the answer, and with it the verdict: stopped, or not
 *	LEAVE	that life has ended: let go of all that you had of it, and all that it had
 *	LEFT	.. done; or not yet (EBUSY)
 *
 * Before all have LEFT nothing of a life that has ended is used again: its kernel's
 * successor makes the frames that the others had mapped its own.  Who holds some for
 * I/O keeps it from being started again; who is silent is fenced.
 *
 * Messages may get lost: who waits for an answer asks again, and none does harm when it
 * comes twice or late, since it names the life.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "box/ctl.h"
#include "box/region.h"
#include "image/lives.h"
#include "link/peer.h"
#include "sharedpc_limits.h"

#define LOOK	(HZ / 20)		/* between looks */
#define SECOND	20			/* looks */

static u32 begun[SHAREDPC_IMAGES_MAX];	/* the last life that has begun ... */
static u32 ended[SHAREDPC_IMAGES_MAX];	/* ... and that has ended for certain */
static void (*let_go)(u32 id);

/* Bottom halves off: all below. */
static DEFINE_SPINLOCK(lock);

/* A LIFE that waits for its answer. */
struct ask {
	struct list_head node;
	u32 serial;
	int error;
	struct completion done;
};

static LIST_HEAD(asks);
static u32 last_serial;

/* Boot image: @asker wants to have @id stopped.  Of a queue of its own: who asks has locks. */
struct fencing {
	struct work_struct work;
	u32 asker, id;
	u32 epoch, serial;	/* lock */
};

static struct fencing fencing[SHAREDPC_IMAGES_MAX][SHAREDPC_IMAGES_MAX];
static struct workqueue_struct *queue;
static int (*fence_fn)(u32 id, u32 epoch);
static DECLARE_RWSEM(fence_lock);	/* fence_fn against its unregistration */

/* Boot image: who has LEFT, by the image that has ended. */
struct leaving {
	u32 epoch;				/* of the life; 0: nobody waits */
	bool left[SHAREDPC_IMAGES_MAX];
	u32 asked[SHAREDPC_IMAGES_MAX];		/* times, without an answer */
	bool hopeless[SHAREDPC_IMAGES_MAX];	/* could not be fenced: said once */
	bool news;				/* of one of them */
	bool idle, looked;			/* nobody here uses its frames; we have looked */
};

static struct leaving leaving[SHAREDPC_IMAGES_MAX];
static u32 met[SHAREDPC_IMAGES_MAX];	/* the life in which we saw it up */
static DECLARE_WAIT_QUEUE_HEAD(left_wait);

/* Elsewhere: what has to be let go of, and has been. */
struct letting {
	struct work_struct work;
	u32 id;
	u32 wanted, done;	/* epoch; lock */
};

static struct letting letting[SHAREDPC_IMAGES_MAX];

u32 lives_now(u32 id)
{
	return READ_ONCE(begun[id]);
}

bool lives_ended(u32 id, u32 epoch)
{
	/* Pairs with note_ended: its last stores are seen. */
	return epoch <= smp_load_acquire(&ended[id]);
}

/* Under lock. */
static void note_ended(u32 id, u32 epoch)
{
	if (epoch <= ended[id])
		return;
	/* Pairs with lives_ended. */
	smp_store_release(&ended[id], epoch);
}

/* Send @msg to the boot image until it has answered, for @seconds. */
static int ask_boot(struct sharedpc_msg *msg, u32 seconds)
{
	struct ask a = { .error = -ETIMEDOUT };
	int err = -EAGAIN;
	u32 i;

	init_completion(&a.done);
	spin_lock_bh(&lock);
	a.serial = ++last_serial;
	list_add(&a.node, &asks);
	spin_unlock_bh(&lock);
	msg->slot = a.serial;
	for (i = 0; i < seconds * SECOND && err != -ENOTCONN; i++) {
		if (err == -EAGAIN || !(i % (LIMIT_RESEND_S * SECOND)))
			err = peer_send(SHAREDPC_BOOT, msg, NULL, 0);
		if (wait_for_completion_timeout(&a.done, LOOK))
			break;
	}
	spin_lock_bh(&lock);
	list_del(&a.node);
	err = err == -ENOTCONN ? err : a.error;
	spin_unlock_bh(&lock);
	return err;
}

int lives_learn(u32 id)
{
	struct sharedpc_msg msg = { .type = SHAREDPC_MSG_LIFE, .pos = id };

	if (ctl_is_boot() || id == SHAREDPC_BOOT)
		return 0;
	return ask_boot(&msg, LIMIT_LIFE_S);
}

/* Soft interrupt. */
void lives_told(u32 image, const struct sharedpc_msg *msg)
{
	struct ask *a;

	if (image != SHAREDPC_BOOT || msg->pos >= ctl_nr_images)
		return;
	spin_lock_bh(&lock);
	if (msg->count > begun[msg->pos])
		WRITE_ONCE(begun[msg->pos], msg->count);
	note_ended(msg->pos, msg->data);
	list_for_each_entry(a, &asks, node) {
		if (a->serial != msg->slot)
			continue;
		a->error = msg->error;
		complete(&a->done);
	}
	spin_unlock_bh(&lock);
}

static int fence_here(u32 id, u32 epoch)
{
	int err = -ENODEV;

	/* One that has not begun cannot be said to have ended. */
	if (!epoch || epoch > lives_now(id) || id == SHAREDPC_BOOT)
		return -ESRCH;
	down_read(&fence_lock);
	if (fence_fn)
		err = fence_fn(id, epoch);
	up_read(&fence_lock);
	peer_kick();
	return err;
}

int lives_fence(u32 id, u32 epoch)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_LIFE, .flags = SHAREDPC_LIFE_FENCE,
		.pos = id, .count = epoch,
	};
	int err;

	if (ctl_is_boot())
		return fence_here(id, epoch);
	err = ask_boot(&msg, LIMIT_FENCE_ASK_S);
	if (err)
		return err;
	spin_lock_bh(&lock);
	note_ended(id, epoch);
	spin_unlock_bh(&lock);
	return 0;
}

void lives_set_fence(int (*fence)(u32 id, u32 epoch))
{
	down_write(&fence_lock);
	fence_fn = fence;
	up_write(&fence_lock);
}

/* To who asked for @id by @serial. */
static void answer(u32 asker, u32 id, u32 serial, int error)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_LIVES, .slot = serial, .pos = id,
		.count = lives_now(id), .data = READ_ONCE(ended[id]), .error = error,
	};

	/* If it does not get there it is asked for again. */
	peer_send(asker, &msg, NULL, 0);
}

static void fencing_work(struct work_struct *work)
{
	struct fencing *f = container_of(work, struct fencing, work);
	u32 epoch, serial;
	int err;

	spin_lock_bh(&lock);
	epoch = f->epoch;
	serial = f->serial;
	spin_unlock_bh(&lock);
	pr_err("image %s asks for the end of image %s\n", ctl_name(f->asker), ctl_name(f->id));
	err = fence_here(f->id, epoch);
	answer(f->asker, f->id, serial, err);
}

/* Soft interrupt. */
void lives_asked(u32 image, const struct sharedpc_msg *msg)
{
	struct fencing *f;

	if (!ctl_is_boot() || msg->pos >= ctl_nr_images || msg->pos == image)
		return;
	if (!(msg->flags & SHAREDPC_LIFE_FENCE) || lives_ended(msg->pos, msg->count)) {
		answer(image, msg->pos, msg->slot, 0);
		return;
	}
	f = &fencing[image][msg->pos];
	spin_lock_bh(&lock);
	f->epoch = msg->count;
	f->serial = msg->slot;
	spin_unlock_bh(&lock);
	queue_work(queue, &f->work);
}

u32 lives_begin(u32 id)
{
	u32 epoch = begun[id] + 1;

	WRITE_ONCE(begun[id], epoch);
	return epoch;
}

void lives_met(u32 id)
{
	WRITE_ONCE(met[id], lives_now(id));
}

/* May image @w have something of @id, or the other way round? */
static bool concerned(u32 w, u32 id)
{
	if (w == id || w == SHAREDPC_BOOT || lives_ended(w, lives_now(w)) ||
	    (!ctl_is_owner(w) && !ctl_is_owner(id)))
		return false;
	/* Not before it was up; which it may be a little before we see it. */
	return READ_ONCE(met[w]) == lives_now(w) ||
	       READ_ONCE(ctl_slot(w)->state) == SHAREDPC_READY;
}

/* Soft interrupt: @image has let go of @msg->pos, or (an error) not yet. */
void lives_left(u32 image, const struct sharedpc_msg *msg)
{
	struct leaving *l;

	if (!ctl_is_boot() || msg->pos >= ctl_nr_images)
		return;
	l = &leaving[msg->pos];
	spin_lock_bh(&lock);
	if (l->epoch == msg->count) {
		l->asked[image] = 0;
		l->left[image] = !msg->error;
		WRITE_ONCE(l->news, true);
	}
	spin_unlock_bh(&lock);
	wake_up(&left_wait);
}

/*
 * Image @w is silent: stop it.  One that cannot be stopped keeps what it may have of an owner
 * for ever; of another image it has nothing that a new life would use.
 */
static bool stopped(u32 w, u32 id)
{
	struct leaving *l = &leaving[id];

	if (!l->hopeless[w])
		pr_err("image %s does not let go of image %s: fencing it\n", ctl_name(w),
		       ctl_name(id));
	l->asked[w] = 0;
	if (!fence_here(w, lives_now(w)))
		return true;
	if (!l->hopeless[w])
		pr_err("image %s cannot be fenced\n", ctl_name(w));
	l->hopeless[w] = true;
	return !ctl_is_owner(id);
}

/* Has image @w left?  It is asked each second (@ask), and fenced when it is silent. */
static bool has_left(u32 w, u32 id, bool ask)
{
	struct leaving *l = &leaving[id];
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_LEAVE, .pos = id, .count = l->epoch,
	};

	if (!concerned(w, id) || READ_ONCE(l->left[w]) ||
	    (l->hopeless[w] && !ctl_is_owner(id)))
		return true;
	if (!ask)
		return false;
	/* What counts is how often it was asked, not how long that took us. */
	if (READ_ONCE(l->asked[w]) >= LIMIT_REVOKE_S)
		return stopped(w, id);
	WRITE_ONCE(l->asked[w], l->asked[w] + 1);
	peer_send(w, &msg, NULL, 0);
	return false;
}

static bool all_have_left(u32 id, bool ask)
{
	struct leaving *l = &leaving[id];
	bool all = peer_settled(id);
	u32 w;

	for (w = 0; w < ctl_nr_images; w++)
		all &= has_left(w, id, ask);
	if (!all || l->idle)
		return all;
	/* All frames are looked at: at once, then seldom. */
	if (ask || !l->looked)
		l->idle = region_idle(id);
	l->looked = true;
	return l->idle;
}

void lives_end(u32 id)
{
	spin_lock_bh(&lock);
	note_ended(id, begun[id]);
	spin_unlock_bh(&lock);
}

void lives_let_go(u32 id)
{
	struct leaving *l = &leaving[id];
	unsigned long begin, next;
	bool ask, said = false;

	peer_settle(id);
	let_go(id);
	spin_lock_bh(&lock);
	memset(l, 0, sizeof(*l));
	l->epoch = begun[id];
	spin_unlock_bh(&lock);
	begin = jiffies;
	for (next = begin; ; ) {
		ask = time_after_eq(jiffies, next);
		if (ask)
			next = jiffies + HZ;
		if (all_have_left(id, ask))
			break;
		if (!said && time_after(jiffies, begin + LIMIT_LEAVE_S * HZ)) {
			pr_notice("image %s: others still use what it had, it cannot be started again yet\n",
				  ctl_name(id));
			said = true;
		}
		wait_event_timeout(left_wait, READ_ONCE(l->news), LOOK);
		WRITE_ONCE(l->news, false);
	}
	spin_lock_bh(&lock);
	l->epoch = 0;
	spin_unlock_bh(&lock);
}

static void letting_work(struct work_struct *work)
{
	struct letting *t = container_of(work, struct letting, work);
	struct sharedpc_msg msg = { .type = SHAREDPC_MSG_LEFT, .pos = t->id };
	u32 done;

	spin_lock_bh(&lock);
	msg.count = t->wanted;
	done = t->done;
	spin_unlock_bh(&lock);
	/* Once it is done another life may have begun. */
	if (done < msg.count) {
		let_go(t->id);
		if (!region_idle(t->id))
			msg.error = -EBUSY;
	}
	if (!msg.error) {
		spin_lock_bh(&lock);
		t->done = msg.count;
		spin_unlock_bh(&lock);
	}
	peer_send(SHAREDPC_BOOT, &msg, NULL, 0);
}

/* The listening thread. */
void lives_leave(u32 image, const struct sharedpc_msg *msg)
{
	u32 id = msg->pos, epoch = msg->count;

	if (image != SHAREDPC_BOOT || msg->pos >= ctl_nr_images || id == ctl_self ||
	    id == SHAREDPC_BOOT)
		return;
	spin_lock_bh(&lock);
	if (epoch > begun[id])
		WRITE_ONCE(begun[id], epoch);
	note_ended(id, epoch);
	letting[id].wanted = max(letting[id].wanted, epoch);
	spin_unlock_bh(&lock);
	peer_end(id, epoch);
	queue_work(queue, &letting[id].work);
}

int lives_init(void (*go)(u32 id))
{
	u32 i, j;

	let_go = go;
	last_serial = get_random_u32();
	begun[SHAREDPC_BOOT] = 1;
	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++) {
		letting[i].id = i;
		INIT_WORK(&letting[i].work, letting_work);
		for (j = 0; j < SHAREDPC_IMAGES_MAX; j++) {
			fencing[i][j].asker = i;
			fencing[i][j].id = j;
			INIT_WORK(&fencing[i][j].work, fencing_work);
		}
	}
	/* Others wait for it with locks of file systems, and for no memory. */
	queue = alloc_workqueue("sharedpc-lives", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND,
				WQ_MAX_ACTIVE);
	return queue ? 0 : -ENOMEM;
}

void lives_exit(void)
{
	destroy_workqueue(queue);
}

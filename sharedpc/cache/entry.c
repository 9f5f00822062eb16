// SPDX-License-Identifier: GPL-2.0-only
/*
 * entry.c - names: revalidation and look-up
 *
 * What is remembered of a name is in its dentry's d_time:
 *
 *	63	62	61	60..39		38..0
 *	KEPT	MOVING	NEGATIVE index of word	value of the word
 *
 * KEPT: as long as the word is what it was, the name means this inode, or
 * (NEGATIVE) nothing.  It holds only while the dentry is of that kind: one that
 * has become negative meanwhile is asked about.  MOVING: the dentry is about to
 * get another name; the low 32 bits are the hash of the old one.
 *
 * A word's value is read before the owner is asked, and is noted only if the
 * dentry still has the name that was asked for and nobody has noted anything
 * meanwhile.  Look-ups and changes have the parent locked; a revalidation has
 * not, so a rename of ours can overtake it: between the owner's answer and
 * d_move the old name must not be vouched for, since nobody would count its
 * word when the new one changes.  That is what MOVING is for.
 *
 * A directory's dentry is also moved by d_splice_alias, inside FUSE, when an
 * answer (maybe an old one, of a listing) shows the directory somewhere else. So
 * a note of a directory is good only at the place where it was made, which the
 * directory's only dentry leaves in its cache_inode, and is made only if the
 * dentry is still where the owner was asked about. And who has found the dentry by
 * its old name and comes here after the move would be told that it is good, by
 * its new one (an RCU walk looks at d_seq again, others do not, and this kernel
 * does not say by which name they came): before a note at the new place and for a
 * second after it they are sent back to look again, once.
 */
#include <linux/delay.h>
#include <linux/namei.h>
#include <linux/posix_acl.h>
#include <linux/sched/signal.h>
#include "cache/cache.h"

#define KEPT		(1ULL << 63)
#define MOVING		(1ULL << 62)
#define NEGATIVE	(1ULL << 61)
#define GEN_BITS	39
#define GEN_MASK	((1ULL << GEN_BITS) - 1)
#define INDEX_MASK	((1ULL << 22) - 1)
#define MOVED		HZ	/* between finding a dentry and asking whether it is good */
#define SPLICE_WAIT	(10 * HZ)	/* for those who move something, in turns */
#define SPLICE_CONTENDED HZ	/* for one of them, who may wait for us */

static u64 note(struct entry_word word, bool negative)
{
	if (!word.gen)
		return 0;
	return KEPT | (negative ? NEGATIVE : 0) | (u64)word.index << GEN_BITS |
	       (word.gen & GEN_MASK);
}

/*
 * The VFS looks at a file's owner and mode by itself, before anybody asks us: who
 * may delete from a sticky directory, set a time, open with O_NOATIME.  So a name
 * is good only with what it names, if that was known; in a sticky directory
 * always.  Asking for the name brings the attributes.
 */
static bool is_outdated(const struct dentry *d, const struct inode *inode)
{
	const struct cache_inode *ci = cache_inode(inode);
	const struct inode *dir;
	bool outdated = false;

	rcu_read_lock();
	dir = d_inode_rcu(READ_ONCE(d->d_parent));
	if (ci && !cache_known(inode))
		outdated = rcu_access_pointer(ci->known) ||
			   (dir && READ_ONCE(dir->i_mode) & S_ISVTX);
	rcu_read_unlock();
	return outdated;
}

/* Is @d, a directory's, at the place that was noted? */
static bool place_is_noted(const struct cache_inode *ci, const struct dentry *d)
{
	return READ_ONCE(ci->parent) == READ_ONCE(d->d_parent) &&
	       READ_ONCE(ci->hash_len) == READ_ONCE(d->d_name.hash_len);
}

/* With d_lock: note @note, and where a directory is. */
static void entry_set(struct dentry *d, u64 note)
{
	struct cache_inode *ci = d_is_dir(d) ? cache_inode(d_inode(d)) : NULL;

	if (ci) {
		WRITE_ONCE(d->d_time, 0);
		/* Pairs with entry_is_here: nobody sees the old note and the new place. */
		smp_wmb();
		if (ci->parent && !place_is_noted(ci, d))
			WRITE_ONCE(ci->moved, jiffies);
		WRITE_ONCE(ci->parent, d->d_parent);
		WRITE_ONCE(ci->hash_len, d->d_name.hash_len);
		/* Nor the new note and the old place. */
		smp_wmb();
	}
	WRITE_ONCE(d->d_time, note);
}

/* Is @d where it was when @note was made? */
static bool entry_is_here(const struct dentry *d, const struct inode *inode, u64 note)
{
	const struct cache_inode *ci;

	if (!S_ISDIR(inode->i_mode))
		return true;
	ci = cache_inode(inode);
	/* Pairs with entry_set: the place is at least as new as the note. */
	smp_rmb();
	if (!ci || !place_is_noted(ci, d))
		return false;
	/* If it is newer, the note has changed. */
	smp_rmb();
	return READ_ONCE(d->d_time) == note;
}

/* May be called in RCU walk. */
static bool entry_fresh(const struct dentry *d)
{
	const struct cache_mount *m = cache_mount_of(d->d_sb);
	const struct inode *inode = d_inode_rcu(d);
	u64 t = READ_ONCE(d->d_time);

	if (!(t & KEPT) || cache_useless(m) || !(t & NEGATIVE) != !!inode)
		return false;
	if ((words_read(&m->words.names[t >> GEN_BITS & INDEX_MASK]) ^ t) & GEN_MASK)
		return false;
	return !inode || (entry_is_here(d, inode, t) && !is_outdated(d, inode));
}

struct entry_word entry_word(const struct inode *dir, const struct qstr *name)
{
	const struct cache_mount *m = cache_mount_of(dir->i_sb);
	const struct cache_inode *ci = cache_inode(dir);
	struct entry_word word = { 0 };

	if (!ci || !READ_ONCE(ci->names) || cache_useless(m))
		return word;
	word.index = words_name(&m->words, ci->ino, name->name, name->len);
	word.gen = words_read(&m->words.names[word.index]);
	return word;
}

/* A new dentry's d_time is what was there before. */
int cache_d_init(struct dentry *d)
{
	d->d_time = 0;
	return 0;
}

static bool same_name(const struct dentry *d, const struct qstr *name)
{
	return d->d_name.len == name->len && !memcmp(d->d_name.name, name->name, name->len);
}

/* What a revalidation has to begin with, read at one moment. */
struct asking {
	struct dentry *parent;
	struct name_snapshot name;
	u64 note;			/* d_time at that moment */
	bool moving;			/* d_move has yet to come */
	struct entry_word word;
};

static void asking_begin(struct asking *a, struct dentry *d)
{
	a->parent = dget_parent(d);
	take_dentry_name_snapshot(&a->name, d);
	spin_lock(&d->d_lock);
	a->note = d->d_time;
	a->moving = (a->note & MOVING) && (u32)a->note == d->d_name.hash;
	spin_unlock(&d->d_lock);
	a->word = entry_word(d_inode(a->parent), &a->name.name);
}

/* The owner said that the name means what @d names. */
static void asking_keep(struct asking *a, struct dentry *d)
{
	spin_lock(&d->d_lock);
	if (!a->moving && d->d_time == a->note && d->d_parent == a->parent &&
	    same_name(d, &a->name.name))
		entry_set(d, note(a->word, false));
	spin_unlock(&d->d_lock);
}

/* The name was told, too: we know better already. */
static void asking_told(const struct asking *a, struct dentry *d)
{
	struct cache_inode *di = cache_inode(d_inode(a->parent));
	struct told_name name;

	if (di)
		told_take_name(&cache_mount_of(d->d_sb)->told, di->node, &a->name.name, &name);
}

static void asking_end(struct asking *a)
{
	release_dentry_name_snapshot(&a->name);
	dput(a->parent);
}

/*
 * As d_revalidate; -EAGAIN: FUSE is to ask.  Only a name that means something else is not
 * good any more: 0 takes it away from all who use it, with what is mounted below.
 */
static int asking_direct(const struct asking *a, struct inode *inode)
{
	u64 turn = show_turn(inode);
	struct sharedpc_tale tale;
	struct known said;
	int err = DIRECT_NOT;

	if (show_may_ask(inode))
		err = direct_revalidate(d_inode(a->parent), &a->name.name, inode, &tale);
	switch (err) {
	case DIRECT_NOT:
		return -EAGAIN;
	case -ENOENT:
	case -ESTALE:
	case -ENOTDIR:
		return 0;
	case 0:
		forget_all_cached_acls(inode);	/* as FUSE does */
		cache_said(inode, &tale, turn, &said);
		heard_note(inode, &tale);
		return 1;
	}
	return err;
}

/* FUSE takes any error for 0: so who may not look there must not come so far. */
static int asking_may(const struct asking *a)
{
	struct inode *dir = d_inode(a->parent);
	const struct cache_inode *di = cache_inode(dir);

	if (!di || READ_ONCE(di->names))
		return 0;
	return cache_fuse_iops(dir)->permission(&nop_mnt_idmap, dir, MAY_EXEC | MAY_ACCESS);
}

static int asking_fuse(const struct asking *a, struct dentry *d, unsigned int flags)
{
	struct inode *inode = d_inode(d);
	u64 turn = show_turn(inode);
	int ret = asking_may(a);

	if (ret)
		return ret;
	ret = cache_mount_of(d->d_sb)->fuse_d_op->d_revalidate(d, flags);
	if (ret > 0)
		ret = cache_adopt(inode) ?: 1;
	if (ret > 0)
		cache_learn(inode, turn);
	asking_told(a, d);
	return ret;
}

static bool asking_moved(const struct asking *a, struct dentry *d)
{
	bool moved;

	spin_lock(&d->d_lock);
	moved = a->moving || d->d_time & MOVING || d->d_parent != a->parent ||
		!same_name(d, &a->name.name);
	spin_unlock(&d->d_lock);
	return moved;
}

static int entry_ask(struct dentry *d, unsigned int flags)
{
	struct asking a;
	int ret;

	asking_begin(&a, d);
	ret = asking_direct(&a, d_inode(d));
	if (ret == -EAGAIN)
		ret = asking_fuse(&a, d, flags);
	if (ret > 0)
		asking_keep(&a, d);
	/* What is gone is a name that it may not have any more. */
	if (!ret && !(flags & LOOKUP_REVAL) && asking_moved(&a, d))
		ret = -ESTALE;
	asking_end(&a);
	return ret;
}

/*
 * A directory that an answer has moved: a moment ago, or since the last note, or maybe
 * before the first.
 */
static bool just_moved(const struct dentry *d)
{
	const struct inode *inode = d_inode(d);
	const struct cache_inode *ci;

	if (!inode || !S_ISDIR(inode->i_mode))
		return false;
	ci = cache_inode(inode);
	if (!ci)
		return false;
	return !place_is_noted(ci, d) ||
	       (READ_ONCE(ci->moved) &&
		time_before(jiffies, READ_ONCE(ci->moved) + MOVED));
}

int cache_revalidate(struct dentry *d, unsigned int flags)
{
	/* Once: the walk with LOOKUP_REVAL has to end. */
	bool may_send_back = !(flags & (LOOKUP_RCU | LOOKUP_REVAL));
	bool moved = may_send_back && just_moved(d);
	bool fresh = !(flags & LOOKUP_REVAL) && entry_fresh(d);
	int ret = 1;

	if (flags & LOOKUP_RCU && !fresh)
		return -ECHILD;
	cache_count(cache_mount_of(d->d_sb), fresh ? CACHE_NAME_HIT : CACHE_NAME_ASK);
	if (!fresh)
		ret = d_inode(d) ? entry_ask(d, flags) : 0;
	/* It may have been moved until now. */
	if (ret > 0 && may_send_back && (moved || just_moved(d)))
		return -ESTALE;
	return ret;
}

/* Where a name is; @name may not change. */
struct place {
	const struct dentry *parent;
	const struct qstr *name;
};

/* Note @note, unless @d is not at @at any more: it is noted by who has moved it. */
static void entry_note(struct dentry *d, const struct place *at, u64 note)
{
	spin_lock(&d->d_lock);
	if (d->d_parent == at->parent && d->d_name.hash_len == at->name->hash_len)
		entry_set(d, note);
	spin_unlock(&d->d_lock);
}

/* As entry_learn, of a dentry that is at @at or was there a moment ago. */
static int entry_learn_at(struct inode *dir, struct dentry *d, const struct place *at,
			  const struct entry_word *word, u64 turn)
{
	struct cache_mount *m = cache_mount_of(dir->i_sb);
	struct cache_inode *di = cache_inode(dir), *ci;
	struct inode *inode = d_inode(d);
	struct entry_word told_word = { 0 };
	struct told_name name;
	int err;

	if (!inode) {
		entry_note(d, at, word ? note(*word, true) : 0);
		return 0;
	}
	err = cache_adopt(inode);
	if (err)
		return err;
	cache_learn(inode, turn);
	ci = cache_inode(inode);
	if (di && ci && told_take_name(&m->told, di->node, at->name, &name) &&
	    name.node == ci->node) {
		told_word = entry_word(dir, at->name);
		if (told_word.gen)
			told_word.gen = name.gen;
	}
	entry_note(d, at, note(word && word->gen ? *word : told_word, false));
	return 0;
}

int entry_learn(struct inode *dir, struct dentry *d, u64 turn)
{
	return entry_learn_at(dir, d, &(struct place){ d->d_parent, &d->d_name }, NULL, turn);
}

/*
 * FUSE has taken a listing's attributes for new.  Whoever writes to the file here
 * may be ahead of them: what he has made of it is asked for.
 */
static void entry_repair(struct inode *inode)
{
	struct known k;

	if (S_ISREG(inode->i_mode) && inode_is_open_for_write(inode) && cache_inode(inode))
		cache_look(inode, &k);
}

static void entry_learn_one(struct dentry *dir, const struct told_name *told, u64 turn)
{
	struct qstr name = QSTR_INIT(told->name, told->len);
	struct place at = { dir, &name };
	struct entry_word word;
	struct dentry *d = d_hash_and_lookup(dir, &name);
	struct cache_inode *ci;

	if (IS_ERR_OR_NULL(d))
		return;
	if (d_inode(d) && !cache_adopt(d_inode(d))) {
		cache_learn(d_inode(d), turn);
		entry_repair(d_inode(d));
		ci = cache_inode(d_inode(d));
		word = entry_word(d_inode(dir), &name);
		if (ci && ci->node == told->node && word.gen && !entry_fresh(d)) {
			word.gen = told->gen;
			entry_note(d, &at, note(word, false));
		}
	}
	dput(d);
}

void entry_learn_all(struct dentry *dir, u64 turn)
{
	struct cache_mount *m = cache_mount_of(dir->d_sb);
	struct cache_inode *di = cache_inode(d_inode(dir));
	struct told_name name;

	while (di && told_take_name(&m->told, di->node, NULL, &name))
		entry_learn_one(dir, &name, turn);
}

/* Forget where the directory @node was, unless somebody uses it there. */
static void entry_prune(struct super_block *sb, u64 node)
{
	struct inode *inode = cache_find_inode(sb, node);
	struct dentry *d;

	if (!inode)
		return;
	d = d_find_any_alias(inode);
	if (d)
		shrink_dcache_parent(d);
	dput(d);
	d_prune_aliases(inode);
	iput(inode);
}

/* Who holds a lock, to compare with only; 0: nobody, or a reader who has left since. */
struct holder {
	long task;
	unsigned long since;	/* jiffies when he was not seen there yet */
};

/* Both have three bits of their own beside the task. */
static long mutex_holder(const struct mutex *lock)
{
	return atomic_long_read(&lock->owner) & ~7L;
}

static long rwsem_holder(const struct rw_semaphore *sem)
{
	return rwsem_is_locked((struct rw_semaphore *)sem) ?
		atomic_long_read(&sem->owner) & ~7L : 0;
}

static void holder_look(struct holder *h, long task)
{
	if (task && task == h->task)
		return;
	h->task = task;
	h->since = jiffies;
}

/* What a move to another place takes: the rename lock, and that of the old parent. */
struct splice {
	struct inode *inode;		/* what is moved */
	struct holder rename, parent;
	unsigned long begin;
};

static void splice_look(struct splice *s)
{
	struct dentry *alias = d_find_any_alias(s->inode), *parent;

	holder_look(&s->rename, mutex_holder(&s->inode->i_sb->s_vfs_rename_mutex));
	if (!alias)
		return;
	parent = dget_parent(alias);
	holder_look(&s->parent, rwsem_holder(&d_inode(parent)->i_rwsem));
	dput(parent);
	dput(alias);
}

/*
 * May a look-up in @dir, whose lock is held, wait for another task's locks?  Not for our
 * own; and not for long for a task that does not let go of one, if somebody waits for
 * @dir: he may be the one.  Tasks that take turns do not wait for us.
 */
static bool may_wait(const struct inode *dir, struct splice *s)
{
	unsigned long held = SPLICE_WAIT;

	if (rwsem_is_contended((struct rw_semaphore *)&dir->i_rwsem))
		held = SPLICE_CONTENDED;
	splice_look(s);
	return s->rename.task != (long)current &&
	       time_before(jiffies, s->rename.since + held) &&
	       time_before(jiffies, s->parent.since + held) &&
	       time_before(jiffies, s->begin + SPLICE_WAIT) &&
	       !fatal_signal_pending(current);
}

/*
 * Try again to have the directory @node moved to @d, until it is or that cannot be
 * waited for.  No need to ask again what it is: the word that the answer is noted with
 * was read before it.
 */
static struct dentry *splice_wait(struct inode *dir, struct dentry *d, u64 node)
{
	struct splice s = {
		.inode = cache_find_inode(dir->i_sb, node),
		.begin = jiffies,
	};
	struct dentry *new = ERR_PTR(-ESTALE);

	if (!s.inode)
		return new;
	s.rename.since = s.begin;
	s.parent.since = s.begin;
	while (new == ERR_PTR(-ESTALE) && may_wait(dir, &s)) {
		usleep_range(50, 100);
		ihold(s.inode);
		new = d_splice_alias(s.inode, d);
	}
	iput(s.inode);
	return new;
}

/*
 * A directory that has a dentry elsewhere is moved here by d_splice_alias, which
 * only tries the locks of that (__d_unalias) and else gives ESTALE: they are taken
 * for a message by each rename between directories, and by each change in the old
 * place.  A local file system never comes here, so ESTALE would be news to most.
 * Whoever has the locks is waited for; if that cannot be or does not help, the old
 * dentry has to go: then there is nothing to move.
 */
static struct dentry *lookup_spliced(struct inode *dir, struct dentry *d,
				     unsigned int flags)
{
	struct cache_mount *m = cache_mount_of(dir->i_sb);
	const struct cache_inode *di = cache_inode(dir);
	struct told_name told;
	struct dentry *new;

	new = cache_fuse_iops(dir)->lookup(dir, d, flags);
	/* What the owner has not told about it has refused. */
	if (new != ERR_PTR(-ESTALE) || !di ||
	    !told_take_name(&m->told, di->node, &d->d_name, &told))
		return new;
	new = splice_wait(dir, d, told.node);
	if (new != ERR_PTR(-ESTALE))
		return new;
	entry_prune(dir->i_sb, told.node);
	return cache_fuse_iops(dir)->lookup(dir, d, flags);
}

struct dentry *cache_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	struct entry_word word = entry_word(dir, &d->d_name);
	struct name_snapshot name;
	struct place at = { d->d_parent, &name.name };
	u64 turn = show_turn(dir);
	struct dentry *new;
	int err = 0;

	/* Somebody else's answer may move it as soon as it is hashed. */
	take_dentry_name_snapshot(&name, d);
	cache_count(cache_mount_of(d->d_sb), CACHE_NAME_ASK);
	new = lookup_spliced(dir, d, flags);
	if (!IS_ERR(new))
		err = entry_learn_at(dir, new ?: d, &at, &word, turn);
	release_dentry_name_snapshot(&name);
	if (!err)
		return new;
	dput(new);
	return ERR_PTR(err);
}

/*
 * The word went up by one, so by our change alone, which did count: nobody has
 * made the name again.
 */
void entry_gone(struct inode *dir, struct dentry *d, struct entry_word before)
{
	struct entry_word now = entry_word(dir, &d->d_name);

	if (!before.gen || now.gen != before.gen + 1)
		now.gen = 0;
	/* Not 0, which a revalidation on its way might have begun with. */
	spin_lock(&d->d_lock);
	entry_set(d, now.gen ? note(now, true) : NEGATIVE);
	spin_unlock(&d->d_lock);
}

void entry_moving(struct dentry *d, const struct dentry *to)
{
	struct cache_inode *ci = d_is_dir(d) ? cache_inode(d_inode(d)) : NULL;

	spin_lock(&d->d_lock);
	WRITE_ONCE(d->d_time, MOVING | d->d_name.hash);
	if (ci) {
		/* Pairs with entry_is_here.  Who is on his way may go either way. */
		smp_wmb();
		WRITE_ONCE(ci->parent, to->d_parent);
		WRITE_ONCE(ci->hash_len, to->d_name.hash_len);
	}
	spin_unlock(&d->d_lock);
}

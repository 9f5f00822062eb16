// SPDX-License-Identifier: GPL-2.0-only
/*
 * device.c - /dev/sharedpc: the calls of sharedpc_ioctl.h
 *
 * Nothing but argument copying and rights; the work is elsewhere.  An open
 * file becomes a server with SERVE, watches a file system with WATCH, is a
 * mount's with ATTACH, or speaks to a server with JOIN: each at most once, and for as
 * long as it is open.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "box/ctl.h"
#include "cache/mount.h"
#include "client/ask.h"
#include "serve/device.h"
#include "client/file.h"
#include "image/clock.h"
#include "link/peer.h"
#include "box/region.h"
#include "owner/quiet.h"
#include "owner/server.h"
#include "words/report.h"
#include "words/watch.h"

struct opened {
	struct mutex lock;		/* all below: set once */
	struct server *server;
	struct watch *watch;
	struct reports *reports;	/* with watch */
	struct cache_mount *mount;
	struct session *session;
	bool left;			/* no more of that */
};

static int device_open(struct inode *inode, struct file *file)
{
	struct opened *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return -ENOMEM;
	mutex_init(&o->lock);
	file->private_data = o;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct opened *o = file->private_data;

	if (o->mount)
		cache_detach(o->mount);
	if (o->server)
		server_close(o->server);
	if (o->reports)
		report_close(o->reports);
	if (o->watch)
		watch_close(o->watch);
	if (o->session)
		session_put(o->session);
	kfree(o);
	return 0;
}

static long do_info(const struct opened *o, void __user *arg)
{
	const struct server *s = READ_ONCE(o->server);
	struct sharedpc_info info = {
		.revision = SHAREDPC_REVISION,
		.self = ctl_self,
		.nr_images = ctl_nr_images,
		.region_node = region_node(),
		.region_pages = region_pages(),
		.free_pages = region_free(),
		.share = quota_share(),
		.room = s ? quota_room(s) : 0,
	};
	u32 i;

	for (i = 0; i < ctl_nr_images; i++)
		info.granted += server_granted(i);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long do_image(void __user *arg)
{
	struct sharedpc_image image;
	struct sharedpc_slot *slot;

	if (copy_from_user(&image, arg, sizeof(image)))
		return -EFAULT;
	if (image.id >= ctl_nr_images)
		return -EINVAL;
	slot = ctl_slot(image.id);
	image.state = READ_ONCE(slot->state);
	image.epoch = READ_ONCE(slot->epoch);
	image.stage = READ_ONCE(slot->stage);
	image.heartbeat = READ_ONCE(slot->heartbeat);
	image.granted = server_granted(image.id);
	strscpy_pad(image.name, slot->name, sizeof(image.name));
	strscpy_pad(image.last_words, slot->last_words, sizeof(image.last_words));
	return copy_to_user(arg, &image, sizeof(image)) ? -EFAULT : 0;
}

static long do_serve(struct opened *o, void __user *arg)
{
	struct sharedpc_serve want;
	struct server *s;
	long err = 0;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	mutex_lock(&o->lock);
	if (o->server) {
		err = -EINVAL;
		goto unlock;
	}
	s = server_open(&want);
	if (IS_ERR(s))
		err = PTR_ERR(s);
	if ((!err || err == -EBUSY) && copy_to_user(arg, &want, sizeof(want))) {
		if (!err)
			server_close(s);
		err = -EFAULT;
	}
	if (!err)
		WRITE_ONCE(o->server, s);
unlock:
	mutex_unlock(&o->lock);
	return err;
}

static long do_next(struct server *s, void __user *arg)
{
	struct sharedpc_reply reply = { .error = -EIO };
	struct sharedpc_call call;
	long err;

	if (copy_from_user(&call, arg, sizeof(call)))
		return -EFAULT;
	if (call.flags & ~SHAREDPC_NEXT_NAMES)
		return -EINVAL;
	err = request_next(s, &call);
	if (err)
		return err;
	if (!copy_to_user(arg, &call, sizeof(call)))
		return 0;
	reply.slot = call.slot;
	request_reply(s, &reply);
	return -EFAULT;
}

static long do_map(struct server *s, void __user *arg, bool add)
{
	struct sharedpc_map map;

	if (copy_from_user(&map, arg, sizeof(map)))
		return -EFAULT;
	return add ? map_add(s, &map) : map_remove(s, map.file, map.index);
}

static long do_grant(struct server *s, void __user *arg)
{
	struct sharedpc_grant grant;
	long err;

	if (copy_from_user(&grant, arg, sizeof(grant)))
		return -EFAULT;
	err = grant_frames(s, &grant);
	if (err == -EXDEV && copy_to_user(arg, &grant, sizeof(grant)))
		return -EFAULT;
	return err;
}

static long do_reply(struct server *s, void __user *arg)
{
	struct sharedpc_reply reply;

	if (copy_from_user(&reply, arg, sizeof(reply)))
		return -EFAULT;
	return request_reply(s, &reply);
}

static long do_size(struct server *s, void __user *arg, bool keep)
{
	struct sharedpc_size size;
	long err;

	if (copy_from_user(&size, arg, sizeof(size)))
		return -EFAULT;
	if (size.reserved)
		return -EINVAL;
	if (!keep)
		return size_drop(s, size.phys);
	err = size_keep(s, size.fd, &size);
	if (err)
		return err;
	if (!copy_to_user(arg, &size, sizeof(size)))
		return 0;
	size_drop(s, size.phys);
	return -EFAULT;
}

static long do_seal(struct server *s, void __user *arg)
{
	struct sharedpc_seal seal;
	long err;

	if (copy_from_user(&seal, arg, sizeof(seal)))
		return -EFAULT;
	err = seal_make(s, &seal);
	return err ?: copy_to_user(arg, &seal, sizeof(seal)) ? -EFAULT : 0;
}

static long do_lock(struct server *s, void __user *arg)
{
	struct sharedpc_lock lock;
	long err;

	if (copy_from_user(&lock, arg, sizeof(lock)))
		return -EFAULT;
	err = locking_serve(s, &lock);
	return err ?: copy_to_user(arg, &lock, sizeof(lock)) ? -EFAULT : 0;
}

static long do_unlock(struct server *s, void __user *arg)
{
	u64 mount;

	if (copy_from_user(&mount, arg, sizeof(mount)))
		return -EFAULT;
	locking_mount_ended(s, mount);
	return 0;
}

static long do_backing(struct opened *o, void __user *arg)
{
	struct cache_mount *mount = READ_ONCE(o->mount);
	struct sharedpc_backing backing;

	if (copy_from_user(&backing, arg, sizeof(backing)))
		return -EFAULT;
	if (backing.flags & ~SHAREDPC_BACKING_KEEP)
		return -EINVAL;
	return mount ? cache_backing(mount, &backing) : file_backing(&backing, NULL);
}

/* With the lock. */
static long watch_begin(struct opened *o, struct sharedpc_watch *want)
{
	struct watch *w = watch_open(want);
	struct reports *r;

	if (IS_ERR(w))
		return PTR_ERR(w);
	r = report_open(want->fd);
	if (IS_ERR(r)) {
		watch_close(w);
		return PTR_ERR(r);
	}
	WRITE_ONCE(o->reports, r);
	/* Who sees the one finds the other. */
	smp_store_release(&o->watch, w);
	return 0;
}

static long do_watch(struct opened *o, void __user *arg)
{
	struct sharedpc_watch want;
	long err;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	mutex_lock(&o->lock);
	err = o->watch ? -EINVAL : watch_begin(o, &want);
	mutex_unlock(&o->lock);
	/* Of no use then, and gone with the device. */
	return err ?: copy_to_user(arg, &want, sizeof(want)) ? -EFAULT : 0;
}

static long do_name(void __user *arg)
{
	struct sharedpc_name want;
	long err;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	err = watch_name(&want);
	if (!err && copy_to_user(arg, &want, sizeof(want)))
		return -EFAULT;
	return err;
}

static long do_look(const struct file *file, void __user *arg)
{
	struct sharedpc_look want;
	long err;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	err = watch_look(&want, file->f_cred);
	if (!err && copy_to_user(arg, &want, sizeof(want)))
		return -EFAULT;
	return err;
}

static long do_report(const struct opened *o, void __user *arg)
{
	struct sharedpc_report want;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	return report_want(o->reports, &want);
}

static long do_events(const struct opened *o, void __user *arg)
{
	struct sharedpc_events events;
	long err;

	if (copy_from_user(&events, arg, sizeof(events)))
		return -EFAULT;
	err = report_take(o->reports, &events);
	return err ?: copy_to_user(arg, &events, sizeof(events)) ? -EFAULT : 0;
}

static long do_attach(struct opened *o, void __user *arg)
{
	struct sharedpc_attach want;
	struct cache_mount *m;
	long err = 0;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	mutex_lock(&o->lock);
	if (o->mount) {
		err = -EINVAL;
	} else {
		m = cache_attach(&want);
		if (IS_ERR(m))
			err = PTR_ERR(m);
		else
			WRITE_ONCE(o->mount, m);
	}
	mutex_unlock(&o->lock);
	return err;
}

static long do_tell(struct opened *o, void __user *arg)
{
	struct cache_mount *m = READ_ONCE(o->mount);
	struct sharedpc_tell tell;

	if (!m)
		return -EINVAL;
	if (copy_from_user(&tell, arg, sizeof(tell)))
		return -EFAULT;
	return cache_tell(m, &tell);
}

static long do_real(struct opened *o, void __user *arg)
{
	struct cache_mount *m = READ_ONCE(o->mount);
	struct sharedpc_real real;

	if (!m)
		return -EINVAL;
	if (copy_from_user(&real, arg, sizeof(real)))
		return -EFAULT;
	return cache_real(m, &real);
}

static long do_hear(struct opened *o, void __user *arg)
{
	struct cache_mount *m = READ_ONCE(o->mount);
	s32 fd;

	if (!m)
		return -EINVAL;
	return get_user(fd, (s32 __user *)arg) ? -EFAULT : cache_hear(m, fd);
}

static long do_raise(struct opened *o, void __user *arg)
{
	struct cache_mount *m = READ_ONCE(o->mount);
	struct sharedpc_raise raise;

	if (!m)
		return -EINVAL;
	if (copy_from_user(&raise, arg, sizeof(raise)))
		return -EFAULT;
	return raise.reserved ? -EINVAL : cache_raise(m, &raise);
}

static long do_join(struct opened *o, void __user *arg)
{
	struct sharedpc_join want;
	struct session *s;
	long err = 0;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	if (want.reserved)
		return -EINVAL;
	mutex_lock(&o->lock);
	if (o->session) {
		err = -EINVAL;
	} else {
		s = session_get(want.owner, want.epoch, want.server);
		if (IS_ERR(s))
			err = PTR_ERR(s);
		else
			WRITE_ONCE(o->session, s);
	}
	mutex_unlock(&o->lock);
	return err;
}

static long do_ask(struct opened *o, void __user *arg)
{
	struct session *s = READ_ONCE(o->session);
	struct sharedpc_ask ask;
	long err;

	if (!s)
		return -EINVAL;
	if (READ_ONCE(o->left))
		return -ENOTCONN;
	if (copy_from_user(&ask, arg, sizeof(ask)))
		return -EFAULT;
	err = ask_run(s, &ask, &o->left);
	return err ?: put_user(ask.len, &((struct sharedpc_ask __user *)arg)->len);
}

static int do_clock(void __user *p)
{
	s64 ns;
	int err = clock_behind(&ns);

	return err ?: put_user(ns, (s64 __user *)p);
}

static long do_progress(void __user *arg)
{
	u32 stage;

	if (get_user(stage, (u32 __user *)arg))
		return -EFAULT;
	if (stage > SHAREDPC_STAGE_FAILED)
		return -EINVAL;
	WRITE_ONCE(ctl_slot(ctl_self)->stage, stage);
	return 0;
}

static long do_reopen(void __user *arg)
{
	struct sharedpc_reopen want;

	return copy_from_user(&want, arg, sizeof(want)) ? -EFAULT : quiet_reopen(&want);
}

static long do_hush(void __user *arg)
{
	s32 fd;

	return get_user(fd, (s32 __user *)arg) ? -EFAULT : quiet_hush(fd);
}

static long do_removed(const struct server *s, void __user *arg)
{
	struct sharedpc_removed removed;

	if (copy_from_user(&removed, arg, sizeof(removed)))
		return -EFAULT;
	return server_removed(s, &removed);
}

static long do_limit(struct server *s, void __user *arg)
{
	u64 limit;

	if (copy_from_user(&limit, arg, sizeof(limit)))
		return -EFAULT;
	WRITE_ONCE(s->limit, limit);
	return 0;
}

/* Calls of a proxy: only after SERVE, only in the process that said it. */
static long server_ioctl(struct opened *o, unsigned int cmd, void __user *arg)
{
	struct server *s = READ_ONCE(o->server);

	if (!s)
		return -EINVAL;
	if (s->mm != current->mm)
		return -EPERM;
	switch (cmd) {
	case SHAREDPC_IOC_NEXT:
		return do_next(s, arg);
	case SHAREDPC_IOC_MAP:
		return do_map(s, arg, true);
	case SHAREDPC_IOC_UNMAP:
		return do_map(s, arg, false);
	case SHAREDPC_IOC_GRANT:
		return do_grant(s, arg);
	case SHAREDPC_IOC_REPLY:
		return do_reply(s, arg);
	case SHAREDPC_IOC_SIZE:
		return do_size(s, arg, true);
	case SHAREDPC_IOC_UNSIZE:
		return do_size(s, arg, false);
	case SHAREDPC_IOC_SEAL:
		return do_seal(s, arg);
	case SHAREDPC_IOC_LOCK:
		return do_lock(s, arg);
	case SHAREDPC_IOC_UNLOCK:
		return do_unlock(s, arg);
	case SHAREDPC_IOC_LIMIT:
		return do_limit(s, arg);
	case SHAREDPC_IOC_REMOVED:
		return do_removed(s, arg);
	case SHAREDPC_IOC_REOPEN:
		return do_reopen(arg);
	case SHAREDPC_IOC_HUSH:
		return do_hush(arg);
	}
	return -ENOTTY;
}

/*
 * NAME, LOOK, REPORT and EVENTS: of who said WATCH, which took CAP_SYS_ADMIN.  The proxy acts
 * with a caller's rights when it needs them.
 */
static long watch_ioctl(struct file *file, unsigned int cmd, void __user *arg)
{
	struct opened *o = file->private_data;

	if (!smp_load_acquire(&o->watch))	/* pairs with watch_begin */
		return capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	switch (cmd) {
	case SHAREDPC_IOC_NAME:
		return do_name(arg);
	case SHAREDPC_IOC_LOOK:
		return do_look(file, arg);
	case SHAREDPC_IOC_REPORT:
		return do_report(o, arg);
	}
	return do_events(o, arg);
}

static long do_leave(struct opened *o)
{
	struct cache_mount *m = READ_ONCE(o->mount);

	WRITE_ONCE(o->left, true);
	if (m)
		cache_leave(m);
	return 0;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case SHAREDPC_IOC_INFO:
		return do_info(file->private_data, p);
	case SHAREDPC_IOC_IMAGE:
		return do_image(p);
	case SHAREDPC_IOC_NAME:
	case SHAREDPC_IOC_LOOK:
	case SHAREDPC_IOC_REPORT:
	case SHAREDPC_IOC_EVENTS:
		return watch_ioctl(file, cmd, p);
	}
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (cmd) {
	case SHAREDPC_IOC_SERVE:
		return do_serve(file->private_data, p);
	case SHAREDPC_IOC_BACKING:
		return do_backing(file->private_data, p);
	case SHAREDPC_IOC_PROGRESS:
		return do_progress(p);
	case SHAREDPC_IOC_CLOCK:
		return do_clock(p);
	case SHAREDPC_IOC_WATCH:
		return do_watch(file->private_data, p);
	case SHAREDPC_IOC_ATTACH:
		return do_attach(file->private_data, p);
	case SHAREDPC_IOC_TELL:
		return do_tell(file->private_data, p);
	case SHAREDPC_IOC_REAL:
		return do_real(file->private_data, p);
	case SHAREDPC_IOC_HEAR:
		return do_hear(file->private_data, p);
	case SHAREDPC_IOC_RAISE:
		return do_raise(file->private_data, p);
	case SHAREDPC_IOC_JOIN:
		return do_join(file->private_data, p);
	case SHAREDPC_IOC_ASK:
		return do_ask(file->private_data, p);
	case SHAREDPC_IOC_LEAVE:
		return do_leave(file->private_data);
	}
	return server_ioctl(file->private_data, cmd, p);
}

/* The client's bounce buffers: requests to be read, answers to be written. */
static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct server *s = READ_ONCE(((struct opened *)file->private_data)->server);
	unsigned long len = vma->vm_end - vma->vm_start;

	if (!s || vma->vm_pgoff || vma->vm_flags & VM_EXEC ||
	    len > SHAREDPC_BOUNCES * SHAREDPC_BOUNCE_SIZE)
		return -EINVAL;
	vm_flags_mod(vma, VM_IO | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(ctl_bounce_phys(s->client)),
			       len, vma->vm_page_prot);
}

/* Readable while there are EVENTS. */
static __poll_t device_poll(struct file *file, poll_table *wait)
{
	const struct opened *o = file->private_data;

	/* pairs with watch_begin */
	return smp_load_acquire(&o->watch) ? report_poll(o->reports, file, wait) : 0;
}

static const struct file_operations device_ops = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.release	= device_release,
	.unlocked_ioctl	= device_ioctl,
	.mmap		= device_mmap,
	.poll		= device_poll,
};

/* World-accessible: INFO and IMAGE are for everybody. */
static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "sharedpc",
	.mode	= 0666,
	.fops	= &device_ops,
};

int device_init(void)
{
	return misc_register(&device);
}

void device_exit(void)
{
	misc_deregister(&device);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - sharedpc.ko: one page cache for several kernels on one machine
 *
 * One module for all roles, and the only file that knows all of it: nothing below
 * calls up (tests/host/16-layers.sh).  The boot image formats the control area, the others
 * join it.  Each adds its own part of the region as a NUMA node, and may be an owner to the
 * others and their client at the same time.  Where a
 * page fault goes:
 *
 *	client	fault.c -> frames.c -> call.c -> ring.c, doorbell.c
 *	owner	peer.c -> request.c -> the proxy -> grant.c -> ring.c, doorbell.c
 *	client	peer.c -> call.c -> frames.c -> fault.c
 *
 * and where it is taken back:
 *
 *	owner	map.c -> revoke.c -> ring.c
 *	client	peer.c -> file.c -> frames.c
 */
#include <linux/module.h>
#include "client/call.h"
#include "tty/console.h"
#include "box/ctl.h"
#include "cache/mount.h"
#include "debug/debug.h"
#include "serve/device.h"
#include "client/file.h"
#include "client/frames.h"
#include "futex/futex.h"
#include "image/image.h"
#include "image/lives.h"
#include "image/pids.h"
#include "link/echo.h"
#include "link/peer.h"
#include "client/pinned.h"
#include "box/region.h"
#include "owner/server.h"
#include "vsock/socket.h"
#include "words/watch.h"
#include "words/words.h"

static uint self;
module_param(self, uint, 0444);
MODULE_PARM_DESC(self, "this image's id, 0: the boot image");
static unsigned long long ctl;
module_param(ctl, ullong, 0444);
MODULE_PARM_DESC(ctl, "physical address of the control area");
static unsigned long long ctl_size;
module_param(ctl_size, ullong, 0444);
MODULE_PARM_DESC(ctl_size, "its size in bytes");
static char *images = "";
module_param(images, charp, 0444);
MODULE_PARM_DESC(images, "boot image: names of all images by id, a,b,c");
static char *region = "";
module_param(region, charp, 0444);
MODULE_PARM_DESC(region, "boot image: the region's parts and their owners, start+size@id[,...]");
static char *slices = "";
module_param(slices, charp, 0444);
MODULE_PARM_DESC(slices, "boot image: the other images' memory, in the same way");

/* What a client says, to whom it is for. */
static void asked(u32 image, const struct sharedpc_msg *msg)
{
	switch (msg->type) {
	case SHAREDPC_OP_FAULT:
	case SHAREDPC_OP_WRITE:
	case SHAREDPC_OP_FSYNC:
	case SHAREDPC_OP_CLOSE:
	case SHAREDPC_OP_NAME:
	case SHAREDPC_OP_PUNCH:
		request_arrived(image, msg);
		break;
	case SHAREDPC_MSG_REVOKED:
		revoke_answered(image, msg);
		break;
	case SHAREDPC_MSG_KEPT:
		revoke_kept(image, msg);
		break;
	case SHAREDPC_MSG_RELEASED:
		kept_released(image, msg);
		break;
	case SHAREDPC_MSG_ECHO:
		echo_asked(image, msg);
		break;
	case SHAREDPC_MSG_LIFE:
		lives_asked(image, msg);
		break;
	case SHAREDPC_MSG_LEFT:
		lives_left(image, msg);
		break;
	case SHAREDPC_MSG_WAKE:
		futex_woken(image, msg);
		break;
	}
}

/* What an owner says, if somebody only has to be woken for it. */
static bool told_now(u32 image, const struct sharedpc_msg *msg)
{
	switch (msg->type) {
	case SHAREDPC_MSG_ECHOED:
		echo_answered(image, msg);
		return true;
	case SHAREDPC_MSG_LIVES:
		lives_told(image, msg);
		return true;
	case SHAREDPC_MSG_LOCKED:
		cache_locked(image, msg);
		return true;
	case SHAREDPC_MSG_DONE:
		return call_done_now(image, msg);
	}
	return false;
}

/* What else it says. */
static void told(u32 image, const struct sharedpc_frames *f, u32 nr)
{
	switch (f->msg.type) {
	case SHAREDPC_MSG_FRAMES:
		call_framed(image, &f->msg, f->frame, nr);
		break;
	case SHAREDPC_MSG_DONE:
		call_done(image, &f->msg);
		break;
	case SHAREDPC_MSG_REVOKE:
		file_revoke(image, &f->msg);
		if (f->msg.flags & SHAREDPC_REVOKE_END)
			futex_wake_all();	/* what they wait in is gone */
		break;
	case SHAREDPC_MSG_FREED:
		pinned_freed(image, &f->msg);
		break;
	case SHAREDPC_MSG_LEAVE:
		lives_leave(image, &f->msg);
		break;
	case SHAREDPC_MSG_REMOVED:
		cache_removed(image, &f->msg);
		break;
	default:	/* told_now(), but it was not the oldest then */
		told_now(image, &f->msg);
		break;
	}
}

static void came(u32 image)
{
	lives_met(image);
	futex_came(image);
	socket_kick();
}

static void went(u32 image)
{
	file_peer_went(image);
	futex_wake_all();	/* what they wait in may be gone */
	server_peer_went(image);
	socket_peer_went(image);
}

static void rung(void)
{
	socket_rung();
	tty_console_kick();
}

static void tick(void)
{
	u32 i;

	image_tick();
	futex_tick();
	socket_kick();	/* a doorbell may be lost, and a ring be in need of mending */
	for (i = 0; i < ctl_nr_images; i++)
		if (i != ctl_self && peer_up(i))
			call_resend(i);
}

static const struct peer_hooks hooks = {
	.asked		= asked,
	.told_now	= told_now,
	.told		= told,
	.came		= came,
	.went		= went,
	.look		= pinned_look,
	.tick		= tick,
	.rung		= rung,
};

static int __init sharedpc_init(void)
{
	int err;

	ctl_self = self;
	kept_init();
	identity_init();
	pinned_init();
	err = ctl_map(ctl, ctl_size);
	if (err)
		return err;
	err = ctl_is_boot() ? ctl_format(images, region, slices) : ctl_join();
	if (err)
		goto unmap_ctl;
	err = pids_begin();
	if (err)
		goto unmap_ctl;
	/* First, so that the log has all the rest. */
	err = tty_console_init();
	if (err)
		goto end_pids;
	file_session_ended = cache_session_ended;
	frames_short = cache_shed;
	image_dead = futex_image_dead;
	words_init();
	err = watch_init();
	if (err)
		goto exit_console;
	err = region_init();
	if (err)
		goto exit_watch;
	err = lives_init(kept_drop);
	if (err)
		goto exit_region;
	err = wait_init();
	if (err)
		goto exit_lives;
	err = file_init();
	if (err)
		goto exit_wait;
	err = cache_init();
	if (err)
		goto exit_file;
	err = futex_init();
	if (err)
		goto exit_cache;
	err = socket_init();
	if (err)
		goto exit_futex;
	err = peer_init(&hooks);
	if (err)
		goto exit_socket;
	err = device_init();
	if (err)
		goto exit_peer;
	debug_init();
	/* Last: from here on the others talk to us. */
	image_init();
	peer_announce();
	pr_info("image %s is ready, %llu frames\n", ctl_name(ctl_self),
		region_pages());
	return 0;

exit_peer:
	peer_exit();
exit_socket:
	socket_exit();
exit_futex:
	futex_exit();
exit_cache:
	cache_exit();
exit_file:
	file_exit();
exit_wait:
	wait_exit();
exit_lives:
	lives_exit();
exit_region:
	region_exit();
exit_watch:
	watch_exit();
exit_console:
	tty_console_exit();
end_pids:
	pids_end();
unmap_ctl:
	ctl_unmap();
	return err;
}

static void __exit sharedpc_exit(void)
{
	image_exit();
	debug_exit();
	device_exit();
	file_flush();		/* while somebody hears the answers */
	peer_exit();
	socket_exit();
	futex_exit();
	cache_exit();
	file_exit();
	wait_exit();
	lives_exit();
	region_exit();
	watch_exit();
	tty_console_exit();
	pids_end();
	ctl_unmap();
}

module_init(sharedpc_init);
module_exit(sharedpc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("One page cache shared by several kernels on one machine");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * image.c - this image's own life: READY, heartbeat, and its end
 *
 * A client says how it ends: in its panic notifier, its reboot notifier or its kmsg dumper
 * (emergency restart) it writes the state, rings the boot image and parks: it
 * must not go on to reset the machine, because the machine is everybody's.
 * The boot image then gives its CPUs an INIT.  The boot image too says so when
 * it panics, so that nobody waits for it, and goes on with its panic.
 *
 * The boot image offers sharedpc_kapi.h to ccboot.ko.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kmsg_dump.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include "box/ctl.h"
#include "link/doorbell.h"
#include "image/clock.h"
#include "image/image.h"
#include "image/lives.h"
#include "link/peer.h"
#include "sharedpc_kapi.h"

void (*image_dead)(u32 id);

void image_tick(void)
{
	struct sharedpc_slot *slot = ctl_slot(ctl_self);

	WRITE_ONCE(slot->heartbeat, slot->heartbeat + 1);
	if (ctl_is_boot())
		clock_publish();
}

/* Say how it ends to whom it concerns: the boot image's end, to all. */
static void image_ends(u32 state)
{
	u32 i;

	/* Who sees the state sees the last words: peer_look, ccboot's watcher. */
	smp_store_release(&ctl_slot(ctl_self)->state, state);
	for (i = 0; i < (ctl_is_boot() ? ctl_nr_images : 1); i++)
		doorbell_ring(i);
}

static int image_panics(struct notifier_block *nb, unsigned long unused,
			void *message)
{
	strscpy(ctl_slot(ctl_self)->last_words, message,
		sizeof(ctl_slot(ctl_self)->last_words));
	image_ends(SHAREDPC_PANICKED);
	if (ctl_is_boot())
		return NOTIFY_DONE;	/* the machine is its to reset */
	/*
	 * The boot image takes this CPU with an INIT.  Going on would reset
	 * the whole machine, so stay here whatever happens.
	 */
	local_irq_disable();
	for (;;)
		asm volatile("hlt");
	return NOTIFY_DONE;
}

static int image_reboots(struct notifier_block *nb, unsigned long how, void *cmd)
{
	image_ends(how == SYS_RESTART ? SHAREDPC_REBOOTING : SHAREDPC_HALTED);
	for (;;)
		ssleep(1);
	return NOTIFY_DONE;
}

/*
 * emergency_restart() (sysrq b, the end of a panic) tells nobody but those who
 * keep logs, and then resets the machine.
 */
static void image_resets(struct kmsg_dumper *dumper,
			 struct kmsg_dump_detail *detail)
{
	if (detail->reason != KMSG_DUMP_EMERG)
		return;
	image_ends(SHAREDPC_REBOOTING);
	local_irq_disable();
	for (;;)
		asm volatile("hlt");
}

static struct kmsg_dumper dumper = {
	.dump = image_resets,
	.max_reason = KMSG_DUMP_EMERG,
};

static struct notifier_block panic_nb = {
	.notifier_call = image_panics,
	.priority = INT_MIN,	/* last: everybody else has said theirs */
};

static struct notifier_block reboot_nb = {
	.notifier_call = image_reboots,
	.priority = INT_MIN,
};

void image_init(void)
{
	if (ctl_is_boot()) {
		clock_publish();
	} else {
		clock_take();
		register_reboot_notifier(&reboot_nb);
		kmsg_dump_register(&dumper);
	}
	atomic_notifier_chain_register(&panic_notifier_list, &panic_nb);
	/* Who sees READY may use rings and doorbell: they must be there. */
	smp_store_release(&ctl_slot(ctl_self)->state, SHAREDPC_READY);
}

void image_exit(void)
{
	/* What we put into rings before comes before the end. */
	smp_store_release(&ctl_slot(ctl_self)->state, SHAREDPC_HALTED);
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_nb);
	if (ctl_is_boot())
		return;
	kmsg_dump_unregister(&dumper);
	unregister_reboot_notifier(&reboot_nb);
}

void sharedpc_image_ring(u32 id)
{
	if (ctl_is_boot() && id < ctl_nr_images)
		doorbell_ring(id);
}
EXPORT_SYMBOL_GPL(sharedpc_image_ring);

void *sharedpc_ctl(void)
{
	return ctl_is_boot() ? ctl_header() : NULL;
}
EXPORT_SYMBOL_GPL(sharedpc_ctl);

int sharedpc_image_start(u32 id, const char *name)
{
	struct sharedpc_slot *slot = ctl_slot(id);
	u32 epoch, state;

	if (!ctl_is_boot() || id == SHAREDPC_BOOT || id >= ctl_nr_images)
		return -EINVAL;
	state = READ_ONCE(slot->state);
	if (state == SHAREDPC_READY || state == SHAREDPC_STARTING)
		return -EBUSY;
	peer_settle(id);
	epoch = lives_begin(id);
	memset(slot, 0, sizeof(*slot));
	strscpy(slot->name, name, sizeof(slot->name));
	slot->epoch = epoch;
	memset(ctl_console(id), 0, SHAREDPC_CONSOLE_SIZE);
	memset(ctl_futex(id), 0, SHAREDPC_FUTEX_SIZE);
	/* Pairs with slot_is_ready: the new epoch is there before the state. */
	smp_store_release(&slot->state, SHAREDPC_STARTING);
	return 0;
}
EXPORT_SYMBOL_GPL(sharedpc_image_start);

void sharedpc_image_gone(u32 id, u32 state)
{
	if (!ctl_is_boot() || id == SHAREDPC_BOOT || id >= ctl_nr_images)
		return;
	image_dead(id);
	lives_end(id);
	WRITE_ONCE(ctl_slot(id)->doorbell_vector, 0);
	/* No bell of the dead is rung by who sees that it is dead. */
	smp_store_release(&ctl_slot(id)->state, state);
	peer_announce();
}
EXPORT_SYMBOL_GPL(sharedpc_image_gone);

void sharedpc_image_let_go(u32 id)
{
	if (ctl_is_boot() && id != SHAREDPC_BOOT && id < ctl_nr_images)
		lives_let_go(id);
}
EXPORT_SYMBOL_GPL(sharedpc_image_let_go);

u32 sharedpc_image_life(u32 id)
{
	return lives_now(id);
}
EXPORT_SYMBOL_GPL(sharedpc_image_life);

void sharedpc_set_fence(int (*fence)(u32 id, u32 epoch))
{
	lives_set_fence(fence);
}
EXPORT_SYMBOL_GPL(sharedpc_set_fence);

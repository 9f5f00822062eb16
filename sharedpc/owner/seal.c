// SPDX-License-Identifier: GPL-2.0-only
/*
 * seal.c - what a client cannot forge
 *
 * A client keeps what names a file for longer than a proxy lives, and presents it to the
 * next one.  All proxies of this kernel have one secret for that, which none of them
 * knows.
 */
#include <linux/once.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "owner/server.h"

static siphash_key_t secret;

int seal_make(const struct server *s, struct sharedpc_seal *seal)
{
	struct {
		u32 client;
		u8 data[SHAREDPC_SEAL_MAX];
	} sealed = { .client = s->client };

	if (!seal->len || seal->len > sizeof(sealed.data) || seal->reserved)
		return -EINVAL;
	if (copy_from_user(sealed.data, u64_to_user_ptr(seal->data), seal->len))
		return -EFAULT;
	get_random_once(&secret, sizeof(secret));
	/* The lowest byte is for who keeps it: see cache/export.c. */
	seal->seal = siphash(&sealed, offsetof(typeof(sealed), data) + seal->len, &secret) &
		     ~0xffull;
	return 0;
}

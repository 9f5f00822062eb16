// SPDX-License-Identifier: GPL-2.0-only
/*
 * echoes.c - /sys/kernel/debug/sharedpc/: what a message there and back costs
 *
 *	echo	write "IMAGE CALLS sleep|spin": so many, one after the other, to image
 *		IMAGE; then read what they took.  sleep: waiting for them as everybody does,
 *		spin: looking for the answers all the time
 *	listen	write MS: look for messages for so long, without interrupts: the other end
 *		of spin
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include "box/ctl.h"
#include "debug/echoes.h"
#include "link/echo.h"

#define ECHOES	10000

static DEFINE_MUTEX(echoes_lock);		/* both below */
static u64 *echoes;
static u32 nr_echoes;

static int compare(const void *a, const void *b)
{
	return *(u64 *)a < *(u64 *)b ? -1 : *(u64 *)a > *(u64 *)b;
}

static int echoes_run(u32 image, u32 calls, bool spin)
{
	s64 ns = 0;

	if (image >= ctl_nr_images || image == ctl_self || !calls || calls > ECHOES)
		return -EINVAL;
	kvfree(echoes);
	nr_echoes = 0;
	echoes = kvmalloc_array(calls, sizeof(*echoes), GFP_KERNEL);
	if (!echoes)
		return -ENOMEM;
	while (nr_echoes < calls && ns >= 0 && !signal_pending(current)) {
		ns = echo_run(image, spin);
		if (ns >= 0)
			echoes[nr_echoes++] = ns;
	}
	sort(echoes, nr_echoes, sizeof(*echoes), compare, NULL);
	return ns < 0 ? ns : 0;
}

static ssize_t echoes_write(struct file *file, const char __user *from, size_t len,
			  loff_t *pos)
{
	char text[32] = "", how[8] = "";
	u32 image, calls;
	int err;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	if (sscanf(text, "%u %u %7s", &image, &calls, how) != 3 ||
	    (strcmp(how, "spin") && strcmp(how, "sleep")))
		return -EINVAL;
	mutex_lock(&echoes_lock);
	err = echoes_run(image, calls, !strcmp(how, "spin"));
	mutex_unlock(&echoes_lock);
	return err ?: len;
}

static int echoes_show(struct seq_file *m, void *unused)
{
	mutex_lock(&echoes_lock);
	if (nr_echoes)
		seq_printf(m, "calls %u median-ns %llu least-ns %llu\n", nr_echoes,
			   echoes[nr_echoes / 2], echoes[0]);
	mutex_unlock(&echoes_lock);
	return 0;
}
DEFINE_SHOW_STORE_ATTRIBUTE(echoes);

static int listen_set(void *unused, u64 ms)
{
	echo_listen(min_t(u64, ms, 60000));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(listen_fops, NULL, listen_set, "%llu\n");

void echoes_init(struct dentry *dir)
{
	debugfs_create_file("echo", 0600, dir, NULL, &echoes_fops);
	debugfs_create_file_unsafe("listen", 0200, dir, NULL, &listen_fops);
}

void echoes_exit(void)
{
	kvfree(echoes);
}

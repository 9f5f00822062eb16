// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - ccboot.ko: starts, watches and stops the other images of a box
 *
 * Runs in the boot image, after sharedpc.ko, whose control area says how the
 * images are.  One misc device, /dev/ccboot; the calls are in ccboot.h:
 *
 *	main.c	the device and the guard that keeps lent CPUs off-line
 *	lent.c	what is lent to an image, its life, the watcher
 *	cpu.c	INIT, SIPI, memory types
 *	mem.c	mmap of slices and of the control area
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/smp.h>
#include <asm/tsc.h>
#include "lent.h"

static int lent_state;		/* of the hot-plug guard */

static int guard_prepare(unsigned int cpu)
{
	return lent_has_cpu(cpu) ? -EBUSY : 0;
}

static long ioctl_info(void __user *arg)
{
	struct ccboot_info info = {
		.revision = CCBOOT_REVISION,
		.tsc_khz = tsc_khz,
		.boot_apic = per_cpu(x86_cpu_to_apicid, 0),
	};

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long ioctl_apic(void __user *arg)
{
	struct ccboot_apic a;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.cpu >= nr_cpu_ids || !cpu_possible(a.cpu))
		return -ENXIO;
	a.apic = per_cpu(x86_cpu_to_apicid, a.cpu);
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

static long ioctl_ctl(void __user *arg)
{
	struct sharedpc_range range;

	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	return mem_set_ctl(&range);
}

static long ioctl_add(void __user *arg)
{
	struct ccboot_image *spec __free(kfree) = memdup_user(arg, sizeof(*spec));

	return IS_ERR(spec) ? PTR_ERR(spec) : lent_add(spec);
}

static long ioctl_status(void __user *arg)
{
	struct ccboot_status status;
	int ret;

	if (copy_from_user(&status, arg, sizeof(status)))
		return -EFAULT;
	ret = lent_status(&status);
	if (ret)
		return ret;
	return copy_to_user(arg, &status, sizeof(status)) ? -EFAULT : 0;
}

static long ioctl_by_id(unsigned int cmd, u32 __user *arg)
{
	u32 id;

	if (get_user(id, arg))
		return -EFAULT;
	switch (cmd) {
	case CCBOOT_IOC_STOP:
		return lent_stop(id);
	case CCBOOT_IOC_RING:
		return lent_ring(id);
	}
	return lent_call(cmd, id);
}

static long ccboot_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case CCBOOT_IOC_INFO:
		return ioctl_info(p);
	case CCBOOT_IOC_APIC:
		return ioctl_apic(p);
	case CCBOOT_IOC_CTL:
		return ioctl_ctl(p);
	case CCBOOT_IOC_ADD:
		return ioctl_add(p);
	case CCBOOT_IOC_STATUS:
		return ioctl_status(p);
	}
	return ioctl_by_id(cmd, p);
}

static int ccboot_open(struct inode *inode, struct file *file)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static const struct file_operations ccboot_fops = {
	.owner = THIS_MODULE,
	.open = ccboot_open,
	.unlocked_ioctl = ccboot_ioctl,
	.mmap = mem_mmap,
};

static struct miscdevice ccboot_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ccboot",
	.fops = &ccboot_fops,
	.mode = 0600,
};

static int __init ccboot_init(void)
{
	int ret;

	ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "ccboot:lent",
					guard_prepare, NULL);
	if (ret < 0)
		return ret;
	lent_state = ret;
	ret = lent_init();
	if (ret)
		goto remove_guard;
	ret = misc_register(&ccboot_device);
	if (ret)
		goto exit_lent;
	return 0;

exit_lent:
	lent_exit();
remove_guard:
	cpuhp_remove_state_nocalls(lent_state);
	return ret;
}

static void __exit ccboot_exit(void)
{
	misc_deregister(&ccboot_device);
	lent_exit();
	cpuhp_remove_state_nocalls(lent_state);
}

module_init(ccboot_init);
module_exit(ccboot_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("starts, watches and stops the images of a partitioned box");

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ccinit.h - the first process of an image that has no disk
 *
 *	ccinit.c	main: set up, then serve until the end
 *	ccinit-cmdline.c what the kernel command line says
 *	ccinit-setup.c	pseudo file systems, modules, the root
 *	ccinit-nodes.c	device nodes whose opening loads a module
 *	ccinit-mounts.c	what the others export
 *	ccinit-helpers.c in which root the kernel's helpers run
 *	ccinit-clock.c	the clock, which follows the boot image's
 *	ccinit-end.c	shutting down
 *
 * The image's root is mounted on NEWROOT through ccfs; commands are chrooted there, but
 * what serves that root (ccfs, ccexecd) lives in the initramfs for ever and does not
 * depend on it.  Nor does this: it only keeps that root open for the kernel's helpers.
 */
#ifndef BOOT_CCINIT_H
#define BOOT_CCINIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sharedpc_limits.h"

#define NEWROOT		"/newroot"
#define RUN_DIR		"/run/ccluster"
#define CONF_FILE	"/etc/ccluster/partitions.conf"	/* of an owner's initramfs */

struct init_mount {
	char *source;		/* "boot:/srv/shared" */
	char *target;		/* in the root */
	char *options;		/* "rw" */
	bool overlay;		/* with a tmpfs over it */
};

struct init_options {
	char *self;		/* sharedpc.ko's parameters, as given */
	char *ctl;
	char *ctl_size;
	struct init_mount mounts[LIMIT_CLIENT_MOUNTS];
	int nmounts;
};

/* To the kernel's log, which reaches the console; before there is one, to stderr. */
void ccinit_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* enum sharedpc_stage, shown by ccctl. */
void ccinit_progress(uint32_t stage);

/* Parse @line, which is changed and must stay.  0, or -EINVAL (said why). */
int ccinit_parse_cmdline(char *line, struct init_options *opt);

/* Each says what is wrong and returns -errno. */
int ccinit_setup_kernel(struct init_options *opt);	/* /proc, modules, console */
int ccinit_setup_root(const struct init_options *opt);	/* ready for commands */
int ccinit_mount_root(const struct init_options *opt);	/* on NEWROOT */
int ccinit_mount_others(const struct init_options *opt);

/* Where directory @target of the root is, as this process sees it; made if it is missing. */
int ccinit_target(const char *target, char *path, size_t len);
/* Open @path of the root, where links of it lead.  A descriptor or -errno. */
int ccinit_open_in_root(const char *path, int flags);
/* In /dev, for the modules of the root. */
void ccinit_make_nodes(void);
/* One of the initramfs; there already is fine. */
int ccinit_load_module(const char *name, const char *parameters);

/*
 * From here on the kernel's helpers run in the image's root, where all is mounted.
 * 0, or -errno (said why).
 */
int ccinit_enter_root(void);
/* Before the root is unmounted; and in each child that is started after it was entered. */
void ccinit_leave_root(void);
/* Open @path (absolute) of the initramfs, wherever this process is.  As open(2). */
int ccinit_open(const char *path, int flags);

/* Has the child @pid ended within @ms?  Then with *@status. */
bool ccinit_await(pid_t pid, int ms, int *status);

/* Our clock by the boot image's, a little or at once; @device: /dev/sharedpc.  Each LIMIT_CLOCK_MS. */
void ccinit_follow_clock(int device);

/* Kill what runs in the root, unmount it, @how: RB_*.  Does not return. */
void ccinit_shut_down(int how);

#endif

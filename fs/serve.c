// SPDX-License-Identifier: GPL-2.0-only
/*
 * serve.c - the process behind a mount, see serve.h
 *
 * It mounts by itself, so that nothing of libfuse's helpers (fusermount3,
 * mount for /etc/mtab) is needed: an image's first mount is made when there
 * is no other program yet.
 *
 * It must never wait for itself.  So it stays off the mount: it lives in /,
 * its text and data are locked in memory, and the one who looks whether the
 * mount works is its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fs/fsmount.h"
#include "fs/log.h"
#include "fs/ops.h"
#include "fs/serve.h"
#include "sharedpc_limits.h"

#define HELLO_SECONDS	LIMIT_MOUNT_HELLO_S
#define LIBFUSE_LEAST	FUSE_MAKE_VERSION(3, 17)	/* as fuse_version() says it */
/*
 * Each waits for its call.  With those of slow.h they are fewer than the proxy
 * takes of a mount, 256, so that it never stops reading.
 */
#define THREADS_MAX	128
#define THREADS_IDLE	16	/* of them, that stay for later */
#define DESCRIPTORS	1048576	/* the most, unless Linux was told otherwise */

struct serving {
	struct ccfs fs;
	const struct options *opt;
	struct ccfs_welcome welcome;
	struct report report;
	int report_fd;
	bool readonly;
	unsigned long imposed;	/* MS_* that the export says */
};

static void say(struct serving *s, int error)
{
	s->report.error = error;
	if (write(s->report_fd, &s->report, sizeof(s->report)) < 0)
		ccfs_log("%s", s->report.text);
	close(s->report_fd);
	s->report_fd = -1;
}

#define WHY(s)	(s)->report.text, sizeof((s)->report.text)

static void leave_terminal(const struct options *opt)
{
	int null = open("/dev/null", O_RDWR);

	ccfs_log_background(opt->source);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void ready(struct ccfs *fs, int error)
{
	struct serving *s = fs->mount;

	if (error)
		snprintf(WHY(s), "this kernel's FUSE, or the libfuse of this program, has no passthrough (Linux 6.9 and CONFIG_FUSE_PASSTHROUGH, libfuse 3.17)");
	else if (!s->opt->foreground)
		leave_terminal(s->opt);
	say(s, error);
}

static int connect_owner(struct serving *s)
{
	struct owner *o = &s->fs.owner;
	int fd, ret;

	o->dev = -1;
	if (s->opt->connect)
		return owner_connect_unix(s->opt->connect, WHY(s));
	ret = owner_find(o, s->opt->image, WHY(s));
	if (ret)
		return ret;
	fd = owner_connect(o, WHY(s));
	if (fd < 0)
		close(o->dev);
	return fd;
}

static int welcome(struct serving *s, struct msg *m)
{
	struct ccfs_welcome w;
	int ret;

	if (msg_get(m, &w, sizeof(w)) || w.revision != CCFS_REVISION ||
	    (w.root.mode & S_IFMT) != S_IFDIR) {
		snprintf(WHY(s), "the owner's proxyd speaks another protocol");
		return -EPROTO;
	}
	s->fs.owner.server = w.server;
	if (owner_alive(&s->fs.owner)) {
		snprintf(WHY(s), "the owner is down");
		return -ENOTCONN;
	}
	s->welcome = w;
	s->fs.local = w.flags & CCFS_WELCOME_LOCAL;
	ret = s->fs.local ? 0 : link_join(&s->fs.conn.link, &s->fs.owner, w.mount);
	if (ret) {
		snprintf(WHY(s), "sharedpc.ko has no way to the owner: %s", strerror(-ret));
		return ret;
	}
	s->imposed = (w.flags & CCFS_WELCOME_NODEV ? MS_NODEV : 0) |
		     (w.flags & CCFS_WELCOME_NOSUID ? MS_NOSUID : 0);
	s->readonly = s->opt->flags & MS_RDONLY || w.flags & CCFS_WELCOME_RO;
	if (s->readonly && !(s->opt->flags & MS_RDONLY))
		snprintf(WHY(s), "exported read-only: mounted read-only");
	return 0;
}

/* Ask for the export.  0 or -errno with the owner's text. */
static int say_hello(struct serving *s)
{
	struct ccfs_hello h = {
		.revision = CCFS_REVISION,
		.flags = s->opt->flags & MS_RDONLY ? CCFS_HELLO_RO : 0,
	};
	struct ccfs_cred cred = { .pid = getpid() };
	struct msg m = { 0 };
	char *text = NULL;
	int ret;

	msg_start(&m, CCFS_HELLO, 0, CCFS_ROOT);
	msg_put(&m, &cred, sizeof(cred));
	msg_put(&m, &h, sizeof(h));
	msg_put_str(&m, s->opt->path, strlen(s->opt->path));
	ret = conn_call_first(&s->fs.conn, &m, HELLO_SECONDS);
	if (!ret)
		ret = welcome(s, &m);
	else if (!msg_get_str(&m, sizeof(s->report.text) - 64, &text) && *text)
		snprintf(WHY(s), "the owner refuses: %s", text);
	else if (ret == -EAGAIN || ret == -EWOULDBLOCK)
		snprintf(WHY(s), "the owner's proxyd does not answer (%d s)",
			 HELLO_SECONDS);
	else if (ret == -ECONNRESET || ret == -ENOTCONN || ret == -EPIPE)
		snprintf(WHY(s), "the owner closed the connection: is proxyd running there?");
	else
		snprintf(WHY(s), "the owner refuses: %s", strerror(-ret));
	free(text);
	msg_free(&m);
	return ret;
}

/*
 * A mount that is nowhere yet: a descriptor of its root, or -errno. @plain: FUSE
 * alone, which then has to check permissions.
 */
static int make_mount(struct serving *s, bool plain)
{
	struct fsmount want = {
		.source = s->opt->source,
		.flags = s->opt->flags | s->imposed | (s->readonly ? MS_RDONLY : 0),
		.checks = plain,
	};
	int ret;

	want.fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (want.fuse_fd < 0) {
		ret = -errno;
		snprintf(WHY(s), "/dev/fuse: %m");
		return ret;
	}
	ret = fsmount_make(&want);
	if (ret < 0) {
		snprintf(WHY(s), "mount on %s: %s", s->opt->target, strerror(-ret));
		close(want.fuse_fd);
	} else {
		s->fs.fuse_fd = want.fuse_fd;
	}
	return ret;
}

/* Put @mount (taken over) where it belongs. */
static int place_mount(struct serving *s, int mount)
{
	int ret = fsmount_place(mount, s->opt->target);

	close(mount);
	if (!ret)
		return 0;
	snprintf(WHY(s), "mount on %s: %s", s->opt->target, strerror(-ret));
	close(s->fs.fuse_fd);
	return ret;
}

/* The mount @mount is one of FUSE alone, and nobody has seen it: make another. */
static int mount_plain(struct serving *s, int mount)
{
	close(mount);
	close(s->fs.fuse_fd);
	ccfs_log("%s: sharedpc.ko does not know this kernel's FUSE: mounted without it",
		 s->opt->target);
	mount = make_mount(s, true);
	return mount < 0 ? mount : place_mount(s, mount);
}

/* Mount, and have what is answered remembered if that can be. */
static int mount_attached(struct serving *s)
{
	struct ccfs *fs = &s->fs;
	/* An owner's own mount asks nobody: FUSE does for it. */
	bool plain = fs->owner.dev < 0 || (s->opt->nocache && fs->local);
	int ret = 0, mount = make_mount(s, plain);

	if (mount < 0)
		return mount;
	if (!plain)
		ret = attach_mount(&fs->attach, &fs->owner, mount, &s->welcome,
				   fs->generation, !s->opt->nocache);
	if (ret == -EOPNOTSUPP)
		return mount_plain(s, mount);
	if (ret) {
		snprintf(WHY(s), "sharedpc.ko does not take the mount (%s)",
			 strerror(-ret));
		close(mount);
		close(fs->fuse_fd);
		return ret;
	}
	s->report.remembers = !plain && fs->attach.remembers;
	return place_mount(s, mount);
}

/* The connection is dead: what is remembered must not answer any more. */
static void died(void *arg)
{
	attach_end(arg);
}

/* Nothing of this process may have to be read, or be killed for its memory. */
static void stay_in_memory(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "-1000", 5) != 5)
		ccfs_log("oom_score_adj: %m");
	if (fd >= 0)
		close(fd);
	if (mlockall(MCL_CURRENT) || mlockall(MCL_FUTURE | MCL_ONFAULT))
		ccfs_log("mlockall: %m");
	/* The kernel would wait for who takes the core, and he for files of ours. */
	prctl(PR_SET_DUMPABLE, 0);
}

/*
 * Requests need a few for a moment each (the groups of a caller, a file on its
 * way to FUSE), more than some inherited limit says.
 */
static void want_descriptors(void)
{
	struct rlimit limit = { DESCRIPTORS, DESCRIPTORS };

	if (!setrlimit(RLIMIT_NOFILE, &limit))
		return;
	/* fs.nr_open is lower, or root has no CAP_SYS_RESOURCE */
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		if (!setrlimit(RLIMIT_NOFILE, &limit))
			return;
	}
	ccfs_log("limit of open files: %m");
}

static int loop(struct serving *s, struct fuse_session *se)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int ret;

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_clone_fd(config, 1);
	fuse_loop_cfg_set_max_threads(config, THREADS_MAX);
	fuse_loop_cfg_set_idle_threads(config, THREADS_IDLE);
	ret = fuse_session_loop_mt(se, config);
	fuse_loop_cfg_destroy(config);
	return ret;
}

static int run_session(struct serving *s)
{
	char *argv[] = { "mount.ccfs", s->opt->debug ? "-d" : NULL, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(s->opt->debug ? 2 : 1, argv);
	struct fuse_session *se;
	char mountpoint[32];
	int ret = -EINVAL;

	se = fuse_session_new(&args, &ccfs_ops, sizeof(ccfs_ops), &s->fs);
	fuse_opt_free_args(&args);
	if (!se)
		return ret;
	snprintf(mountpoint, sizeof(mountpoint), "/dev/fd/%d", s->fs.fuse_fd);
	if (fuse_set_signal_handlers(se))
		goto destroy;
	if (fuse_session_mount(se, mountpoint))
		goto handlers;
	ret = conn_start(&s->fs.conn);
	if (!ret)
		ret = slow_start(&s->fs.slow, &s->fs.conn);
	if (!ret)
		ret = forgets_start(&s->fs.forgets, &s->fs.conn);
	if (!ret)
		ret = listings_start(&s->fs);
	if (!ret)
		ret = hear_start(&s->fs.hearing, &s->fs.conn, &s->fs.attach);
	if (!ret)
		ret = loop(s, se);
	conn_kill(&s->fs.conn);
	slow_end(&s->fs.slow);	/* answers need the session */
	fuse_session_unmount(se);
handlers:
	fuse_remove_signal_handlers(se);
destroy:
	fuse_session_destroy(se);
	return ret;
}

static void fuse_log_line(enum fuse_log_level level, const char *fmt, va_list ap)
{
	ccfs_vlog(fmt, ap);
}

int serve(const struct options *opt, int report)
{
	static struct serving s;
	int fd, ret;

	s.opt = opt;
	s.report_fd = report;
	s.fs.ready = ready;
	s.fs.mount = &s;
	s.fs.attach.dev = -1;
	/* Another mount's nodes have other numbers: its handles are none of this one. */
	if (getrandom(&s.fs.generation, sizeof(s.fs.generation), 0) < 0)
		return -errno;
	listings_init(&s.fs.listings);
	fuse_set_log_func(fuse_log_line);
	if (chdir("/"))
		return -errno;
	if (fuse_version() < LIBFUSE_LEAST) {
		snprintf(s.report.text, sizeof(s.report.text),
			 "libfuse is %s, 3.17 or newer is needed", fuse_pkgversion());
		say(&s, -EOPNOTSUPP);
		return -EOPNOTSUPP;
	}
	fd = connect_owner(&s);
	if (fd < 0) {
		say(&s, fd);
		return fd;
	}
	conn_init(&s.fs.conn, fd, &s.fs.owner);
	s.fs.conn.died = died;
	s.fs.conn.arg = &s.fs.attach;
	ret = say_hello(&s);
	if (ret) {
		say(&s, ret);
		return ret;
	}
	stay_in_memory();
	want_descriptors();
	ret = mount_attached(&s);
	if (ret) {
		say(&s, ret);
		return ret;
	}
	ret = run_session(&s);
	if (s.report_fd >= 0) {
		snprintf(s.report.text, sizeof(s.report.text),
			 "libfuse could not start its session");
		say(&s, ret ? ret : -EIO);
	}
	if (ret)	/* not unmounted, but told to end */
		umount2(opt->target, MNT_DETACH);
	return ret;
}

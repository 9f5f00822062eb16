// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - rights: who may do what: a matrix, to be compared with another one
 *
 *	rights make DIR			root: DIR and all kinds of files in it
 *	rights change DIR STEP		root: modes, owners and ACLs of all, anew
 *	rights look DIR [CALLER]	what each caller may, without a change
 *	rights use DIR [CALLER]		the same for changes, opens for writing
 *	rights sticky DIR		removing and renaming in sticky directories
 *	rights sockets DIR		connect to sockets that somebody listens at
 *
 * Prints a line for each caller and file, with each operation and "ok" or the
 * name of the error: on a file system with rights as they should be, and on the
 * one that is looked at, the same lines.  Nothing in them depends on the image.
 *
 * Callers: root; user, in two groups; other; and mixed, whose real user is
 * other's and whose effective one is user's.  Two more have the labels of those
 * that they must be like where capabilities do not count: "caps" is user with
 * capabilities, "nocaps" is root without any, and O_NOATIME is left out.
 *
 * What the files of a kind are like is in rights/spec.c, what is tried with them
 * in rights/ops.c.  A step gives each file what another one had.
 *
 * Static: callers may not be able to read much.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/box/prog/rights/rights.h"

static char self[200];		/* this program */

/* --- the files --- */

static const struct {
	enum kind kind;
	const char *name;		/* the directory of its files */
} kinds[] = {
	{ FILE_, "file" }, { DIR_, "dir" }, { FIFO, "fifo" }, { SOCK, "sock" },
	{ CHR, "chr" }, { LINK, "link" },
};

#define KINDS	((int)(sizeof(kinds) / sizeof(kinds[0])))

static const char *path_of(int kind, int n)
{
	static char path[32];

	snprintf(path, sizeof(path), "%s/%02d", kinds[kind].name, n);
	return path;
}

const char *in(const char *dir, const char *name)
{
	static char path[2][64];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static int bind_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	must(fd, "socket");
	must(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), path);
	return fd;
}

/* A script that runs nothing but this program, which is readable by all. */
static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	must(fd, path);
	must(dprintf(fd, "#!%s ids\n", self), path);
	close(fd);
}

static void make_one(enum kind kind, const char *path)
{
	char target[32];

	switch (kind) {
	case FILE_:
		make_file(path);
		break;
	case DIR_:
		must(mkdir(path, 0700), path);
		make_file(in(path, "in"));
		must(chmod(in(path, "in"), 0666), path);
		must(symlink("in", in(path, "link")), path);
		break;
	case FIFO:
		must(mknod(path, S_IFIFO | 0600, 0), path);
		break;
	case SOCK:
		close(bind_to(path));
		break;
	case CHR:
		must(mknod(path, S_IFCHR | 0600, makedev(1, 3)), path);
		break;
	case LINK:
		snprintf(target, sizeof(target), "../file/%.16s", strchr(path, '/') + 1);
		must(symlink(target, path), path);
		break;
	}
}

static void copy_self(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	int from = open(self, O_RDONLY), to = open(path, O_WRONLY | O_CREAT, 0700);
	char buf[65536];
	ssize_t n;

	must(from, self);
	must(to, path);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		must(write(to, buf, n) == n ? 0 : -1, path);
	close(from);
	close(to);
	must(chown(path, uid, gid), path);
	must(chmod(path, mode), path);
}

static const struct {
	const char *name;
	mode_t mode;
	uid_t uid;
	gid_t gid;
} sticky[] = {
	{ "sticky/root", 01777, 0, 0 }, { "sticky/user", 01777, USER, USER },
	{ "sticky/group", 01775, OTHER, GROUP }, { "sticky/none", 0777, 0, 0 },
};

#define STICKY		((int)(sizeof(sticky) / sizeof(sticky[0])))

static void make_dir(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	must(mkdir(path, 0700), path);
	must(lchown(path, uid, gid), path);
	must(chmod(path, mode), path);
}

/* Directories in which what is made gets more, or less, than was asked for. */
static void make_inherited(void)
{
	static const struct spec given = {
		.entries = 5, .acl = { OBJ(USER_OBJ, 7), { ACL_USER, 6, OTHER },
		OBJ(GROUP_OBJ, 5), OBJ(MASK, 7), OBJ(OTHER, 1) }
	};
	make_dir("given", 0, 0, 0755);
	make_dir("given/none", 0, 0, 0777);
	make_dir("given/group", 0, GROUP, 02777);
	make_dir("given/acl", 0, 0, 0777);
	spec_set_default("given/acl", &given);
}

static int do_make(const char *dir)
{
	struct spec s;

	must(mkdir(dir, 0755), dir);
	must(chdir(dir), dir);
	for (int k = 0; k < KINDS; k++) {
		make_dir(kinds[k].name, 0, 0, 0755);
		for (int n = 0; n < specs(); n++) {
			s = spec_of(n);
			make_one(kinds[k].kind, path_of(k, n));
			spec_set(path_of(k, n), &s);
		}
	}
	make_dir("setid", 0, 0, 0755);
	copy_self("setid/user", OTHER, 0, 04755);
	copy_self("setid/group", 0, GROUP, 02755);
	copy_self("setid/both", OTHER, GROUP, 06711);
	copy_self("setid/unfit", 0, GROUP, 02745);
	make_dir("sticky", 0, 0, 0755);
	for (int i = 0; i < STICKY; i++)
		make_dir(sticky[i].name, sticky[i].uid, sticky[i].gid, sticky[i].mode);
	make_inherited();
	make_dir("live", 0, 0, 0755);
	return 0;
}

/* 11 and specs() have no divisor in common, so each file changes at each step. */
static int do_change(const char *dir, int step)
{
	struct spec s;

	must(chdir(dir), dir);
	for (int k = 0; k < KINDS; k++)
		for (int n = 0; n < specs(); n++) {
			s = spec_of((n + 11 * step) % specs());
			spec_set(path_of(k, n), &s);
		}
	return 0;
}

/* --- callers --- */

enum caps { AS_IS, ALL, NONE };

static const struct caller {
	const char *name, *label;
	uid_t real, uid;
	gid_t gid;
	int ngroups;
	enum caps caps;
} callers[] = {
	{ "root", "root", 0, 0, 0, 0, AS_IS },
	{ "user", "user", USER, USER, USER, 1, AS_IS },
	{ "other", "other", OTHER, OTHER, OTHER, 0, AS_IS },
	{ "mixed", "mixed", OTHER, USER, USER, 1, AS_IS },
	{ "caps", "user", USER, USER, USER, 1, ALL },
	{ "nocaps", "root", 0, 0, 0, 0, NONE },
};

#define CALLERS		((int)(sizeof(callers) / sizeof(callers[0])))
#define USUAL		4	/* the first so many */

static void caps_set(bool all)
{
	const uint32_t files = 1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE |
			       1 << CAP_DAC_READ_SEARCH | 1 << CAP_FOWNER;
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	data[0].effective = data[0].permitted = all ? files : 0;
	must(syscall(SYS_capset, &head, data), "capset");
}

static void become(const struct caller *c)
{
	static const gid_t groups[] = { GROUP };

	must(setgroups(c->ngroups, groups), "setgroups");
	must(setresgid(c->gid, c->gid, c->gid), "setresgid");
	must(prctl(PR_SET_KEEPCAPS, c->caps == ALL), "keepcaps");
	must(setresuid(c->real, c->uid, c->uid), "setresuid");
	if (c->caps != AS_IS)
		caps_set(c->caps == ALL);
}

/* run(@c) in a process that is @c. */
static void as(const struct caller *c, void (*run)(const struct caller *c))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	must(pid, "fork");
	if (!pid) {
		become(c);
		run(c);
		exit(fflush(stdout) ? 2 : 0);
	}
	must(waitpid(pid, &status, 0), "wait");
	if (status) {
		fprintf(stderr, "rights: %s ended with %x\n", c->name, status);
		exit(2);
	}
}

/* --- the matrix --- */

/* Who has other capabilities than his user: here his own kernel looks at them, too. */
static bool unlike(const struct caller *c, const struct op *op)
{
	return c->caps != AS_IS && op->run == op_noatime;
}

static void matrix(const struct caller *c, const struct op *ops)
{
	for (int k = 0; k < KINDS; k++)
		for (int n = 0; n < specs(); n++) {
			const char *path = path_of(k, n);

			printf("%s %s:", c->label, path);
			for (const struct op *op = ops; op->name; op++)
				if (op->kinds & kinds[k].kind && !unlike(c, op))
					say(op->name, op->run(path));
			printf("\n");
		}
}

static void look(const struct caller *c)
{
	static const char *const setid[] = {
		"setid/user", "setid/group", "setid/both", "setid/unfit"
	};

	matrix(c, looks);
	for (size_t i = 0; c->caps == AS_IS && i < sizeof(setid) / sizeof(setid[0]); i++) {
		printf("%s %s:", c->label, setid[i]);
		say("exec", op_exec(setid[i]));
		printf("\n");
	}
}

/* What a new file and a new directory are like, and whose. */
static void makes(const struct caller *c, const char *dir, mode_t mask)
{
	const char *path = in(dir, "new");

	umask(mask);
	printf("%s %s umask %o:", c->label, dir, mask);
	say("creat", opens(path, O_WRONLY | O_CREAT | O_EXCL) ?: op_stat(path));
	say("unlink", result(unlink(path)));
	say("mkdir", result(mkdir(path, 0777)) ?: op_stat(path));
	say("rmdir", result(rmdir(path)));
	say("mknod", result(mknod(path, S_IFIFO | 0666, 0)) ?: op_stat(path));
	say("unlink", result(unlink(path)));
	printf("\n");
	umask(0);
}

static void use(const struct caller *c)
{
	matrix(c, uses);
	if (c->real != c->uid)
		return;
	for (int i = 0; i < 2; i++) {
		makes(c, "given/none", i ? 027 : 0);
		makes(c, "given/group", i ? 027 : 0);
		makes(c, "given/acl", i ? 027 : 0);
	}
}

static int do_matrix(const char *dir, const char *who, void (*run)(const struct caller *c))
{
	must(chdir(dir), dir);
	home = open(".", O_PATH);
	umask(0);
	for (int i = 0; i < CALLERS; i++)
		if (who ? !strcmp(who, callers[i].name) : i < USUAL)
			as(&callers[i], run);
	return 0;
}

/* --- sticky directories --- */

static const uid_t owners[] = { 0, USER, OTHER };

#define OWNERS		3

static const char *owned(int dir, int owner, const char *what)
{
	static char name[16];

	snprintf(name, sizeof(name), "%s%u", what, owners[owner]);
	return in(sticky[dir].name, name);
}

static void stick(const struct caller *c)
{
	for (int d = 0; d < STICKY; d++)
		for (int o = 0; o < OWNERS; o++) {
			printf("%s %s:", c->label, owned(d, o, "f"));
			say("rename", result(rename(owned(d, o, "f"), owned(d, o, "g"))));
			say("back", result(rename(owned(d, o, "g"), owned(d, o, "f"))));
			say("over", result(rename(owned(d, o, "h"), owned(d, o, "f"))));
			say("unlink", result(unlink(owned(d, o, "f"))));
			say("rmdir", result(rmdir(owned(d, o, "d"))));
			say("link", op_rdonly(owned(d, o, "s")));
			printf("\n");
		}
}

static void stick_make(int d, int o)
{
	make_file(owned(d, o, "f"));
	must(lchown(owned(d, o, "f"), owners[o], 0), "f");
	make_file(owned(d, o, "h"));
	must(lchown(owned(d, o, "h"), owners[o], 0), "h");
	make_dir(owned(d, o, "d"), owners[o], 0, 0755);
	must(symlink("../../file", owned(d, o, "s")), "s");
	must(lchown(owned(d, o, "s"), owners[o], 0), "s");
}

static void stick_remove(int d, int o)
{
	static const char *const names[] = { "f", "g", "h", "s" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (unlink(owned(d, o, names[i])) && errno != ENOENT)
			must(-1, names[i]);
	if (rmdir(owned(d, o, "d")) && errno != ENOENT)
		must(-1, "d");
}

static int do_sticky(const char *dir)
{
	must(chdir(dir), dir);
	for (int i = 0; i < USUAL; i++) {
		for (int n = 0; n < STICKY * OWNERS; n++)
			stick_make(n / OWNERS, n % OWNERS);
		as(&callers[i], stick);
		for (int n = 0; n < STICKY * OWNERS; n++)
			stick_remove(n / OWNERS, n % OWNERS);
	}
	return 0;
}

/* --- sockets --- */

static void connect_all(const struct caller *c)
{
	char path[32];

	for (int n = 0; n < specs(); n++) {
		snprintf(path, sizeof(path), "live/%02d", n);
		printf("%s %s:", c->label, path);
		say("connect", op_connect(path));
		printf("\n");
	}
}

static int do_sockets(const char *dir)
{
	char path[32];
	struct spec s;
	int fd;

	must(chdir(dir), dir);
	for (int n = 0; n < specs(); n++) {
		snprintf(path, sizeof(path), "live/%02d", n);
		fd = bind_to(path);		/* open until we end */
		must(listen(fd, 16), path);
		s = spec_of(n);
		spec_set(path, &s);
	}
	for (int i = 0; i < USUAL; i++)
		as(&callers[i], connect_all);
	for (int n = 0; n < specs(); n++) {
		snprintf(path, sizeof(path), "live/%02d", n);
		must(unlink(path), path);
	}
	return 0;
}

/* Who we have become by set-id bits. */
static int do_ids(void)
{
	return IDS | (getuid() != geteuid() && geteuid() == OTHER) |
	       (getgid() != getegid() && getegid() == GROUP) << 1;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "ids"))
		return do_ids();
	must(readlink("/proc/self/exe", self, sizeof(self) - 1), "/proc/self/exe");
	if (argc == 3 && !strcmp(argv[1], "make"))
		return do_make(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "change"))
		return do_change(argv[2], atoi(argv[3]));
	if (argc >= 3 && !strcmp(argv[1], "look"))
		return do_matrix(argv[2], argv[3], look);
	if (argc >= 3 && !strcmp(argv[1], "use"))
		return do_matrix(argv[2], argv[3], use);
	if (argc == 3 && !strcmp(argv[1], "sticky"))
		return do_sticky(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "sockets"))
		return do_sockets(argv[2]);
	fprintf(stderr, "usage: rights make|change|look|use|sticky|sockets DIR [STEP|CALLER]\n");
	return 2;
}

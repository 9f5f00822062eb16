// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - what names and attributes cost in a directory
 *
 *	bench-names make DIR
 *		what is measured in: d1/d2/f, many/ (400 files), tree/ (250)
 *	bench-names ops DIR warm|cold OP...
 *		OP is one of the calls below, or NAME:COMMAND, words separated by
 *		blanks, which runs in DIR. cold: dentries and inodes are dropped
 *		before each time.
 *	bench-names pair X Y
 *		what an owner does in the directories X and Y in turn, so that
 *		both have the same of whatever else goes on
 *
 * Prints lines "OP MEDIAN MIN MESSAGES": ns of one, and how many messages this
 * image sent for one (median; sharedpc's counters; - without them). For pair:
 * "OP RATIO", the median of X / Y, each pair taken one right after the other.
 *
 * A sample is as many calls as take BATCH_NS, divided.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH_NS	4000000L
#define SAMPLES		31
#define COMMANDS	7		/* samples of a command */
#define COLD		9		/* samples, cold */
#define ENOUGH_NS	2e10		/* then a few samples will do: */
#define FEW		3
#define PAIRS		101		/* samples of each side */
#define WORDS		16
#define IMAGES		"/sys/kernel/debug/sharedpc/images"

struct sample {
	double ns, messages;
};

static int data;		/* a file of 4 KiB, for reading and writing */
static int images = -1;
static char *words[WORDS + 1];	/* of the command that is measured */

static void die(const char *what)
{
	fprintf(stderr, "bench-names: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(int ret, const char *what)
{
	if (ret < 0)
		die(what);
}

/* --- what is measured --- */

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	must(fd, path);
	close(fd);
}

static int do_make(const char *dir)
{
	char path[32];

	must(mkdir(dir, 0755), dir);
	must(chdir(dir), dir);
	must(mkdir("d1", 0755), "d1");
	must(mkdir("d1/d2", 0755), "d2");
	touch("d1/d2/f");
	must(mkdir("many", 0755), "many");
	for (int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "many/name-%03d", i);
		touch(path);
	}
	must(mkdir("tree", 0755), "tree");
	for (int i = 0; i < 250; i++) {
		snprintf(path, sizeof(path), "tree/%d", i / 25);
		if (i % 25 == 0)
			must(mkdir(path, 0755), path);
		else
			sprintf(path + strlen(path), "/%d", i);
		if (i % 25)
			touch(path);
	}
	return 0;
}

static void op_stat(void)
{
	struct stat st;

	must(stat("d1/d2/f", &st), "stat");
}

static void op_absent(void)
{
	struct stat st;

	if (!stat("d1/d2/absent", &st))
		die("absent");
}

static void op_open(void)
{
	int fd = open("d1/d2/f", O_RDONLY | O_CLOEXEC);

	must(fd, "open");
	close(fd);
}

static void op_create(void)
{
	touch("d1/d2/new");
	must(unlink("d1/d2/new"), "unlink");
}

static void op_mkdir(void)
{
	must(mkdir("d1/d2/new", 0755), "mkdir");
	must(rmdir("d1/d2/new"), "rmdir");
}

static void op_readdir(void)
{
	DIR *d = opendir("many");
	int n = 0;

	if (!d)
		die("many");
	while (readdir(d))
		n++;
	closedir(d);
	if (n != 402)
		die("many");
}

static void op_handle(void)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .h.handle_bytes = MAX_HANDLE_SZ };
	int fd, mount;

	must(name_to_handle_at(AT_FDCWD, "d1/d2/f", &u.h, &mount, 0), "name_to_handle_at");
	fd = open_by_handle_at(AT_FDCWD, &u.h, O_PATH | O_CLOEXEC);
	must(fd, "open_by_handle_at");
	close(fd);
}

static char page[4096];

static void op_write(void)
{
	must(pwrite(data, page, sizeof(page), 0), "write");
}

static void op_read(void)
{
	must(pread(data, page, sizeof(page), 0), "read");
}

/* Nobody else wants it. */
static void op_lock(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

	must(fcntl(data, F_SETLK, &fl), "lock");
	fl.l_type = F_UNLCK;
	must(fcntl(data, F_SETLK, &fl), "unlock");
}

static void op_flock(void)
{
	must(flock(data, LOCK_EX | LOCK_NB), "flock");
	must(flock(data, LOCK_UN), "unlock");
}

static void op_tmpfile(void)
{
	int fd = open("d1/d2", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	must(fd, "O_TMPFILE");
	close(fd);
}

/* As chattr(1) does. */
static void op_chattr(void)
{
	int flags;

	must(ioctl(data, FS_IOC_GETFLAGS, &flags), "FS_IOC_GETFLAGS");
	flags ^= FS_NODUMP_FL;
	must(ioctl(data, FS_IOC_SETFLAGS, &flags), "FS_IOC_SETFLAGS");
}

/* Nothing happens there. */
static void op_watch(void)
{
	static int in = -1;
	int wd;

	if (in < 0)
		in = inotify_init1(IN_CLOEXEC);
	wd = inotify_add_watch(in, "d1/d2", IN_CREATE | IN_DELETE);
	must(wd, "inotify_add_watch");
	must(inotify_rm_watch(in, wd), "inotify_rm_watch");
}

static void op_command(void)
{
	posix_spawn_file_actions_t to;
	int err, status;
	pid_t pid;

	posix_spawn_file_actions_init(&to);
	posix_spawn_file_actions_addopen(&to, 1, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(&pid, words[0], &to, NULL, words, environ);
	posix_spawn_file_actions_destroy(&to);
	if (err || waitpid(pid, &status, 0) != pid || status) {
		errno = err;
		die(words[0]);
	}
}

static const struct op {
	const char *name;
	void (*run)(void);
} calls[] = {
	{ "stat", op_stat }, { "absent", op_absent }, { "open", op_open },
	{ "create", op_create }, { "mkdir", op_mkdir }, { "readdir", op_readdir },
	{ "handle", op_handle }, { "lock", op_lock }, { "flock", op_flock },
	{ "tmpfile", op_tmpfile }, { "chattr", op_chattr }, { "watch", op_watch },
	{ "write", op_write }, { "read", op_read },
};

#define CALLS	(sizeof(calls) / sizeof(calls[0]))

/* --- measuring --- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Frame messages and packets of sockets, to all images. */
static double messages(void)
{
	static char text[8192];
	ssize_t n = images < 0 ? -1 : pread(images, text, sizeof(text) - 1, 0);
	double sum = 0;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (const char *p = text; (p = strstr(p, " messages ")); p++)
		sum += atol(p + 10);
	for (const char *p = text; (p = strstr(p, " packets ")); p++)
		sum += atol(p + 9);
	return sum;
}

static void forget(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "2", 1) != 1)
		die("drop_caches");
	close(fd);
}

static struct sample sample(void (*run)(void), int reps)
{
	double m = messages(), t = now();

	for (int i = 0; i < reps; i++)
		run();
	t = now() - t;
	return (struct sample){ t / reps, (messages() - m) / reps };
}

/* How many @run take BATCH_NS; warms it up, too. */
static int calibrate(void (*run)(void))
{
	int reps = 1;

	sample(run, 2);
	while (reps < 100000 && sample(run, reps).ns * reps < BATCH_NS)
		reps *= 2;
	return reps;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Sorts @v. */
static double median(double *v, int n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void measure(const char *name, void (*run)(void), bool cold)
{
	double ns[SAMPLES], msgs[SAMPLES];
	int n = cold ? COLD : run == op_command ? COMMANDS : SAMPLES;
	int reps = 1, i;
	struct sample s;
	double begin;

	if (!cold && run != op_command)
		reps = calibrate(run);
	else
		run();
	begin = now();
	for (i = 0; i < n && (i < FEW || now() - begin < ENOUGH_NS); i++) {
		if (cold)
			forget();
		s = sample(run, reps);
		ns[i] = s.ns;
		msgs[i] = s.messages;
	}
	n = i;
	printf("%s %.0f", name, median(ns, n));
	printf(" %.0f", ns[0]);
	if (images < 0)
		printf(" -\n");
	else
		printf(" %.1f\n", median(msgs, n));
	fflush(stdout);
}

static const struct op *call_find(const char *name)
{
	for (size_t i = 0; i < CALLS; i++)
		if (!strcmp(calls[i].name, name))
			return &calls[i];
	errno = EINVAL;
	die(name);
	return NULL;
}

static void data_open(void)
{
	data = open("d1/data", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	must(data, "data");
	op_write();
}

static int do_ops(const char *dir, bool cold, char **ops)
{
	char *command;
	int n;

	must(chdir(dir), dir);
	images = open(IMAGES, O_RDONLY | O_CLOEXEC);
	data_open();
	for (; *ops; ops++) {
		command = strchr(*ops, ':');
		if (!command) {
			measure(*ops, call_find(*ops)->run, cold);
			continue;
		}
		*command++ = '\0';
		for (n = 0; n < WORDS && (words[n] = strtok(n ? NULL : command, " ")); n++)
			;
		measure(*ops, op_command, cold);
	}
	return 0;
}

/* --- two directories in turn --- */

struct side {
	int dir, data;
	double ns[PAIRS];
};

static void side_open(struct side *s, const char *dir)
{
	must(chdir(dir), dir);
	data_open();
	s->dir = open(".", O_PATH | O_CLOEXEC);
	s->data = data;
}

static void side_sample(struct side *s, int i, void (*run)(void), int reps)
{
	must(fchdir(s->dir), "side");
	data = s->data;
	s->ns[i] = sample(run, reps).ns;
}

/* XYYX, so that neither is always the first. */
static int do_pair(const char *x, const char *y)
{
	static const char *const ops[] = { "create", "write", "read", "open" };
	static struct side sides[2];
	double ratio[PAIRS];
	void (*run)(void);
	int reps;

	side_open(&sides[0], x);
	side_open(&sides[1], y);
	for (size_t o = 0; o < sizeof(ops) / sizeof(ops[0]); o++) {
		run = call_find(ops[o])->run;
		reps = calibrate(run);
		for (int i = 0; i < PAIRS; i++)
			for (int k = 0; k < 2; k++)
				side_sample(&sides[(i + k) % 2], i, run, reps);
		for (int i = 0; i < PAIRS; i++)
			ratio[i] = sides[0].ns[i] / sides[1].ns[i];
		printf("%s %.4f\n", ops[o], median(ratio, PAIRS));
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "make"))
		return do_make(argv[2]);
	if (argc > 4 && !strcmp(argv[1], "ops"))
		return do_ops(argv[2], !strcmp(argv[3], "cold"), argv + 4);
	if (argc == 4 && !strcmp(argv[1], "pair"))
		return do_pair(argv[2], argv[3]);
	fprintf(stderr, "usage: bench-names make DIR | ops DIR warm|cold OP... | pair X Y\n");
	return 2;
}

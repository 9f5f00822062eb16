// SPDX-License-Identifier: GPL-2.0-only
/*
 * special.c - fifos, sockets, programs: what is more than bytes
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/box/prog/semantics/semantics.h"

void fifos(void)
{
	int r, w, rw;
	char c[4];

	signal(SIGPIPE, SIG_IGN);
	as_root(make_all, "");
	ok(open("fifo", O_WRONLY | O_NONBLOCK), "write-alone");
	r = open("fifo", O_RDONLY | O_NONBLOCK);
	ok(r, "read-alone");
	value(read(r, c, 4), "nobody-writes");
	w = open("fifo", O_WRONLY | O_NONBLOCK);
	ok(w, "write");
	value(read(r, c, 4), "nothing-there");
	value(write(w, "abc", 3), "written");
	say_fd(r);
	line("stat");
	value(read(r, c, 2), "read");
	ok(lseek(r, 0, SEEK_SET), "seek");
	ok(pread(r, c, 1, 0), "pread");
	ok(ftruncate(w, 0), "truncate");
	ok(fsync(w), "fsync");
	ok(rename("fifo", "moved"), "rename");
	value(write(w, "d", 1), "write-moved");
	rw = open("moved", O_RDWR | O_NONBLOCK);
	value(read(rw, c, 4), "read-moved");
	unlink("moved");
	value(write(w, "e", 1), "write-removed");
	value(read(r, c, 4), "read-removed");
	close(rw);
	close(r);
	value(write(w, "abc", 3), "nobody-reads");
	close(w);
	ok(open("moved", O_RDONLY | O_NONBLOCK), "gone");
	ok(open("null", O_RDWR), "null");
	ok(open("blk", O_RDWR), "blk");
}

static int address(struct sockaddr_un *addr, const char *path)
{
	addr->sun_family = AF_UNIX;
	strcpy(addr->sun_path, path);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static void connect_to(const char *path, const char *how)
{
	struct sockaddr_un addr = {};
	int fd = address(&addr, path), d = socket(AF_UNIX, SOCK_DGRAM, 0);

	say_ok(connect(fd, (void *)&addr, sizeof(addr)));
	say_ok(connect(d, (void *)&addr, sizeof(addr)));
	say_ok(sendto(d, "x", 1, 0, (void *)&addr, sizeof(addr)));
	line("connect.%s%s", path, how);
	close(fd);
	close(d);
}

static void bind_to(const char *path)
{
	struct sockaddr_un addr = {};
	int fd = address(&addr, path);

	say_ok(bind(fd, (void *)&addr, sizeof(addr)));
	say_file(path);
	line("bind.%s", path);
	close(fd);
	again(path);
}

void sockets(void)
{
	struct sockaddr_un addr = {};
	int fd;

	as_root(make_all, "");
	for (int k = 0; k < kinds; k++) {
		connect_to(kind_names[k], "");
		bind_to(kind_names[k]);
	}
	bind_to("locked/new");
	bind_to("sticky/new");
	fd = address(&addr, "listens");
	umask(0);
	ok(bind(fd, (void *)&addr, sizeof(addr)), "bound");
	say_file("listens");
	line("umask");
	ok(listen(fd, 3), "listen");
	connect_to("listens", "");
	chmod("listens", 0);
	connect_to("listens", "-closed");
	chmod("listens", 0666);
	ok(rename("listens", "moved"), "rename");
	connect_to("moved", "");
	ok(link("moved", "linked"), "link");
	connect_to("linked", "");
	ok(fchmod(fd, 0600), "fchmod");
	unlink("moved");
	unlink("linked");
	connect_to("moved", "-gone");
}

/* --- programs --- */

static void copy_self(const char *path)
{
	char buf[65536];
	int in = must(open("/proc/self/exe", O_RDONLY), "exe");
	int out = must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755), path);
	int n;

	while ((n = must(read(in, buf, sizeof(buf)), "exe")) > 0)
		must(write(out, buf, n), path);
	close(in);
	close(out);
}

/* "MODE": "prog" is root's, with it. */
static void make_program(const char *arg)
{
	copy_self("prog");
	must(chown("prog", them, STRANGE), "prog");
	must(chmod("prog", strtol(arg, NULL, 8)), "prog");
}

static void run(const char *path, int fd, const char *name)
{
	char *argv[] = { (char *)path, "ids", NULL }, *envp[] = { NULL };
	int p[2], status;
	char got[20] = "";

	must(pipe(p), "pipe");
	fflush(stdout);
	if (!fork()) {
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		if (fd >= 0)
			execveat(fd, "", argv, envp, AT_EMPTY_PATH);
		else
			execve(path, argv, envp);
		_exit(errno);
	}
	close(p[1]);
	if (read(p[0], got, sizeof(got) - 1) < 0)
		tell("?");
	close(p[0]);
	must(wait(&status), "wait");
	errno = WEXITSTATUS(status);
	say_ok(errno ? -1 : 0);
	got[strcspn(got, "\n")] = '\0';
	tell("ids %s", got);
	line("%s", name);
}

static void text(const char *path, const char *what)
{
	int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755), path);

	must(write(fd, what, strlen(what)), path);
	close(fd);
}

/* "mine" runs, until its input ends. */
static pid_t start(int *input)
{
	int in[2], out[2];
	pid_t pid;
	char c;

	must(pipe2(in, O_CLOEXEC), "pipe");
	must(pipe2(out, O_CLOEXEC), "pipe");
	fflush(stdout);
	pid = must(fork(), "fork");
	if (!pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl("mine", "mine", "wait", NULL);
		_exit(1);
	}
	close(in[0]);
	close(out[1]);
	*input = in[1];
	must(read(out[0], &c, 1) - 1, "program");
	close(out[0]);
	return pid;
}

static void busy_text(void)
{
	int fd, input;
	pid_t pid;

	copy_self("mine");
	fd = open("mine", O_WRONLY);
	run("mine", -1, "busy.written");
	close(fd);
	run("mine", -1, "busy.closed");
	pid = start(&input);
	ok(open("mine", O_WRONLY), "busy.O_WRONLY");
	ok(open("mine", O_RDWR | O_TRUNC), "busy.O_TRUNC");
	ok(truncate("mine", 0), "busy.truncate");
	ok(open("mine", O_RDONLY), "busy.O_RDONLY");
	ok(chmod("mine", 0700), "busy.chmod");
	ok(rename("mine", "theirs"), "busy.rename");
	ok(unlink("theirs"), "busy.unlink");
	close(input);
	waitpid(pid, NULL, 0);
}

void programs(void)
{
	static const char *const set[] = { "755", "4755", "2755", "6755", "6655", "711", "4711",
		"644", "754", "0", };
	int fd;

	as_root(make_all, "");
	for (unsigned int i = 0; i < N(set); i++) {
		char name[40];

		as_root(make_program, set[i]);
		snprintf(name, sizeof(name), "mode.%s", set[i]);
		run("prog", -1, name);
		fd = open("prog", O_RDONLY);
		snprintf(name, sizeof(name), "mode-fd.%s", set[i]);
		run("prog", fd < 0 ? 9999 : fd, name);
		close(fd);
		fd = open("prog", O_PATH);
		snprintf(name, sizeof(name), "mode-opath.%s", set[i]);
		run("prog", fd, name);
		close(fd);
	}
	for (int k = 0; k < kinds; k++)
		run(kind_names[k], -1, kind_names[k]);
	text("script", "#!/bin/sh\necho ran\n");
	run("script", -1, "script");
	text("script", "#!absent\n");
	run("script", -1, "no-interpreter");
	text("script", "#!prog\n");
	as_root(make_program, "6755");
	run("script", -1, "interpreter");
	text("script", "\177ELF nothing");
	run("script", -1, "no-program");
	text("script", "");
	run("script", -1, "empty");
	busy_text();
}

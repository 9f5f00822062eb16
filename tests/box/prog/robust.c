// SPDX-License-Identifier: GPL-2.0-only
/*
 * robust.c - a robust mutex in a shared file, whose holder dies
 *
 *	robust FILE
 *
 * A child locks the mutex and is killed after the file has been synced, so that
 * the kernel has to ask for the right to write the page while the child exits.
 * The parent then gets the mutex with EOWNERDEAD.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEATH_MS	20000

static int fail(const char *what)
{
	fprintf(stderr, "robust: %s: %s\n", what, strerror(errno));
	return 1;
}

static int init(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	return pthread_mutex_init(m, &attr);
}

static int reap(pid_t pid)
{
	for (int ms = 0; ms < DEATH_MS; ms += 10) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return 0;
		usleep(10000);
	}
	errno = ETIMEDOUT;
	return -1;
}

int main(int argc, char **argv)
{
	pthread_mutex_t *m;
	int p[2], fd, ret;
	pid_t pid;
	char c;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, 4096) || pipe(p))
		return fail(argv[1]);
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED || init(m))
		return fail("mutex");
	pid = fork();
	if (!pid) {
		pthread_mutex_lock(m);
		(void)!write(p[1], "x", 1);
		pause();
	}
	if (pid < 0 || read(p[0], &c, 1) != 1)
		return fail("fork");
	if (fsync(fd))
		return fail("fsync");
	kill(pid, SIGKILL);
	if (reap(pid))
		return fail("the holder does not die");
	ret = pthread_mutex_lock(m);
	if (ret != EOWNERDEAD) {
		errno = ret;
		return fail("the mutex of the dead");
	}
	printf("the holder is dead, the mutex is not\n");
	return 0;
}

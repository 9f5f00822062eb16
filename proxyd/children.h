/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * children.h - the listener's processes: one for each mount that is not known yet, and
 * the proxies that they become.
 */
#ifndef PROXYD_CHILDREN_H
#define PROXYD_CHILDREN_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proxyd/pass.h"
#include "sharedpc_abi.h"
#include "sharedpc_limits.h"

#define CHILDREN_MAX	(SHAREDPC_IMAGES_MAX * LIMIT_CLIENT_CONNS)

struct child {
	pid_t pid;		/* 0: none */
	int control;		/* -1: it has been let go */
	unsigned int client;
	uint32_t epoch;		/* of the client */
	bool serves;		/* it is a proxy, ... */
	uint32_t server;	/* ... with this number, 0: of this very image */
	uint32_t handed;	/* mounts given to it */
};

/* A mount whose proxy is on its way out. */
struct waiting {
	bool used;
	unsigned int client;
	uint32_t epoch;		/* of the client */
	uint32_t server;
	int64_t until_ms;	/* CLOCK_MONOTONIC: nobody waits for it any more */
	struct mount mount;
};

struct children {
	/* In the child: serve @mount of image @client. Does not return. */
	void (*run)(void *arg, unsigned int client, int control, struct mount *mount);
	void *arg;
	struct child child[CHILDREN_MAX];
	struct waiting waiting[CHILDREN_MAX];
};

/*
 * Have the mount on connection @fd (taken over) served, of image @client in its life
 * @epoch. What serves an earlier life of it ends.
 */
void children_add(struct children *c, unsigned int client, uint32_t epoch, int fd);
/* Fill in CHILDREN_MAX entries for poll(2), then hear who has said something. */
void children_poll(const struct children *c, struct pollfd *p);
void children_hear(struct children *c, const struct pollfd *p);
/* SIGCHLD. */
void children_reap(struct children *c);
/* Milliseconds until this is to be called again, -1: never. Drops what waited too long. */
int children_tidy(struct children *c);
/* Close what a child does not need of the listener's. */
void children_forget(struct children *c);
/* Kill all, and wait for them. */
void children_end(struct children *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proxy.h - a proxy: what serves one client image from one file system.
 */
#ifndef PROXYD_PROXY_H
#define PROXYD_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "proxyd/data/file.h"
#include "proxyd/life/life.h"
#include "sharedpc_abi.h"

struct sharedpc_call;

struct proxy {
	const char *config;	/* path of partitions.conf */
	char owner[SHAREDPC_NAME_MAX];
	char client[SHAREDPC_NAME_MAX];
	unsigned int image;	/* client's id */
	bool local;		/* client and owner are the same image */
	int control;		/* to the listener, -1: there is none */
	uint32_t server;	/* our number, 0 if local */
	int dev;		/* /dev/sharedpc that serves; -1 if local */
	/* A NAME has come: does and answers it. */
	void (*asked)(struct proxy *proxy, const struct sharedpc_call *call);
	void *bounce;		/* the client's bounce buffers */
	int region_node;
	struct files files;
	struct life life;
};

#endif

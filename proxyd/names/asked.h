/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * asked.h - requests that come through sharedpc.ko: NAME (sharedpc_ioctl.h).
 */
#ifndef PROXYD_ASKED_H
#define PROXYD_ASKED_H

struct proxy;
struct request;
struct sharedpc_call;

/* Do and answer @call, in this thread, which is one of call.h's for names. */
void asked(struct proxy *proxy, const struct sharedpc_call *call);
/* Answer @req, which came so, with its out. 0, or -errno: nobody gets it. */
int asked_answer(struct request *req);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * life.c - how much a proxy's process has to do, and when it may end.
 */
#include <unistd.h>

#include "proxyd/life/life.h"
#include "proxyd/life/log.h"

void life_end(const char *why)
{
	log_say("ends: %s", why);
	_exit(0);
}

void life_init(struct life *life)
{
	pthread_mutex_init(&life->lock, NULL);
	pthread_cond_init(&life->fewer, NULL);
}

/*
 * Offer to end if nothing is left. The lock makes one offer of each state. An offer
 * never waits, as the listener does not wait for us: one that is not taken
 * follows hundreds that were not heard, and is made again by what comes next.
 */
void life_check(struct life *life)
{
	pthread_mutex_lock(&life->lock);
	if (!life->conns && !life->left(life))
		life->idle(life, life->had);
	pthread_mutex_unlock(&life->lock);
}

void life_handed(struct life *life)
{
	pthread_mutex_lock(&life->lock);
	life->had++;
	pthread_mutex_unlock(&life->lock);
	life_check(life);	/* it may have been the last one */
}

bool life_conn_add(struct life *life)
{
	bool room;

	pthread_mutex_lock(&life->lock);
	room = life->conns < LIFE_CONNS;
	life->had++;	/* with conns: nobody may see the one without the other */
	life->conns += room;
	pthread_mutex_unlock(&life->lock);
	return room;
}

void life_conn_gone(struct life *life)
{
	uint64_t left;

	pthread_mutex_lock(&life->lock);
	life->conns--;
	left = life->conns ? 0 : life->left(life);
	pthread_mutex_unlock(&life->lock);
	if (left)
		log_say("no mount left, but %llu files are open or mapped",
			(unsigned long long)left);
	life_check(life);
}

void life_bytes_get(struct life *life, size_t bytes)
{
	pthread_mutex_lock(&life->lock);
	while (life->bytes && life->bytes + bytes > LIFE_BYTES)
		pthread_cond_wait(&life->fewer, &life->lock);
	life->bytes += bytes;
	pthread_mutex_unlock(&life->lock);
}

void life_bytes_put(struct life *life, size_t bytes)
{
	pthread_mutex_lock(&life->lock);
	life->bytes -= bytes;
	pthread_cond_broadcast(&life->fewer);
	pthread_mutex_unlock(&life->lock);
}

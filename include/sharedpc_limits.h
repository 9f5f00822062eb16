/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sharedpc_limits.h - how long things may take, and how many there may be
 *
 * All time limits of the kernels and of user space, and the counts that more
 * than one file goes by.  Who waits for another one's work has to wait longer
 * than that may take, or the wrong one of the two gives up: the assertions at
 * the end say so.  How often one looks meanwhile is each file's own.
 *
 * What waits for what: a line waits for those below it that are further in.
 *
 *	at a client
 *	CALL 120 s			a call (a NAME has no limit), or a slot or bounce
 *					buffer for it
 *	  REVOKE 20 s			  .. another client gives frames back
 *	  GONE 5 s			  .. or is seen to have ended, as it says
 *	    FENCE_ASK 13 s		    .. or is fenced, as the boot image says
 *	      FENCE 10 s		    .. (several silent ones
 *					    one after the other: that may add up)
 *	      PARK 3 s			      .. its CPUs to count themselves
 *	  FETCH_TRIES x FETCH_PAUSE	a fault, for the owner to have frames again
 *	HEAR 10 s			who watches a file, for a slot or bounce buffer to tell
 *					its owner; then work tells it
 *	OWNER_SILENT 60 s		ccfs, for a sign of life of the proxy
 *	  PROXY_SEND 30 s		  .. which waits so for ccfs to read
 *	MOUNT 60 s			ccctl, for mount.ccfs
 *	  MOUNT_REPORT 45 s		  .. which waits for its own child
 *	    MOUNT_CONNECT 10 s		    .. to have a connection
 *	    MOUNT_HELLO 10 s		    .. and an answer
 *	      PASS_TRIES x PASS_PAUSE	      .. the module to let go of the last proxy
 *	GREET 20 s			proxyd, for HELLO and what it names; and for
 *					a proxy before this one to end
 *	INIT_MOUNT 20 s			ccinit, the same: it gives up before
 *					mount.ccfs does, and tries again
 *
 *	an image starts
 *	LOCK 300 s			another ccctl, for the one that is at work
 *	  IMAGE_UP 60 s			  .. for its images (--timeout)
 *	    ALIVE 3 s			  .. for the first CPU
 *	  CONSOLE_SEARCH 10 s		  .. looking for a kernel's messages
 *	  MODULE 300 s			  .. for modprobe: all of the region
 *
 *	an image ends
 *	LOCK 300 s			as above
 *	  GRACE 10 s			ccctl, for the image to shut down (stop's --timeout)
 *	    POWEROFF 3 s		  .. to say that it will
 *	      INIT_REQUEST 2 s		    .. ccinit, for the words
 *	    INIT_TERM 2 s, twice	  .. its commands to end, TERM then KILL
 *	    INIT_UNMOUNT 3 s		  .. each of its mounts
 *	    INIT_SYNC 2 s		  .. what is dirty, to reach its owner
 *	  DYING 35 s			ccctl, for an image that ended by itself
 *	    END 30 s			  ccboot.ko, the same for STOP
 *	      PARK 3 s			    .. its CPUs to count themselves
 *	      REVOKE 20 s		    .. and the others to let go of it; then it
 *					    goes on dying until they have
 *	RESET 15 ms			an image's kernel, until it resets the box
 *	  WATCH 3 ms			  .. how often its slot is looked at
 *	BEAT 2.5 s			ccctl status, for a heartbeat
 *	  TICK 250 ms			  .. which is one each
 *
 *	a command on another image
 *	EXEC_SILENT 60 s		the client, for a sign of life
 *	  EXEC_PING 1 s			  .. that it asks for
 *	EXEC_START 30 s			the server, for a request to be whole
 *	EXEC_CONNECT 5 s		the client, for a connection
 *	  BIND 1 s			  .. a port below 1024 of its own
 */
#ifndef SHAREDPC_LIMITS_H
#define SHAREDPC_LIMITS_H

#include "sharedpc_wire.h"

/* Frames: client and owner. */
#define LIMIT_CALL_S		120	/* for the owner to answer */
#define LIMIT_BOUNCE_S		LIMIT_CALL_S	/* for other writers' calls */
#define LIMIT_BOUNCE_WHOLE_S	1	/* for as many as make one write of one */
#define LIMIT_REVOKE_S		20	/* until a silent client is fenced */
#define LIMIT_RESEND_S		1	/* then a message is sent again; a call after twice as long */
#define LIMIT_RESEND_TIMES	4	/* .. each time, so often */
#define LIMIT_GONE_S		5	/* the same, if its slot says it is not there */
#define LIMIT_LIFE_S		5	/* for the boot image to say in which life an image is */
#define LIMIT_FENCE_ASK_S	13	/* for it to have fenced one */
#define LIMIT_LEAVE_S		5	/* then it is said that others use what an image had */
#define LIMIT_TICK_MS		250	/* a heartbeat; silence shows soon */
#define LIMIT_CLOCK_MS		250	/* between looks at the boot image's clock */
#define LIMIT_PINNED_LOOK_MS	50	/* are frames free that I/O held? */
#define LIMIT_TIDY_MS		2000	/* between looks at files kept open */
#define LIMIT_HEAR_S		10	/* who watches a file, for a slot to tell its owner */
#define LIMIT_FETCH_PAUSE_MS	100	/* an owner has no frames to spare: wait */
#define LIMIT_FETCH_TRIES	3	/* after the first */
#define LIMIT_ALIAS_TRIES	10	/* a page that is another file's here */
#define LIMIT_ALIAS_PAUSE_MS	10	/* between them */
#define LIMIT_FAULT_TRIES	64	/* frames taken back before a client maps them */
#define LIMIT_GRANT_TRIES	100	/* pages that move while they are granted */
#define LIMIT_PROXY_TRIES	50	/* moves or lost races until -EBUSY */

/* Files: ccfs and proxyd. */
#define LIMIT_OWNER_SILENT_MS	60000	/* until ccfs takes the owner for dead */
#define LIMIT_PROXY_SEND_S	30	/* for a client to take its answers */
#define LIMIT_PROXY_SWEEP_MS	250	/* between looks at forgotten nodes */
#define LIMIT_MOUNT_CONNECT_MS	10000
#define LIMIT_MOUNT_HELLO_S	10
#define LIMIT_MOUNT_REPORT_MS	45000	/* both, and INIT, with some to spare */
#define LIMIT_MOUNT_S		60	/* ccctl: for mount.ccfs */
#define LIMIT_CLIENT_MOUNTS	32	/* of one image, in partitions.conf */
#define LIMIT_CLIENT_CONNS	64	/* of one image at the owner: file systems, and
					 * mounts of each
					 */
#define LIMIT_GREET_S		20	/* for a mount to be known: HELLO and its file system */
#define LIMIT_ACCEPT_PAUSE_MS	200	/* no descriptor for a connection: wait */
#define LIMIT_PASS_TRIES	50	/* to find the proxy of a mount */
#define LIMIT_PASS_PAUSE_MS	100	/* between them */

/* Life of an image: ccboot.ko, ccctl, ccinit. */
#define LIMIT_WATCH_MS		3	/* between looks at the slots */
#define LIMIT_RESET_MS		15	/* from the reset byte to the next method */
#define LIMIT_ALIVE_MS		3000	/* for the first CPU to reach the trampoline */
#define LIMIT_PARK_MS		3000	/* for a stopped CPU to count itself */
#define LIMIT_FENCE_MS		10000	/* for that, to whoever asked for it */
#define LIMIT_END_MS		30000	/* for STOP: parking and sharedpc.ko's work */
#define LIMIT_DYING_MS		35000
#define LIMIT_BEAT_MS		2500
#define LIMIT_IMAGE_UP_S	60	/* for an image to come up */
#define LIMIT_GRACE_S		10	/* for one to shut itself down */
#define LIMIT_POWEROFF_S	3	/* for the connection, and for the answer */
#define LIMIT_LOCK_S		300	/* for another ccctl */
#define LIMIT_MODULE_S		300	/* sharedpc.ko adds and removes the region */
#define LIMIT_PROXYD_STOP_MS	5000
#define LIMIT_SPAWN_KILL_MS	2000	/* for a killed program to be gone */
#define LIMIT_CONSOLE_SEARCH_MS	10000	/* for a kernel's messages in its slice */
#define LIMIT_INIT_MOUNT_S	20	/* for one try */
#define LIMIT_INIT_MOUNT_TRIES	5	/* the owner may not be listening yet */
#define LIMIT_INIT_MOUNT_PAUSE_MS 500	/* between them */
#define LIMIT_INIT_OWNER_S	20	/* for other images to come up, which are owners */
#define LIMIT_INIT_LATER_MS	3000	/* between tries after that */
#define LIMIT_INIT_REQUEST_S	2	/* for the words after a connection */
#define LIMIT_INIT_TERM_MS	2000	/* from SIGTERM to SIGKILL */
#define LIMIT_INIT_UNMOUNT_MS	3000
#define LIMIT_INIT_SYNC_MS	2000	/* for what is dirty to reach its owner */

/* kernel.pid_max of all images, which sharedpc.ko (image/pids.c) divides among them. */
#define LIMIT_PIDS		"4194304"

/* Commands on another image: lib/exec-*, ccexecd, the box. */
#define LIMIT_EXEC_CONNECT_S	5
#define LIMIT_EXEC_CONNECT_TRIES 20	/* while the image's ccexecd is starting */
#define LIMIT_EXEC_PING_MS	1000
#define LIMIT_EXEC_SILENT_MS	60000
#define LIMIT_EXEC_START_MS	30000	/* from a connection to a whole request */
#define LIMIT_EXEC_HANGUP_MS	300	/* between SIGHUP and SIGKILL */
#define LIMIT_EXEC_PORTS	64	/* virtio ports of the box */
#define LIMIT_EXEC_CONNS	64	/* connections served at once */
#define LIMIT_BIND_PAUSE_MS	50	/* all ports below 1024 are taken: wait */
#define LIMIT_BIND_TRIES	20	/* after the first: a second */
#define LIMIT_PROVE_BARRIER_S	60	/* ccprove: for the other images */

/* A message may get lost several times, and the fence does not come. */
_Static_assert(LIMIT_RESEND_S == 1 && LIMIT_REVOKE_S >= 14, "tries of a REVOKE");
/* A call may have to wait until another client has been fenced. */
_Static_assert(LIMIT_REVOKE_S + LIMIT_FENCE_ASK_S < LIMIT_CALL_S, "call and revoke");
_Static_assert(LIMIT_FENCE_MS < LIMIT_FENCE_ASK_S * 1000, "the fence and who asks for it");
/* A proxy asks before it says SERVE. */
_Static_assert(LIMIT_LIFE_S * 1000 < LIMIT_MOUNT_HELLO_S * 1000, "lives and ccfs");
_Static_assert(LIMIT_PARK_MS < LIMIT_GONE_S * 1000, "parking and the fence");
_Static_assert(LIMIT_PROXY_SEND_S * 1000 < LIMIT_OWNER_SILENT_MS, "proxy, ccfs");
_Static_assert(LIMIT_MOUNT_CONNECT_MS + LIMIT_MOUNT_HELLO_S * 1000 <
	       LIMIT_MOUNT_REPORT_MS, "mount.ccfs and its child");
_Static_assert(LIMIT_MOUNT_REPORT_MS < LIMIT_MOUNT_S * 1000, "ccctl, mount.ccfs");
_Static_assert(LIMIT_PASS_TRIES * LIMIT_PASS_PAUSE_MS < LIMIT_MOUNT_HELLO_S * 1000,
	       "a proxy on its way out, and ccfs");
_Static_assert(LIMIT_CLIENT_MOUNTS <= LIMIT_CLIENT_CONNS, "mounts of a client");
_Static_assert(4 * LIMIT_WATCH_MS < LIMIT_RESET_MS, "watcher and reset");
_Static_assert(LIMIT_PARK_MS < LIMIT_FENCE_MS, "parking and who asked for it");
_Static_assert(LIMIT_PARK_MS + LIMIT_REVOKE_S * 1000 < LIMIT_END_MS, "parking and the end");
_Static_assert(LIMIT_END_MS < LIMIT_DYING_MS, "ccboot.ko and ccctl");
_Static_assert(LIMIT_ALIVE_MS < LIMIT_IMAGE_UP_S * 1000, "first CPU");
_Static_assert(LIMIT_INIT_OWNER_S < LIMIT_IMAGE_UP_S / 2, "owners that are down, and ccctl");
_Static_assert(10 * LIMIT_TICK_MS == LIMIT_BEAT_MS, "ten heartbeats");
_Static_assert(LIMIT_INIT_REQUEST_S < LIMIT_POWEROFF_S, "ccinit and ccctl");
/* Commands that end only when they are killed, one hung mount, and what it holds up. */
_Static_assert(2 * LIMIT_INIT_TERM_MS + LIMIT_INIT_UNMOUNT_MS + LIMIT_INIT_SYNC_MS <
	       LIMIT_GRACE_S * 1000, "a shut-down");
_Static_assert(LIMIT_GRACE_S + LIMIT_IMAGE_UP_S < LIMIT_LOCK_S, "a restart");
_Static_assert(10 * LIMIT_EXEC_PING_MS < LIMIT_EXEC_SILENT_MS, "pings");
_Static_assert(LIMIT_BIND_TRIES * LIMIT_BIND_PAUSE_MS <
	       LIMIT_EXEC_CONNECT_S * 1000, "bind and connect");
/* What one server answers finds room, if its calls are all that is open. */
_Static_assert(SHAREDPC_CALLS * (sizeof(struct sharedpc_record) +
	       sizeof(struct sharedpc_frames)) <= SHAREDPC_RING_DATA, "answers");

#endif

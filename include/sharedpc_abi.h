/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sharedpc_abi.h - the shared control area ("ctl") of a partitioned box
 *
 * One physically contiguous, reserved range of RAM that every image maps
 * write-back.  The boot image formats it once; from then on it is the only
 * memory besides the region that two kernels touch (besides these a client
 * only reads the i_size of files it has open or mapped, in their owner's own
 * memory).  It holds:
 *
 *	header		the box: images, region, clock
 *	slots		one per image: state, doorbell, heartbeat
 *	consoles	one per image: output ring, input ring
 *	rings		three per ordered pair of images: what the one says as a
 *			client, as an owner, and in sockets
 *	bounces		buffers of each image for data and requests on their way to an
 *			owner, and for its answers
 *	futexes		of each image: how many wait, for which words
 *	words		one set per image (sharedpc_words.h), in what ctl has
 *			beyond SHAREDPC_CTL_SIZE; none if it has no more
 *
 * Writers.  The header is written by the boot image only.  A slot is written
 * by its image while that image runs, and by the boot image while it does
 * not (states EMPTY, STOPPED, FENCED).  A ring's head belongs to its
 * producer, its tail to its consumer.  Nobody trusts what it reads here:
 * copy once, check the copy, use the copy.
 *
 * Ring indices are never reset.  An image that starts throws away what is in
 * its incoming rings (tail = head) before it says READY; records carry the
 * sender's epoch, so that what an earlier life of the sender left behind is
 * dropped by the receiver.
 *
 * Changelog
 *	revision 1	first
 *	revision 2	wire and ioctl: the end of a proxy
 *	revision 3	words, behind all that has a fixed place
 *	revision 4	48 bounce buffers of 32 KiB; wire and ioctl: servers have
 *			numbers; the boot image's memory
 *	revision 5	a ring for what a client says, one for what an owner says;
 *			slot.polling; record.sum
 *	revision 6	parts of the region, and memory, have owners; wire: LIFE,
 *			LIVES, LEAVE, LEFT
 *	revision 8	wire and ioctl: locks
 *	revision 9	futexes; wire: WAKE
 *	revision 10	wire: PUNCH; ioctl: more of attributes, what others do to what is watched
 */
#ifndef SHAREDPC_ABI_H
#define SHAREDPC_ABI_H

#include <linux/types.h>

#define SHAREDPC_MAGIC		0x31637063		/* "cpc1" */
#define SHAREDPC_REVISION	10

#define SHAREDPC_IMAGES_MAX	8
#define SHAREDPC_REGIONS_MAX	16	/* parts of the region */
#define SHAREDPC_RAM_MAX	48	/* ranges of the images' own memory */
#define SHAREDPC_NAME_MAX	32	/* bytes, with the closing NUL */
#define SHAREDPC_BOOT		0	/* the boot image's id */
#define SHAREDPC_CID_BASE	16	/* AF_VSOCK CID of image n: 16 + n */

/*
 * AF_VSOCK ports of the services that come with the project; ccinit's is 515
 * (boot/init/poweroff.h).
 */
#define SHAREDPC_PORT_EXEC	514
#define SHAREDPC_PORT_PROXY	2049

/*
 * Layout, in bytes from the start of ctl.  All of this fits in
 * SHAREDPC_CTL_SIZE for SHAREDPC_IMAGES_MAX images; words come behind it.
 */
#define SHAREDPC_SLOT_OFF	0x1000UL
#define SHAREDPC_SLOT_SIZE	0x1000UL
#define SHAREDPC_CONSOLE_OFF	0x10000UL
#define SHAREDPC_CONSOLE_SIZE	0x50000UL
#define SHAREDPC_FUTEX_OFF	0x300000UL
#define SHAREDPC_FUTEX_SIZE	0x4000UL
#define SHAREDPC_RING_OFF	0x400000UL
#define SHAREDPC_RING_SIZE	0x11000UL	/* header page and data */
#define SHAREDPC_BOUNCE_OFF	0x1400000UL
#define SHAREDPC_BOUNCE_SIZE	0x8000UL	/* one buffer */
#define SHAREDPC_BOUNCES		48		/* buffers per image */
#define SHAREDPC_CTL_SIZE	0x2000000UL	/* 32 MiB */

/* A range of physical memory, bytes. */
struct sharedpc_range {
	__u64 start;
	__u64 size;
};

/* One that belongs to an image. */
struct sharedpc_part {
	struct sharedpc_range range;
	__u32 image;
	__u32 reserved;
};

struct sharedpc_header {
	__u32 magic;		/* written last: ctl is valid once it is there */
	__u32 revision;
	__u64 size;		/* of ctl */
	__u32 nr_images;	/* slots in use, the boot image included */
	__u32 nr_regions;
	struct sharedpc_part region[SHAREDPC_REGIONS_MAX];	/* who owns its frames */
	__u64 wall_ns;		/* ns since 1970 at wall_tsc, from the boot image */
	__u64 wall_tsc;
	__u32 tsc_khz;
	__u32 clock_seq;	/* odd while the three above change */
	__u64 words_off;	/* from the start of ctl; image 0's */
	__u64 words_size;	/* of one image's; 0: there are none */
	__u32 nr_ram;
	__u32 reserved;
	struct sharedpc_part ram[SHAREDPC_RAM_MAX];	/* where an image's inodes can be */
};

/*
 * Life of an image.  Who writes which state:
 *	EMPTY		boot image: never started
 *	STARTING	boot image: its CPUs are about to run
 *	READY		the image: sharedpc.ko is up, rings may be used
 *	HALTED		the image: shut down in order, CPUs parked
 *	REBOOTING	the image: asked for a restart, CPUs parked
 *	PANICKED	the image: the kernel panicked, CPUs parked
 *	STOPPED		boot image: its CPUs have had INIT, nothing of it runs
 *	FENCED		boot image: the same, after it did not answer
 */
enum sharedpc_state {
	SHAREDPC_EMPTY		= 0,
	SHAREDPC_STARTING	= 1,
	SHAREDPC_READY		= 2,
	SHAREDPC_HALTED		= 3,
	SHAREDPC_REBOOTING	= 4,
	SHAREDPC_PANICKED	= 5,
	SHAREDPC_STOPPED	= 6,
	SHAREDPC_FENCED		= 7,
};

struct sharedpc_slot {
	__u32 state;		/* enum sharedpc_state */
	__u32 epoch;		/* starts of this image so far, by the boot image */
	__u32 doorbell_apic;	/* APIC id that takes this image's doorbell */
	__u32 doorbell_vector;	/* 0: none yet */
	__u64 heartbeat;	/* counts up while READY, 4 times a second */
	__u64 stage;		/* user-space progress, for ccctl up: see ccinit */
	char name[SHAREDPC_NAME_MAX];
	char last_words[256];	/* panic message, NUL-terminated */
	__u32 polling;		/* not 0: it looks at its rings without a doorbell */
	__u8 pad[0x800 - 324];
	/*
	 * The image's ACPI reset register points here.  Anything but 0 means
	 * that its kernel wants the machine reset; the boot image fences it.
	 */
	__u8 reset;
};

/* What slot->stage says about an image's user space. */
enum sharedpc_stage {
	SHAREDPC_STAGE_KERNEL	= 0,	/* no user space yet */
	SHAREDPC_STAGE_INIT	= 1,	/* ccinit runs, sharedpc.ko is loaded */
	SHAREDPC_STAGE_MOUNTED	= 2,	/* all its file systems are mounted */
	SHAREDPC_STAGE_SERVING	= 3,	/* takes commands: the image is up */
	SHAREDPC_STAGE_FAILED	= 4,	/* could not; the console says why */
};

/*
 * A console.  out is an overwriting ring: out_head counts the bytes written
 * since this start of the image, the last SHAREDPC_CONSOLE_OUT of them are
 * there.
 * in is an ordinary SPSC ring: the boot image produces, the image consumes.
 */
#define SHAREDPC_CONSOLE_OUT	0x40000UL
#define SHAREDPC_CONSOLE_IN	0x1000UL

struct sharedpc_console {
	__u64 out_head;		/* bytes written since the image started */
	__u8 pad0[56];
	__u64 in_head;		/* producer: boot image */
	__u8 pad1[56];
	__u64 in_tail;		/* consumer: the image */
	__u8 pad2[0x1000 - 136];
	__u8 in[SHAREDPC_CONSOLE_IN];
	__u8 out[SHAREDPC_CONSOLE_OUT];
};

/*
 * Where an image's tasks are, for who looks for robust mutexes in the memory of a dead one
 * (sharedpc/futex/dead.c).  Addresses are virtual ones of its kernel; from task_next on
 * they are offsets of members, bytes.
 */
struct sharedpc_tasks {
	__u64 init_task;
	__u64 page_offset;	/* of physical address 0 */
	__u64 phys_base;	/* physical address of the kernel's own map */
	__u64 file_operations;	/* of files of other images */
	__u32 levels;		/* of page tables */
	__u32 task_next, task_signal, task_thread, task_robust, task_mm, task_pid;
	__u32 signal_threads;
	__u32 mm_pgd, mm_tree;
	__u32 vma_start, vma_end, vma_flags, vma_page, vma_file;
	__u32 file_op, file_inode;
	__u32 inode_frames;	/* the root of its xarray */
	__u32 pid_level, pid_numbers, pid_number_size;
};

/*
 * Futexes in shared files: the tasks of an image that wait, by hash slots of the words'
 * names (sharedpc/futex).  Written by that image, read by who wakes.
 */
#define SHAREDPC_FUTEX_SLOTS	2048

struct sharedpc_futex {
	__u32 waiting;		/* in all slots */
	__u8 pad0[60];
	__u64 sent[SHAREDPC_IMAGES_MAX];	/* WAKEs to each image, in this life */
	struct sharedpc_tasks tasks;
	__u8 pad1[0x1000 - 128 - sizeof(struct sharedpc_tasks)];
	__u32 count[SHAREDPC_FUTEX_SLOTS];
};

/*
 * A ring from one image to another: single producer, single consumer bytes,
 * cut into records that start at multiples of 8.  head and tail count bytes
 * for ever; the byte at count n lies at data[n % SHAREDPC_RING_DATA].  A
 * record may wrap.
 */
enum sharedpc_ring_class {
	SHAREDPC_RING_CLIENT	= 0,	/* calls, and answers to revokes */
	SHAREDPC_RING_OWNER	= 1,	/* answers to calls, and revokes */
	SHAREDPC_RING_SOCKET	= 2,	/* AF_VSOCK packets */
	SHAREDPC_RING_CLASSES	= 3,
};

#define SHAREDPC_RING_DATA	0x10000UL

struct sharedpc_ring {
	__u64 head;		/* producer */
	__u8 pad0[56];
	__u64 tail;		/* consumer */
	__u8 pad1[0x1000 - 72];
	__u8 data[SHAREDPC_RING_DATA];
};

struct sharedpc_record {
	__u32 len;		/* bytes of payload after this header */
	__u32 epoch;		/* slot epoch of the sender */
	__u64 sum;		/* of both and the payload: sharedpc_sum */
};

/* A word more in the sum of a record: any word that is another one shows. */
static inline __u64 sharedpc_sum(__u64 sum, __u64 word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
	return sum ^ sum >> 32;
}

static inline __u64 sharedpc_slot_off(__u32 image)
{
	return SHAREDPC_SLOT_OFF + image * SHAREDPC_SLOT_SIZE;
}

static inline __u64 sharedpc_console_off(__u32 image)
{
	return SHAREDPC_CONSOLE_OFF + image * SHAREDPC_CONSOLE_SIZE;
}

static inline __u64 sharedpc_futex_off(__u32 image)
{
	return SHAREDPC_FUTEX_OFF + image * SHAREDPC_FUTEX_SIZE;
}

/* The ring from image @src to image @dst. */
static inline __u64 sharedpc_ring_off(__u32 src, __u32 dst, __u32 class)
{
	return SHAREDPC_RING_OFF + ((src * SHAREDPC_IMAGES_MAX + dst) *
		SHAREDPC_RING_CLASSES + class) * SHAREDPC_RING_SIZE;
}

static inline __u64 sharedpc_bounce_off(__u32 image, __u32 buffer)
{
	return SHAREDPC_BOUNCE_OFF +
		(image * SHAREDPC_BOUNCES + buffer) * SHAREDPC_BOUNCE_SIZE;
}

_Static_assert(sizeof(struct sharedpc_header) <= SHAREDPC_SLOT_OFF, "header");
_Static_assert(sizeof(struct sharedpc_slot) <= SHAREDPC_SLOT_SIZE, "slot");
_Static_assert(__builtin_offsetof(struct sharedpc_slot, reset) == 0x800, "reset");
_Static_assert(sizeof(struct sharedpc_console) <= SHAREDPC_CONSOLE_SIZE, "console");
_Static_assert(SHAREDPC_CONSOLE_OFF + SHAREDPC_IMAGES_MAX * SHAREDPC_CONSOLE_SIZE
	       <= SHAREDPC_FUTEX_OFF, "consoles");
_Static_assert(sizeof(struct sharedpc_futex) <= SHAREDPC_FUTEX_SIZE, "futexes of an image");
_Static_assert(SHAREDPC_FUTEX_OFF + SHAREDPC_IMAGES_MAX * SHAREDPC_FUTEX_SIZE
	       <= SHAREDPC_RING_OFF, "futexes");
_Static_assert(sizeof(struct sharedpc_ring) <= SHAREDPC_RING_SIZE, "ring");
_Static_assert(SHAREDPC_RING_OFF + SHAREDPC_IMAGES_MAX * SHAREDPC_IMAGES_MAX *
	       SHAREDPC_RING_CLASSES * SHAREDPC_RING_SIZE
	       <= SHAREDPC_BOUNCE_OFF, "rings");
_Static_assert(SHAREDPC_BOUNCE_OFF + SHAREDPC_IMAGES_MAX * SHAREDPC_BOUNCES *
	       SHAREDPC_BOUNCE_SIZE <= SHAREDPC_CTL_SIZE, "bounces");

#endif

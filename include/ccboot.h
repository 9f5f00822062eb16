/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ccboot.h - /dev/ccboot, how ccctl asks ccboot.ko to run images
 *
 * The module does only what needs the kernel: it keeps the boot image away
 * from lent CPUs, sends INIT and SIPI, watches running images, and lets its
 * one user map the memory of images.  All that goes into that memory (kernel,
 * boot_params, ACPI tables, page tables, trampoline) is written by ccctl.
 *
 * Life of an image here:
 *
 *	ABSENT --ADD--> IDLE --LEND--> LENT --START--> RUNNING --> DYING
 *	       <REMOVE-      <RETURN--      <------ CPUs stopped -----+
 *	                                    STUCK <- a CPU did not stop
 *
 * The device needs CAP_SYS_ADMIN to open.  Calls return 0, or -1 with errno:
 * EINVAL for fields out of range, ENOENT for an image that was not added,
 * EBUSY for the wrong state, unless said otherwise.
 *
 * Changelog
 *	revision 1	first
 */
#ifndef CCBOOT_H
#define CCBOOT_H

/*
 * The trampoline page: the first page of an image's low chunk.  Code at its
 * start, this structure at CCBOOT_TRAMPOLINE_OFF.  A CPU gets there by SIPI.
 */
#define CCBOOT_TRAMPOLINE_OFF	0x400
#define CCBOOT_TRAMPOLINE_MAGIC	0x706d7274	/* "trmp" */
#define CCBOOT_MODE_BOOT	1	/* go to the kernel */
#define CCBOOT_MODE_PARK	2	/* count yourself in acks, halt */

/* Offsets of struct ccboot_trampoline for the assembler. */
#define CCBOOT_TR_MODE		0x04
#define CCBOOT_TR_ACKS		0x08
#define CCBOOT_TR_NR_MSRS	0x0c
#define CCBOOT_TR_CR3		0x10
#define CCBOOT_TR_FAR		0x14
#define CCBOOT_TR_GDT_LIMIT	0x1e
#define CCBOOT_TR_ENTRY		0x28
#define CCBOOT_TR_RSI		0x30
#define CCBOOT_TR_GDT		0x38
#define CCBOOT_TR_MSR		0x58
#define CCBOOT_MSRS_MAX		64

#ifndef __ASSEMBLER__

#include <linux/ioctl.h>
#include <linux/types.h>
#include "sharedpc_abi.h"

#define CCBOOT_DEVICE		"/dev/ccboot"
#define CCBOOT_REVISION		1
#define CCBOOT_CPUS_MAX		256	/* of one image */

struct ccboot_msr {
	__u32 index;
	__u32 reserved;
	__u64 value;
};

struct ccboot_trampoline {
	__u32 magic;
	__u32 mode;		/* CCBOOT_MODE_*, written by ccboot.ko */
	__u32 acks;		/* CPUs that came here */
	__u32 nr_msrs;		/* used entries of msr; by ccboot.ko */
	__u32 cr3;		/* top page table, below 4 GiB */
	__u32 far_offset;	/* where the 64-bit code starts, physical */
	__u16 far_selector;
	__u8 pad0[4];
	__u16 gdt_limit;
	__u32 gdt_base;		/* physical address of gdt below */
	__u8 pad1[4];
	__u64 entry;		/* the kernel's 64-bit entry, physical */
	__u64 rsi;		/* boot_params, physical */
	__u64 gdt[4];
	struct ccboot_msr msr[CCBOOT_MSRS_MAX];
	__u64 token;		/* names this start; on the command line too */
};

#define CCBOOT_AT(field, off) \
	_Static_assert(__builtin_offsetof(struct ccboot_trampoline, field) == \
		       (off), #field)
CCBOOT_AT(mode, CCBOOT_TR_MODE);
CCBOOT_AT(acks, CCBOOT_TR_ACKS);
CCBOOT_AT(nr_msrs, CCBOOT_TR_NR_MSRS);
CCBOOT_AT(cr3, CCBOOT_TR_CR3);
CCBOOT_AT(far_offset, CCBOOT_TR_FAR);
CCBOOT_AT(gdt_limit, CCBOOT_TR_GDT_LIMIT);
CCBOOT_AT(gdt_base, CCBOOT_TR_GDT_LIMIT + 2);
CCBOOT_AT(entry, CCBOOT_TR_ENTRY);
CCBOOT_AT(rsi, CCBOOT_TR_RSI);
CCBOOT_AT(gdt, CCBOOT_TR_GDT);
CCBOOT_AT(msr, CCBOOT_TR_MSR);
_Static_assert(CCBOOT_TRAMPOLINE_OFF + sizeof(struct ccboot_trampoline) <= 4096,
	       "trampoline");

enum ccboot_state {
	CCBOOT_ABSENT	= 0,	/* never added */
	CCBOOT_IDLE	= 1,	/* its CPUs belong to the boot image */
	CCBOOT_LENT	= 2,	/* its CPUs are lent, nothing runs on them */
	CCBOOT_RUNNING	= 3,
	CCBOOT_DYING	= 4,	/* its CPUs are being stopped */
	CCBOOT_STUCK	= 5,	/* a CPU did not stop: nothing may be reused */
};

/* Why an image's last life ended. */
enum ccboot_cause {
	CCBOOT_NONE	= 0,	/* it runs, or never did */
	CCBOOT_STOP	= 1,	/* STOP was called */
	CCBOOT_HALT	= 2,	/* it shut itself down */
	CCBOOT_REBOOT	= 3,	/* it wanted to reboot */
	CCBOOT_PANIC	= 4,	/* its kernel panicked, see slot->last_words */
	CCBOOT_RESET	= 5,	/* it wrote to its reset register */
	CCBOOT_FENCE	= 6,	/* sharedpc.ko found it silent */
	CCBOOT_NOCPU	= 7,	/* its first CPU did not answer START */
};

struct ccboot_info {
	__u32 revision;
	__u32 tsc_khz;
	__u32 boot_apic;	/* APIC id of CPU 0 */
	__u32 reserved;
};

struct ccboot_apic {
	__u32 cpu;		/* in: logical CPU number; ENXIO: not possible */
	__u32 apic;		/* out */
};

/*
 * Physical memory, bytes, page-aligned.  EBUSY when part of it is memory that
 * this kernel uses.  After ADD (mem and low) or CTL it can be mapped: mmap of
 * the device, offset = physical address, MAP_SHARED (EPERM: in no range that
 * was handed in); an image's memory only to read while it is RUNNING, DYING or
 * STUCK (EBUSY).
 */
struct ccboot_image {
	__u32 id;		/* 1.. */
	__u32 nr_cpus;
	struct sharedpc_range mem;
	struct sharedpc_range low;	/* below 1 MiB */
	char name[SHAREDPC_NAME_MAX];
	__u32 cpu[CCBOOT_CPUS_MAX];	/* logical numbers; cpu[0] boots first */
};

struct ccboot_status {
	__u32 id;		/* in */
	__u32 state;		/* enum ccboot_state */
	__u32 cause;		/* enum ccboot_cause */
	__u32 starts;		/* successful STARTs since the module came */
	__u64 start_ns;		/* CLOCK_BOOTTIME of the last START, 0: none */
	__u64 end_ns;		/* and of its end */
};

#define CCBOOT_IOC_INFO		_IOR('B', 1, struct ccboot_info)
#define CCBOOT_IOC_APIC		_IOWR('B', 2, struct ccboot_apic)
#define CCBOOT_IOC_CTL		_IOW('B', 3, struct sharedpc_range)
#define CCBOOT_IOC_ADD		_IOW('B', 4, struct ccboot_image)	/* EEXIST */
#define CCBOOT_IOC_REMOVE	_IOW('B', 5, __u32)
#define CCBOOT_IOC_LEND		_IOW('B', 6, __u32)	/* EBUSY: a CPU is on-line */
#define CCBOOT_IOC_RETURN	_IOW('B', 7, __u32)
/* EIO: first CPU silent; ENOEXEC: no trampoline */
#define CCBOOT_IOC_START	_IOW('B', 8, __u32)
/* ETIMEDOUT: STUCK, or still DYING after 30 s */
#define CCBOOT_IOC_STOP		_IOW('B', 9, __u32)
#define CCBOOT_IOC_STATUS	_IOWR('B', 10, struct ccboot_status)
#define CCBOOT_IOC_RING		_IOW('B', 11, __u32)	/* its console has input */

#endif /* __ASSEMBLER__ */
#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * types.h - what all files of sharedpc.ko take for granted, in user space
 *
 * The headers here have the kernel words that some of its files need, so that the very
 * files that run in the kernel run under sanitizers and between threads too.  What they
 * do besides is in kernel.h.
 */
#ifndef TEST_KERNEL_TYPES_H
#define TEST_KERNEL_TYPES_H

#include_next <linux/types.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <linux/errno.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef unsigned int gfp_t;

#define __user
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof(*(a)))
#define U32_MAX			UINT32_MAX
#define U64_MAX			UINT64_MAX
#define S64_MAX			INT64_MAX
#define MAX_ERRNO		4095
#define ERESTARTSYS		512

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), d)
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))

/*
 * As KCSAN has it: a READ_ONCE may meet plain stores of somebody else, who has a lock, but
 * a plain load may not meet a WRITE_ONCE.  So the thread sanitizer does not see the first.
 * It orders nothing, in C11 as well.
 */
void kernel_read_once(void *to, const volatile void *from, size_t size);
#define READ_ONCE(x) ({							\
	union { __typeof__(x) val; char c[1]; } once_;			\
	kernel_read_once(once_.c, &(x), sizeof(x));			\
	once_.val;							\
})
#define WRITE_ONCE(x, v)		__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
/* What C11 calls it; its users say what it pairs with. */
#define smp_load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
/* The same. */
#define smp_store_release(p, v)		__atomic_store_n(p, v, __ATOMIC_RELEASE)
/* A fence is nothing that the thread sanitizer knows: all of them go by one word. */
void kernel_mb(void);
/* Its users say what it pairs with. */
#define smp_mb()			kernel_mb()
/* The same. */
#define smp_mb__after_atomic()		kernel_mb()
#define xchg(p, v)			__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* A message of the kernel's log: seen with VERBOSE=1. */
void kernel_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define pr_err(...)			kernel_log(__VA_ARGS__)
#define pr_err_ratelimited(...)		kernel_log(__VA_ARGS__)
#define pr_warn_ratelimited(...)	kernel_log(__VA_ARGS__)
#define pr_info(...)			kernel_log(__VA_ARGS__)

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *p)
{
	return (long)p;
}

static inline bool IS_ERR(const void *p)
{
	return (unsigned long)p >= -(unsigned long)MAX_ERRNO;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trampoline.S - what a lent CPU runs between SIPI and its kernel
 *
 * ccctl copies it to the first page of an image's low chunk; SIPI starts a
 * CPU at the page's first byte in real mode, CS = page / 16.  Struct
 * ccboot_trampoline (include/ccboot.h), in the same page, says what to do:
 *
 *	MODE_BOOT	set the memory types, go straight to long mode with the
 *			page table cr3, caches on, %rsi = rsi, jump to entry
 *	MODE_PARK	halt for ever
 *
 * Either way the CPU first counts itself in acks.  The code is position
 * independent: nothing here needs a relocation, all absolute addresses (GDT,
 * far pointer, page table) are in the structure.
 *
 * The memory types are written with the caches still off, as INIT or reset
 * left them, or switched off here if not (Intel SDM volume 3, 12.11.8).
 */
#include "ccboot.h"

#define TR(field)	(CCBOOT_TRAMPOLINE_OFF + CCBOOT_TR_##field)
#define MSR_EFER	0xc0000080
#define MSR_MTRRCAP	0xfe
#define MSR_DEFTYPE	0x2ff
#define CR0_PE_PG	0x80000001
#define CR0_CD_NW	0x60000000
#define CR4_PAE		0x20

	.section .rodata
	.balign	16
	.globl	trampoline_start, trampoline_64, trampoline_end

	.code16
trampoline_start:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lock incl TR(ACKS)
	cmpl	$CCBOOT_MODE_BOOT, TR(MODE)
	je	1f
0:	hlt
	jmp	0b

	/* Caches off (they are after INIT, but be sure), contents out. */
1:	movl	%cr0, %eax
	andl	$~CR0_CD_NW, %eax
	orl	$(CR0_CD_NW & 0x40000000), %eax
	movl	%eax, %cr0
	wbinvd

	/* Memory types, MSR by MSR; the last switches the MTRRs on. */
	movl	TR(NR_MSRS), %edi
	movw	$TR(MSR), %bx
2:	testl	%edi, %edi
	jz	3f
	movl	(%bx), %ecx
	movl	8(%bx), %eax
	movl	12(%bx), %edx
	wrmsr
	addw	$16, %bx
	decl	%edi
	jmp	2b

	/* Long mode: PAE, page table, LME, then protection and paging at once. */
3:	lgdtl	TR(GDT_LIMIT)
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	TR(CR3), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	TR(ENTRY), %esi
	movl	TR(ENTRY) + 4, %edi
	movl	TR(RSI), %ebp
	movl	TR(RSI) + 4, %ebx
	movl	%cr0, %eax
	andl	$~CR0_CD_NW, %eax
	orl	$CR0_PE_PG, %eax
	movl	%eax, %cr0
	ljmpl	*TR(FAR)

	.code64
trampoline_64:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	/* entry = %edi:%esi, boot_params = %ebx:%ebp */
	shlq	$32, %rdi
	movl	%esi, %eax
	orq	%rdi, %rax
	shlq	$32, %rbx
	movl	%ebp, %esi
	orq	%rbx, %rsi
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	xorl	%edi, %edi
	jmp	*%rax
trampoline_end:

	.section .note.GNU-stack, "", @progbits

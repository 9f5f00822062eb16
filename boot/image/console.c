// SPDX-License-Identifier: GPL-2.0-only
/*
 * console.c - reads and feeds the console rings, see console.h
 *
 * Nothing the image writes is trusted: the head only says where to read in
 * the ring, modulo its size.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "boot/image/console.h"
#include "boot/load/kmsg.h"
#include "boot/load/slice.h"
#include "clock.h"
#include "sharedpc_limits.h"

/*
 * A slice may be as large as the machine: it is mapped and searched piece by
 * piece, with what follows, as a log may begin in one and end in the next.
 */
#define PIECE		(64ull << 20)
#define LOG_MAX		(16ull << 20)

static uint64_t load_acquire(const __u64 *p)
{
	/* Pairs with the image's release: bytes first, then the head. */
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* The start that the ring is of; 0: not known, as one is being prepared. */
static uint32_t epoch_now(const struct sharedpc_slot *slot)
{
	/* Pairs with sharedpc_image_start(): epoch and an empty ring, then the state. */
	if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == SHAREDPC_EMPTY)
		return 0;
	return __atomic_load_n(&slot->epoch, __ATOMIC_ACQUIRE);
}

void console_open(struct console_reader *r, const struct sharedpc_console *con,
		  const struct sharedpc_slot *slot)
{
	uint64_t head;

	r->con = con;
	r->slot = slot;
	r->epoch = epoch_now(slot);
	head = load_acquire(&con->out_head);
	r->lost = head > SHAREDPC_CONSOLE_OUT ? head - SHAREDPC_CONSOLE_OUT : 0;
	r->pos = r->lost;
}

size_t console_read(struct console_reader *r, char *buf, size_t len)
{
	uint32_t epoch = epoch_now(r->slot);
	uint64_t head = load_acquire(&r->con->out_head);
	size_t n = 0;

	if (epoch != epoch_now(r->slot))
		return 0;	/* head may be of either */
	if ((epoch && epoch != r->epoch) || head < r->pos)
		r->pos = 0;	/* the image has been started again */
	if (epoch)
		r->epoch = epoch;
	if (head - r->pos > SHAREDPC_CONSOLE_OUT) {
		r->lost += head - r->pos - SHAREDPC_CONSOLE_OUT;
		r->pos = head - SHAREDPC_CONSOLE_OUT;
	}
	while (n < len && r->pos < head)
		buf[n++] = r->con->out[r->pos++ % SHAREDPC_CONSOLE_OUT];
	return n;
}

size_t console_write(struct sharedpc_console *con, const char *buf, size_t len)
{
	uint64_t head = con->in_head;
	uint64_t used = head - load_acquire(&con->in_tail);
	size_t room = used > SHAREDPC_CONSOLE_IN ? 0 : SHAREDPC_CONSOLE_IN - used;
	size_t n = len < room ? len : room;

	for (size_t i = 0; i < n; i++)
		con->in[(head + i) % SHAREDPC_CONSOLE_IN] = buf[i];
	/* Pairs with the image's acquire: bytes first, then the head. */
	__atomic_store_n(&con->in_head, head + n, __ATOMIC_RELEASE);
	return n;
}

static void *map_physical(const struct box *box, uint64_t start, uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, box->dev, (off_t)start);

	return p == MAP_FAILED ? NULL : p;
}

/* The messages of start @token, wherever in @range they are. */
static void search(const struct box *box, const struct range *range,
		   uint64_t token, FILE *out)
{
	int64_t end = clock_ms() + LIMIT_CONSOLE_SEARCH_MS;
	int found = 0;

	for (uint64_t at = 0; at < range->size && !found; at += PIECE) {
		uint64_t left = range->size - at;
		size_t len = left < PIECE + LOG_MAX ? left : PIECE + LOG_MAX;
		void *mem = map_physical(box, range->start + at, len);

		if (!mem)
			return;
		found = kmsg_print(mem, len, PIECE, token, out);
		munmap(mem, len);
		if (!found && left > PIECE && clock_ms() > end) {
			fprintf(out, "(no messages of the kernel in the first %llu MiB; the search was given up)\n",
				(unsigned long long)(at + PIECE) >> 20);
			return;
		}
	}
}

/* What the kernel itself holds; nothing for an image that was never added. */
static void put_kmsg(const struct box *box, const struct plan_image *img,
		     FILE *out)
{
	const struct ccboot_trampoline *tr;
	void *page;

	page = map_physical(box, img->low.start, SLICE_PAGE);
	if (!page)
		return;
	tr = page + CCBOOT_TRAMPOLINE_OFF;
	if (tr->magic == CCBOOT_TRAMPOLINE_MAGIC)
		search(box, &img->mem[0], tr->token, out);
	munmap(page, SLICE_PAGE);
}

static void put_ring(const struct box *box, int id, FILE *out)
{
	struct console_reader r;
	char buf[4096];
	size_t n;

	console_open(&r, box_console(box, id), box_slot(box, id));
	while ((n = console_read(&r, buf, sizeof(buf))))
		fwrite(buf, 1, n, out);
}

char *console_text(const struct box *box, const struct plan_image *img,
		   size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	if (box_console(box, img->id)->out_head)
		put_ring(box, img->id, out);
	else
		put_kmsg(box, img, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

void console_print_tail(const struct box *box, const struct plan_image *img,
			int lines, FILE *out)
{
	size_t len, at;
	char *text = console_text(box, img, &len);

	if (!text)
		return;
	while (len && text[len - 1] == '\n')
		len--;
	for (at = len; at; at--)
		if (text[at - 1] == '\n' && !--lines)
			break;
	fprintf(out, "%.*s\n", (int)(len - at), text + at);
	free(text);
}

bool console_has_panic(const struct box *box, const struct plan_image *img)
{
	size_t len;
	bool found;
	char *text;

	if (box_slot(box, img->id)->state != SHAREDPC_STARTING)
		return false;
	text = console_text(box, img, &len);
	found = text && strstr(text, "Kernel panic - not syncing");
	free(text);
	return found;
}

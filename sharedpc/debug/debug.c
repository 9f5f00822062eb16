// SPDX-License-Identifier: GPL-2.0-only
/*
 * debug.c - /sys/kernel/debug/sharedpc/
 *
 *	images		state, epoch, heartbeat, frames and rings of each image
 *	echo, listen	see echoes.c
 *	inject		see injector.c
 *	files		owner: frames that each client holds of each file
 *	counters	the region, what this image did as a client, and for each
 *			server what its client asked
 *
 * Most counters count since the module was loaded, those of a server since that
 * proxy's SERVE.  granted, held, files, frames, writable, kept, pinned, calls
 * and free are levels.  messages (of frames) and packets (of sockets, with data)
 * are what was sent to that image.
 *
 * Lines of "name value" pairs, to be read by people and by scripts.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "client/bounce.h"
#include "client/session.h"
#include "box/ctl.h"
#include "cache/stat.h"
#include "debug/debug.h"
#include "debug/echoes.h"
#include "debug/injector.h"
#include "debug/points.h"
#include "client/file.h"
#include "futex/futex.h"
#include "link/peer.h"
#include "client/pinned.h"
#include "box/region.h"
#include "owner/server.h"
#include "vsock/socket.h"
#include "words/watch.h"
#include "words/words.h"

static struct dentry *dir;

static int images_show(struct seq_file *m, void *unused)
{
	u32 i;

	for (i = 0; i < ctl_nr_images; i++) {
		struct sharedpc_slot *s = ctl_slot(i);

		seq_printf(m, "image %u name %.*s state %u epoch %u heartbeat %llu up %d granted %llu kept %llu pinned %llu calls %u ring-full %llu ring-bad %llu messages %llu packets %llu\n",
			   i, SHAREDPC_NAME_MAX, s->name, READ_ONCE(s->state),
			   READ_ONCE(s->epoch), READ_ONCE(s->heartbeat),
			   i == ctl_self || peer_up(i), server_granted(i),
			   kept_count(i), pinned_count(i),
			   session_calls(i), peer_full(i), peer_bad(i),
			   peer_messages(i), socket_packets(i));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(images);

static u64 map_frames(struct map *map, xa_mark_t mark)
{
	unsigned long index;
	void *entry;
	u64 n = 0;

	xa_lock_bh(&map->grants);
	xa_for_each_marked(&map->grants, index, entry, mark)
		n++;
	xa_unlock_bh(&map->grants);
	return n;
}

static void server_show(struct seq_file *m, struct server *s)
{
	struct map *map;

	mutex_lock(&s->maps_lock);
	list_for_each_entry(map, &s->maps, node)
		seq_printf(m, "client %u device %u:%u inode %llu file %llx from %llu pages %llu frames %llu writable %llu\n",
			   s->client, MAJOR(map->dev), MINOR(map->dev), map->ino,
			   map->file, map->index, map->pages,
			   map_frames(map, XA_PRESENT), map_frames(map, GRANT_WRITE));
	mutex_unlock(&s->maps_lock);
}

static int files_show(struct seq_file *m, void *unused)
{
	struct server *s;
	u32 n;

	for (n = 1; (s = server_next(&n)); n++) {
		server_show(m, s);
		server_put(s);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(files);

static int opened_show(struct seq_file *m, void *unused)
{
	file_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(opened);

static int counters_show(struct seq_file *m, void *unused)
{
	struct server *s;
	u32 n;

	seq_printf(m, "region pages %llu free %llu node %d\n", region_pages(),
		   region_free(), region_node());
	seq_printf(m, "client files %lld held %llu faults %lld around %lld fetches %lld upgrades %lld revokes %lld late %lld bounces %u\n",
		   atomic64_read(&file_stat.files), file_held(),
		   atomic64_read(&file_stat.faults), atomic64_read(&file_stat.around),
		   atomic64_read(&file_stat.fetches),
		   atomic64_read(&file_stat.upgrades),
		   atomic64_read(&file_stat.revokes),
		   atomic64_read(&file_stat.late), bounce_count());
	cache_show(m);
	seq_printf(m, "words changes %llu\n", watch_changes());
	seq_printf(m, "futex waiting %u waits %lld sent %lld held %lld got %lld woken %lld handed %lld turns %lld doubts %lld again %lld\n",
		   READ_ONCE(ctl_futex(ctl_self)->waiting),
		   atomic64_read(&futex_stat.waits), atomic64_read(&futex_stat.sent),
		   atomic64_read(&futex_stat.held),
		   atomic64_read(&futex_stat.got), atomic64_read(&futex_stat.woken),
		   atomic64_read(&futex_stat.handed), atomic64_read(&futex_stat.turns),
		   atomic64_read(&futex_stat.doubts), atomic64_read(&futex_stat.again));
	for (n = 1; (s = server_next(&n)); n++) {
		seq_printf(m, "server client %u number %u device %u:%u granted %lld faults %lld grants %lld writes %lld revokes %lld foreign %lld\n",
			   s->client, n, MAJOR(s->dev), MINOR(s->dev),
			   atomic64_read(&s->granted), atomic64_read(&s->faults),
			   atomic64_read(&s->grants), atomic64_read(&s->writes),
			   atomic64_read(&s->revokes_sent), atomic64_read(&s->foreign));
		server_put(s);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/* Writing N: all our words go up by N. For tests of what happens when they wrap. */
static int forward_set(void *unused, u64 n)
{
	words_forward(n);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(forward_fops, NULL, forward_set, "%llu\n");

void debug_init(void)
{
	dir = debugfs_create_dir("sharedpc", NULL);
	debugfs_create_file("images", 0444, dir, NULL, &images_fops);
	debugfs_create_file("files", 0400, dir, NULL, &files_fops);
	debugfs_create_file("opened", 0400, dir, NULL, &opened_fops);
	debugfs_create_file("counters", 0444, dir, NULL, &counters_fops);
	echoes_init(dir);
	injector_init(dir);
	points_init(dir);
	debugfs_create_file_unsafe("words_forward", 0200, dir, NULL, &forward_fops);
}

void debug_exit(void)
{
	debugfs_remove_recursive(dir);
	echoes_exit();
}

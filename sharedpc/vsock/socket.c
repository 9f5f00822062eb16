// SPDX-License-Identifier: GPL-2.0-only
/*
 * socket.c - AF_VSOCK between images: a transport over the socket rings
 *
 * All of AF_VSOCK is Linux's; this file carries its packets.  The CID of
 * image n is SHAREDPC_CID_BASE + n.  A packet travels as one or more records:
 * header, then at most CHUNK bytes; a long one is cut, with a header each,
 * which a stream does not notice.  Only streams are offered.
 *
 * Sending never waits: the sender puts its packet into the ring.  When that is full,
 * or others wait already, packets queue here, and a work item moves them to the rings
 * and comes back in a moment.  How much can queue is bounded by the sockets' credit.
 * Packets from an image to itself are the work item's, too.
 *
 * Receiving: the doorbell queues another work item, which may take socket locks and
 * allocate; that is why this is not the thread of peer.c.
 */
#include <linux/errqueue.h>
#include <linux/module.h>
#include <linux/virtio_vsock.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include "box/ctl.h"
#include "link/doorbell.h"
#include "link/peer.h"
#include "vsock/socket.h"

#define LAST_RESERVED_PORT 1023
#define CHUNK		8192	/* bytes of payload in one record */
#define RX_MAX		64	/* packets of one image before the others' turn */
#define RETRY		1	/* jiffies between looks at a full ring */

struct packet {
	struct virtio_vsock_hdr hdr;
	u8 data[CHUNK];
};

static struct workqueue_struct *tx_queue, *rx_queue;
static spinlock_t tx_lock[SHAREDPC_IMAGES_MAX];	/* the two below, and the ring's order */
static struct sk_buff_head tx[SHAREDPC_IMAGES_MAX];
static u64 sent[SHAREDPC_IMAGES_MAX];	/* packets with data */
static unsigned long went;	/* images whose sockets are to be reset */
static unsigned long resetting;	/* those of the walk in hand; rx_work only */

static void tx_work(struct work_struct *work);
static void rx_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(tx_later, tx_work);
static DECLARE_WORK(rx_now, rx_work);

static struct virtio_transport transport;

static u32 socket_cid(void)
{
	return SHAREDPC_CID_BASE + ctl_self;
}

/* The image behind a CID, or -1. */
static int cid_image(u64 cid)
{
	if (cid < SHAREDPC_CID_BASE || cid >= SHAREDPC_CID_BASE + ctl_nr_images)
		return -1;
	return cid - SHAREDPC_CID_BASE;
}

/* The next bytes of @skb, at most @len: where they lie, or a copy in @p; NULL: none. */
static const void *skb_bytes(struct sk_buff *skb, u32 done, u32 len, struct packet *p)
{
	if (!skb_is_nonlinear(skb))
		return skb->data + done;
	return p && !skb_copy_bits(skb, done, p->data, len) ? p->data : NULL;
}

/*
 * Put what is left of @skb into the ring; its offset says what is done.  @p is for one
 * that is in pieces.  0; -EAGAIN: the ring is full, or there is no @p.  With tx_lock.
 */
static int tx_one(u32 image, struct sk_buff *skb, struct packet *p)
{
	u32 *done = &VIRTIO_VSOCK_SKB_CB(skb)->offset;
	struct virtio_vsock_hdr hdr = *virtio_vsock_hdr(skb);
	const void *data;
	int err;
	u32 len;

	do {
		len = min_t(u32, skb->len - *done, CHUNK);
		hdr.len = cpu_to_le32(len);
		data = skb_bytes(skb, *done, len, p);
		if (!data)
			return p ? 0 : -EAGAIN;
		err = ring_push(peer_socket_tx(image), ctl_epoch, &hdr, sizeof(hdr),
				data, len);
		if (err)
			return err;
		*done += len;
	} while (*done < skb->len);
	return 0;
}

/* What a program has sent: not what sockets say to each other. */
static bool has_data(struct sk_buff *skb)
{
	return le16_to_cpu(virtio_vsock_hdr(skb)->op) == VIRTIO_VSOCK_OP_RW;
}

/* @skb is in the ring, or nobody is there to take it.  With tx_lock. */
static void tx_count(u32 image, struct sk_buff *skb)
{
	WRITE_ONCE(sent[image], sent[image] + has_data(skb));
}

static int socket_send(struct sk_buff *skb)
{
	int image = cid_image(le64_to_cpu(virtio_vsock_hdr(skb)->dst_cid));
	bool queued = true;
	int len = skb->len;

	if (image < 0 || (image != (int)ctl_self && !peer_up(image))) {
		kfree_skb(skb);
		return -ENODEV;
	}
	spin_lock(&tx_lock[image]);
	if (image == (int)ctl_self || !skb_queue_empty(&tx[image]) ||
	    tx_one(image, skb, NULL)) {
		virtio_vsock_skb_queue_tail(&tx[image], skb);
	} else {
		tx_count(image, skb);
		queued = false;
	}
	spin_unlock(&tx_lock[image]);
	if (queued) {
		mod_delayed_work(tx_queue, &tx_later, 0);
	} else {
		doorbell_ring(image);
		virtio_transport_consume_skb_sent(skb, true);
	}
	return len;
}

/* True when something is left because the ring is full. */
static bool tx_image(u32 image, struct packet *p)
{
	struct sk_buff_head done;
	struct sk_buff *skb;
	bool left = false;

	__skb_queue_head_init(&done);
	spin_lock(&tx_lock[image]);
	while (!left && (skb = virtio_vsock_skb_dequeue(&tx[image]))) {
		if (peer_up(image) && tx_one(image, skb, p)) {
			virtio_vsock_skb_queue_head(&tx[image], skb);
			left = true;
		} else {
			tx_count(image, skb);
			__skb_queue_tail(&done, skb);
		}
	}
	spin_unlock(&tx_lock[image]);
	if (left || !skb_queue_empty(&done))
		doorbell_ring(image);
	/* Each may be the last that holds its socket. */
	while ((skb = __skb_dequeue(&done)))
		virtio_transport_consume_skb_sent(skb, true);
	return left;
}

static void tx_self(void)
{
	struct sk_buff *skb;

	while ((skb = virtio_vsock_skb_dequeue(&tx[ctl_self]))) {
		virtio_transport_consume_skb_sent(skb, false);
		virtio_transport_recv_pkt(&transport, skb);
	}
}

static void tx_work(struct work_struct *work)
{
	static struct packet p;		/* the queue is ordered: ours */
	bool left = false;
	u32 i;

	tx_self();
	for (i = 0; i < ctl_nr_images; i++)
		if (i != ctl_self)
			left |= tx_image(i, &p);
	if (left)
		queue_delayed_work(tx_queue, &tx_later, RETRY);
}

static void rx_packet(u32 image, const struct packet *p, int len)
{
	struct sk_buff *skb;

	if (len < (int)sizeof(p->hdr))
		return;
	len -= sizeof(p->hdr);
	/* A peer speaks for itself only. */
	if (le64_to_cpu(p->hdr.src_cid) != SHAREDPC_CID_BASE + image ||
	    le64_to_cpu(p->hdr.dst_cid) != socket_cid() ||
	    le32_to_cpu(p->hdr.len) != len)
		return;
	skb = virtio_vsock_alloc_skb(VIRTIO_VSOCK_SKB_HEADROOM + len, GFP_KERNEL);
	if (!skb)
		return;
	*virtio_vsock_hdr(skb) = p->hdr;
	if (len) {
		virtio_vsock_skb_put(skb, len);
		skb_store_bits(skb, 0, p->data, len);
	}
	virtio_transport_recv_pkt(&transport, skb);
}

/* A peer died, or a piece of what it said is gone: whoever is connected to it hears of it now. */
static void reset_one(struct sock *sk)
{
	struct vsock_sock *vsk = vsock_sk(sk);
	int image = cid_image(vsk->remote_addr.svm_cid);

	if (image < 0 || !test_bit(image, &resetting))
		return;
	vsk->peer_shutdown = SHUTDOWN_MASK;
	/*
	 * A peer that lives is told when this end is closed; and here that is no end of
	 * what it had to say, but an error.
	 */
	if (peer_up(image)) {
		sk->sk_state = TCP_CLOSING;
	} else {
		sock_set_flag(sk, SOCK_DONE);
		sk->sk_state = TCP_CLOSE;
	}
	sk->sk_err = ECONNRESET;
	sk_error_report(sk);
}

static void reset_sockets(void)
{
	/* Who goes during the walk gets one of his own. */
	resetting = xchg(&went, 0);
	if (resetting)
		vsock_for_each_connected_socket(&transport.transport, reset_one);
}

/* What @image has sent, but not more than its share.  True: there is more. */
static bool rx_image(u32 image)
{
	static struct packet p;		/* the queue is ordered: ours */
	struct ring_rx *rx = peer_socket_rx(image);
	u32 epoch;
	int len, n;

	for (n = 0; n < RX_MAX && peer_up(image); n++) {
		len = ring_pop(rx, &p, sizeof(p), &epoch);
		if (len == -EAGAIN)
			return false;
		if (len == -EPROTO) {	/* a piece of some stream is gone */
			set_bit(image, &went);
			return true;
		}
		if (len >= 0 && epoch == peer_epoch(image))
			rx_packet(image, &p, len);
	}
	return n == RX_MAX;
}

static void rx_work(struct work_struct *work)
{
	bool more = false;
	u32 i;

	reset_sockets();
	for (i = 0; i < ctl_nr_images; i++)
		if (i != ctl_self)
			more |= rx_image(i);
	if (more)	/* after the others */
		queue_work(rx_queue, &rx_now);
}

void socket_kick(void)
{
	queue_work(rx_queue, &rx_now);
}

void socket_rung(void)
{
	u32 i;

	for (i = 0; i < ctl_nr_images; i++) {
		if (i != ctl_self && !ring_empty(peer_socket_rx(i))) {
			socket_kick();
			return;
		}
	}
}

void socket_peer_went(u32 image)
{
	set_bit(image, &went);
	queue_work(rx_queue, &rx_now);
	mod_delayed_work(tx_queue, &tx_later, 0);
}

/*
 * A reserved port says to the other image that root speaks, so it takes more
 * than the right to bind one (CAP_NET_BIND_SERVICE).
 */
static int socket_connect(struct vsock_sock *vsk)
{
	if (vsk->local_addr.svm_port <= LAST_RESERVED_PORT && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return virtio_transport_connect(vsk);
}

static bool socket_stream_allow(u32 cid, u32 port)
{
	return true;
}

static bool socket_seqpacket_allow(u32 cid)
{
	return false;
}

static int socket_cancel(struct vsock_sock *vsk)
{
	int image = cid_image(vsk->remote_addr.svm_cid);

	if (image >= 0)
		virtio_transport_purge_skbs(vsk, &tx[image]);
	return 0;
}

static struct virtio_transport transport = {
	.transport = {
		.module			= THIS_MODULE,
		.get_local_cid		= socket_cid,
		.init			= virtio_transport_do_socket_init,
		.destruct		= virtio_transport_destruct,
		.release		= virtio_transport_release,
		.connect		= socket_connect,
		.shutdown		= virtio_transport_shutdown,
		.cancel_pkt		= socket_cancel,
		.dgram_bind		= virtio_transport_dgram_bind,
		.dgram_dequeue		= virtio_transport_dgram_dequeue,
		.dgram_enqueue		= virtio_transport_dgram_enqueue,
		.dgram_allow		= virtio_transport_dgram_allow,
		.stream_dequeue		= virtio_transport_stream_dequeue,
		.stream_enqueue		= virtio_transport_stream_enqueue,
		.stream_has_data	= virtio_transport_stream_has_data,
		.stream_has_space	= virtio_transport_stream_has_space,
		.stream_rcvhiwat	= virtio_transport_stream_rcvhiwat,
		.stream_is_active	= virtio_transport_stream_is_active,
		.stream_allow		= socket_stream_allow,
		.seqpacket_dequeue	= virtio_transport_seqpacket_dequeue,
		.seqpacket_enqueue	= virtio_transport_seqpacket_enqueue,
		.seqpacket_allow	= socket_seqpacket_allow,
		.seqpacket_has_data	= virtio_transport_seqpacket_has_data,
		.notify_poll_in		= virtio_transport_notify_poll_in,
		.notify_poll_out	= virtio_transport_notify_poll_out,
		.notify_recv_init	= virtio_transport_notify_recv_init,
		.notify_recv_pre_block	= virtio_transport_notify_recv_pre_block,
		.notify_recv_pre_dequeue = virtio_transport_notify_recv_pre_dequeue,
		.notify_recv_post_dequeue = virtio_transport_notify_recv_post_dequeue,
		.notify_send_init	= virtio_transport_notify_send_init,
		.notify_send_pre_block	= virtio_transport_notify_send_pre_block,
		.notify_send_pre_enqueue = virtio_transport_notify_send_pre_enqueue,
		.notify_send_post_enqueue = virtio_transport_notify_send_post_enqueue,
		.notify_buffer_size	= virtio_transport_notify_buffer_size,
		.notify_set_rcvlowat	= virtio_transport_notify_set_rcvlowat,
		.unsent_bytes		= virtio_transport_unsent_bytes,
		.read_skb		= virtio_transport_read_skb,
	},
	.send_pkt = socket_send,
};

u64 socket_packets(u32 image)
{
	return READ_ONCE(sent[image]);
}

int socket_init(void)
{
	int err = -ENOMEM;
	u32 i;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++) {
		spin_lock_init(&tx_lock[i]);
		skb_queue_head_init(&tx[i]);
	}
	tx_queue = alloc_ordered_workqueue("sharedpc-tx", WQ_MEM_RECLAIM);
	if (!tx_queue)
		return err;
	/* Somebody waits for what has come. */
	rx_queue = alloc_ordered_workqueue("sharedpc-rx", WQ_MEM_RECLAIM | WQ_HIGHPRI);
	if (!rx_queue)
		goto destroy_tx;
	err = vsock_core_register(&transport.transport, VSOCK_TRANSPORT_F_G2H);
	if (!err)
		return 0;
	pr_err("AF_VSOCK has another transport already: %d\n", err);
	destroy_workqueue(rx_queue);
destroy_tx:
	destroy_workqueue(tx_queue);
	return err;
}

void socket_exit(void)
{
	u32 i;

	vsock_core_unregister(&transport.transport);
	/* What has come may still be answered. */
	destroy_workqueue(rx_queue);
	cancel_delayed_work_sync(&tx_later);
	destroy_workqueue(tx_queue);
	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++)
		virtio_vsock_skb_queue_purge(&tx[i]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/udp.h"

#include "base/count.h"
#include "base/mem.h"
#include "net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
	QUERY_MAX = 4096,     /* no query is longer; what is, is no query */
	BATCHES_PER_TURN = 8, /* then timers and streams have theirs (hazard E5) */
	LINE = 64,
	/* Slots 4096 bytes apart would all fall into one set of the first-level cache. */
	QUERY_SLOT = QUERY_MAX + 3 * LINE,
	REPLY_SLOT = UDP_REPLY_MAX + 3 * LINE,
	CONTROL_MAX = 64,
	RECEIVE_BUFFER = 4 * 1024 * 1024,
	SEND_BUFFER = 1024 * 1024,
};

/* One datagram's ancillary bytes: where it was sent to, and so where the reply leaves from. */
union control {
	struct cmsghdr align;
	uint8_t bytes[CONTROL_MAX];
};

struct udp {
	struct mmsghdr in[BATCH_MAX], out[BATCH_MAX], packed[BATCH_MAX];
	struct iovec in_iov[BATCH_MAX], out_iov[BATCH_MAX];
	struct addr peers[BATCH_MAX];
	union control controls[BATCH_MAX];
	struct item items[BATCH_MAX];
	item_batch_fn *on_batch;
	void *user;
	int fd;
	bool has_control; /* a wildcard listener */
	struct loop *loop;
	struct loop_poll *poll;
	uint8_t *slots;
	size_t slots_len;
	struct udp_count count;
};

static void set_buffer(int fd, int forced, int plain, int size)
{
	/* The forced one needs a capability; the plain one is cut to the system's limit. */
	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size))
		(void)setsockopt(fd, SOL_SOCKET, plain, &size, sizeof size);
}

int udp_bind(const struct addr *addr, bool is_first, struct err *err)
{
	int fd = socket_bind(addr, SOCK_DGRAM, is_first, err);
	if (fd < 0)
		return fd;
	udp_adopt(fd, addr);
	return fd;
}

void udp_adopt(int fd, const struct addr *addr)
{
	socket_refuse_fragments(fd, addr->any.sa_family);
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
}

/* The reply goes where the routes say, from the address that was asked: the interface is only
 * kept where an address means nothing without it. */
static void forget_interface(union control *control, const struct addr *peer)
{
	struct cmsghdr *c = &control->align;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info = (struct in_pktinfo *)(void *)CMSG_DATA(c);
		info->ipi_ifindex = 0;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(c);
		if (!IN6_IS_ADDR_LINKLOCAL(&peer->v6.sin6_addr))
			info->ipi6_ifindex = 0;
	}
}

static void take_controls(struct udp *udp, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct msghdr *in = &udp->in[i].msg_hdr, *out = &udp->out[i].msg_hdr;
		out->msg_controllen = in->msg_controllen;
		out->msg_control = in->msg_controllen ? in->msg_control : NULL;
		if (in->msg_controllen >= sizeof(struct cmsghdr))
			forget_interface(&udp->controls[i], &udp->peers[i]);
		in->msg_controllen = CONTROL_MAX;
	}
}

/* Sends msgs[0..n-1]; one that the kernel refuses is skipped, and when its queue is full the
 * rest is dropped: a client asks again, waiting would delay everybody. */
static void send_all(struct udp *udp, struct mmsghdr *msgs, unsigned n)
{
	unsigned at = 0, sent = 0;
	while (at < n) {
		int k = sendmmsg(udp->fd, msgs + at, n - at, MSG_DONTWAIT);
		if (k > 0) {
			at += (unsigned)k;
			sent += (unsigned)k;
			continue;
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		at++;
	}
	count_add(&udp->count.sent, sent);
	if (unlikely(sent < n))
		count_add(&udp->count.send_errors, n - sent);
}

/* ---- replies that come later ---- */

struct udp_later {
	struct later later;
	struct udp *udp;
	struct addr peer;
	uint8_t control_len;
	union control control; /* control_len bytes of it are there */
};

static void send_later(struct later *later, const uint8_t *reply, size_t len)
{
	struct udp_later *l = container_of(later, struct udp_later, later);
	union control control; /* aligned */
	union {
		const uint8_t *in;
		uint8_t *out;
	} bytes = { .in = reply }; /* the kernel only reads */
	struct iovec iov = { bytes.out, len };
	struct mmsghdr msg = { .msg_hdr = {
				       .msg_name = &l->peer,
				       .msg_namelen = addr_len(&l->peer),
				       .msg_iov = &iov,
				       .msg_iovlen = 1,
			       } };
	must(len <= UDP_REPLY_MAX);
	if (l->control_len) {
		memcpy(&control, &l->control, l->control_len);
		msg.msg_hdr.msg_control = &control;
		msg.msg_hdr.msg_controllen = l->control_len;
	}
	if (len)
		send_all(l->udp, &msg, 1);
	else
		count_add(&l->udp->count.dropped, 1);
	mem_free(l);
}

static struct later *hold(const struct item *item)
{
	struct udp *udp = item->owner;
	size_t i = (size_t)(item - udp->items);
	const struct msghdr *out = &udp->out[i].msg_hdr;
	size_t control_len = udp->has_control ? out->msg_controllen : 0;
	struct udp_later *l = mem_try(offsetof(struct udp_later, control) + control_len);
	if (!l)
		return NULL;
	l->later.send = send_later;
	l->udp = udp;
	l->peer = udp->peers[i];
	l->control_len = (uint8_t)control_len;
	memcpy(&l->control, &udp->controls[i], control_len);
	return &l->later;
}

/* Readies the replies for the kernel; bad: bit i is set when item i must get none. */
static void send_replies(struct udp *udp, size_t n, uint32_t bad)
{
	unsigned ready = 0, held = 0;
	for (size_t i = 0; i < n; i++) {
		int32_t len = udp->items[i].reply_len;
		held += len == REPLY_LATER;
		if (unlikely(len <= 0 || bad >> i & 1))
			len = 0;
		must(len <= UDP_REPLY_MAX);
		udp->out_iov[i].iov_len = (size_t)len;
		ready += len != 0;
	}
	if (likely(ready == n)) {
		send_all(udp, udp->out, ready);
		return;
	}
	count_add(&udp->count.dropped, n - ready - held);
	ready = 0;
	for (size_t i = 0; i < n; i++) {
		if (udp->out_iov[i].iov_len)
			udp->packed[ready++] = udp->out[i];
	}
	send_all(udp, udp->packed, ready);
}

/* One batch; returns how many datagrams came. */
static size_t serve_batch(struct udp *udp)
{
	int got = recvmmsg(udp->fd, udp->in, BATCH_MAX, MSG_DONTWAIT, NULL);
	if (got <= 0)
		return 0;
	size_t n = (size_t)got;
	uint32_t bad = 0;
	for (size_t i = 0; i < n; i++) {
		struct item *item = &udp->items[i];
		item->query_len = udp->in[i].msg_len;
		item->reply_len = REPLY_DROP;
		/* sin_port and sin6_port lie at the same place. Port 0 cannot be answered and
		 * is only ever forged (hazard B11). */
		bool is_bad =
			udp->in[i].msg_hdr.msg_flags & MSG_TRUNC || !udp->peers[i].v4.sin_port;
		if (unlikely(is_bad)) {
			bad |= 1u << i;
			item->query_len = 0;
		}
	}
	count_add(&udp->count.received, n);
	if (udp->has_control)
		take_controls(udp, n);
	udp->on_batch(udp->user, udp->items, n);
	send_replies(udp, n, bad);
	return n;
}

static void on_ready(void *user, int events)
{
	(void)events;
	struct udp *udp = user;
	for (int i = 0; i < BATCHES_PER_TURN; i++) {
		if (serve_batch(udp) < BATCH_MAX)
			return;
	}
}

static void prepare(struct udp *udp, size_t scratch_slot, socklen_t name_len)
{
	uint8_t *queries = udp->slots;
	uint8_t *replies = queries + (size_t)BATCH_MAX * QUERY_SLOT;
	uint8_t *scratch = replies + (size_t)BATCH_MAX * REPLY_SLOT;
	for (size_t i = 0; i < BATCH_MAX; i++) {
		struct msghdr *in = &udp->in[i].msg_hdr, *out = &udp->out[i].msg_hdr;
		udp->in_iov[i] = (struct iovec){ queries + i * QUERY_SLOT, QUERY_MAX };
		udp->out_iov[i] = (struct iovec){ replies + i * REPLY_SLOT, 0 };
		in->msg_iov = &udp->in_iov[i];
		out->msg_iov = &udp->out_iov[i];
		in->msg_iovlen = out->msg_iovlen = 1;
		/* The kernel leaves the length as it is: all names of a family are equally
		 * long. */
		in->msg_name = out->msg_name = &udp->peers[i];
		in->msg_namelen = out->msg_namelen = name_len;
		if (udp->has_control) {
			in->msg_control = &udp->controls[i];
			in->msg_controllen = CONTROL_MAX;
		}
		udp->items[i] = (struct item){
			.query = udp->in_iov[i].iov_base,
			.reply = udp->out_iov[i].iov_base,
			.room = UDP_REPLY_MAX,
			.transport = TRANSPORT_UDP,
			.peer = &udp->peers[i],
			.scratch = scratch_slot ? scratch + i * scratch_slot : NULL,
			.hold = hold,
			.owner = udp,
		};
	}
}

struct udp *udp_open(
	struct loop *loop, int fd, item_batch_fn *on_batch, void *user, size_t scratch_size)
{
	struct addr local;
	if (addr_local(&local, fd))
		return NULL;
	struct udp *udp = mem_new(sizeof *udp);
	udp->loop = loop;
	udp->fd = fd;
	udp->on_batch = on_batch;
	udp->user = user;
	if (addr_is_wildcard(&local)) {
		int one = 1;
		bool is_v6 = local.any.sa_family == AF_INET6;
		udp->has_control = true;
		must(setsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			     is_v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &one, sizeof one) == 0);
	}
	size_t scratch_slot = (scratch_size + LINE - 1) / LINE * LINE;
	udp->slots_len = BATCH_MAX * (QUERY_SLOT + REPLY_SLOT + scratch_slot);
	udp->slots = map_new(udp->slots_len);
	if (udp->slots) {
		prepare(udp, scratch_slot, addr_len(&local));
		udp->poll = loop_poll_new(loop, fd, LOOP_READ, on_ready, udp);
	}
	if (!udp->poll)
		udp_close(&udp);
	return udp;
}

void udp_close(struct udp **udp)
{
	struct udp *u = *udp;
	if (!u)
		return;
	*udp = NULL;
	loop_poll_free(&u->poll);
	map_free(u->slots, u->slots_len);
	mem_free(u);
}

const struct udp_count *udp_counts(const struct udp *udp)
{
	return &udp->count;
}

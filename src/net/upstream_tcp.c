/* SPDX-License-Identifier: BSD-2-Clause */
/* Kept connections to other servers: questions one after the other, replies in any order.
 *
 * A connection is found by its server's address until it is retired: when it broke, when the
 * server wants it closed, or when it went silent. One that is retired still serves who waits
 * on it, and goes with the last of them. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/frame.h"
#include "net/match.h"
#include "net/upstream_inside.h"
#include "wire/edns.h"
#include "wire/message.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PIPELINE_MAX = 64, /* questions on a connection that have had no reply */
	IDLE_US = 10 * 1000 * 1000,
	KEEPALIVE_UNIT_US = 100 * 1000,
	KEEPALIVE_MAX = 600, /* a minute: who asks for more gets that */
	OUT_MAX = PIPELINE_MAX * (FRAME_HEAD + QUERY_MAX),
	IN_FIRST = 4096,
	SWEEP_MS = 1000,
	CUT_MAX = 16,
	READS = 8,       /* at a turn */
	NEAR_MISSES = 8, /* on a connection: whoever speaks there is no server of ours */
};

struct connection {
	struct list list; /* in its bucket, or retired */
	struct upstream *upstream;
	struct addr server;
	int fd;
	struct loop_poll *poll;
	bool is_connected, has_replied, is_retired;
	bool is_busy;        /* being read or ended: not to be freed by what that leads to */
	struct list waiting; /* exchanges */
	unsigned n;          /* of waiting */
	unsigned owed;       /* replies to come: n, and those of questions given up */
	unsigned near_misses;
	uint64_t idle_us, limit_us; /* since when nobody waits, and how long it is kept then */
	uint64_t heard_us;          /* when something was read last */
	uint8_t *in;
	size_t in_n, in_size;
	size_t out_n;
	uint8_t out[OUT_MAX];
};

static struct list *bucket_of(struct upstream *u, const struct addr *server)
{
	struct endpoint e = addr_endpoint(server);
	uint32_t sum = e.port;
	for (size_t i = 0; i < sizeof e.address; i++)
		sum = sum * 31 + e.address[i];
	return &u->connections[sum % CONNECTION_HASH];
}

/* ---- the end of a connection ----------------------------------------------------------- */

static void free_connection(struct connection *c)
{
	list_drop(&c->list);
	if (--c->upstream->connections_n == 0)
		loop_timer_stop(c->upstream->sweeper);
	loop_poll_free(&c->poll);
	if (c->fd >= 0)
		(void)close(c->fd);
	mem_free(c->in);
	mem_free(c);
}

/* Nobody finds it any more. */
static void retire(struct connection *c)
{
	c->is_retired = true;
	list_drop(&c->list);
	list_put(&c->upstream->retired, &c->list);
}

static void free_if_done(struct connection *c)
{
	if (c->is_retired && !c->n && !c->is_busy)
		free_connection(c);
}

static void send_again(struct upstream *u, struct exchange *x)
{
	x->was_sent_again = true;
	int rc = tcp_send(u, x);
	if (rc)
		exchange_fail_later(x, rc);
}

/* The connection is gone. Who waited on one that had served before is asked anew on another:
 * the server had closed it for being idle. */
static void end(struct connection *c)
{
	c->is_busy = true;
	retire(c);
	while (!list_is_empty(&c->waiting)) {
		struct exchange *x = container_of(c->waiting.next, struct exchange, list);
		tcp_forget(x);
		if (c->has_replied && !x->was_sent_again)
			send_again(c->upstream, x);
		else
			exchange_fail_later(x, -ECONNRESET);
	}
	free_connection(c);
}

void tcp_forget(struct exchange *x)
{
	struct connection *c = x->connection;
	x->connection = NULL;
	list_drop(&x->list);
	if (--c->n)
		return;
	c->idle_us = clock_mono_us();
	free_if_done(c);
}

/* A server that has said nothing at all since it was asked may be gone, or a firewall has
 * forgotten the connection: the kernel would try for a quarter of an hour. */
void tcp_timed_out(struct exchange *x)
{
	struct connection *c = x->connection;
	if (!c->is_retired && c->heard_us < x->sent_us)
		retire(c);
}

/* Closes connections that nobody waits on and that have been idle for too long, or all. */
static void close_idle(struct upstream *u, bool is_all)
{
	uint64_t now = clock_mono_us();
	for (size_t i = 0; i < CONNECTION_HASH; i++) {
		struct list *next, *head = &u->connections[i];
		for (struct list *at = head->next; at != head; at = next) {
			struct connection *c = container_of(at, struct connection, list);
			next = at->next;
			if (!c->n && (is_all || now - c->idle_us >= c->limit_us))
				free_connection(c);
		}
	}
}

void tcp_sweep(void *user)
{
	close_idle(user, false);
}

void tcp_close(struct upstream *u)
{
	close_idle(u, true);
	must(u->connections_n == 0);
}

/* ---- how long the server keeps it (RFC 7828) ------------------------------------------- */

static void skip_name(struct bytes *b)
{
	uint8_t len;
	while ((len = bytes_u8(b)) != 0) {
		if (len >= 0xc0) {
			(void)bytes_u8(b);
			return;
		}
		(void)bytes_take(b, len);
	}
}

/* The keepalive of an OPT's options in units of 100 ms, or -1. */
static int option_keepalive(struct bytes options)
{
	while (options.n) {
		uint16_t code = bytes_u16(&options), len = bytes_u16(&options);
		const uint8_t *p = bytes_take(&options, len);
		if (p && code == OPTION_KEEPALIVE && len == 2)
			return get_u16(p);
	}
	return -1;
}

/* Of a reply, which is not yet known to be well formed. */
static int keepalive(const uint8_t *msg, size_t len)
{
	struct bytes b = { msg + HEADER_LEN, len - HEADER_LEN, false };
	unsigned others = get_u16(msg + 6) + get_u16(msg + 8);
	unsigned records = others + get_u16(msg + 10);
	if (get_u16(msg + 4)) {
		skip_name(&b);
		(void)bytes_take(&b, 4);
	}
	for (unsigned i = 0; i < records && b.n; i++) {
		skip_name(&b);
		uint16_t type = bytes_u16(&b);
		(void)bytes_take(&b, 6); /* class and TTL */
		uint16_t n = bytes_u16(&b);
		const uint8_t *rdata = bytes_take(&b, n);
		if (rdata && type == TYPE_OPT && i >= others)
			return option_keepalive((struct bytes){ rdata, n, false });
	}
	return -1;
}

static void note_keepalive(struct connection *c, const struct frame *frame)
{
	int units = keepalive(frame->p, frame->len);
	if (units == 0 && !c->is_retired)
		retire(c);
	if (units > KEEPALIVE_MAX)
		units = KEEPALIVE_MAX;
	if (units > 0)
		c->limit_us = (uint64_t)units * KEEPALIVE_UNIT_US;
}

/* ---- writing --------------------------------------------------------------------------- */

static bool flush(struct connection *c)
{
	while (c->out_n) {
		ssize_t n = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->out_n -= (size_t)n;
		memmove(c->out, c->out + n, c->out_n);
	}
	return true;
}

static void set_events(struct connection *c)
{
	bool wants_write = !c->is_connected || c->out_n;
	loop_poll_set(c->poll, LOOP_READ | (wants_write ? LOOP_WRITE : 0));
}

/* ---- reading --------------------------------------------------------------------------- */

static void take_reply(struct connection *c, const struct frame *frame)
{
	struct list *at = c->waiting.next;
	for (; at != &c->waiting; at = at->next) {
		struct exchange *x = container_of(at, struct exchange, list);
		if (!match_reply(x->query, x->len, x->is_case_exact, frame->p, frame->len))
			continue;
		c->has_replied = true;
		c->owed--;
		note_keepalive(c, frame);
		exchange_finish(x, UPSTREAM_REPLY, frame->p, frame->len);
		return;
	}
	if (c->owed > c->n) { /* of a question that was given up */
		c->has_replied = true;
		c->owed--;
		return;
	}
	c->near_misses++;
	count_add(&c->upstream->count.near_misses, 1);
}

/* Room grows with what has come, not with what is announced. */
static bool make_room(struct connection *c)
{
	if (c->in_n < c->in_size)
		return true;
	size_t size = c->in_size ? 2 * c->in_size : IN_FIRST;
	if (size > FRAME_MAX)
		size = FRAME_MAX; /* a whole message: there is never more than a part of one */
	uint8_t *in = mem_try_grow(c->in, size);
	if (!in)
		return false;
	c->in = in;
	c->in_size = size;
	return true;
}

/* All whole messages in the buffer. False: nonsense came too often. */
static bool take_all(struct connection *c)
{
	struct frame frame[CUT_MAX];
	size_t used, n;
	do {
		n = frame_cut(c->in, c->in_n, frame, CUT_MAX, &used);
		for (size_t i = 0; i < n; i++)
			take_reply(c, &frame[i]);
		c->in_n -= used;
		memmove(c->in, c->in + used, c->in_n);
	} while (n == CUT_MAX);
	if (!c->in_n && c->in_size > IN_FIRST) {
		mem_free(c->in);
		c->in = NULL;
		c->in_size = 0;
	}
	return c->near_misses < NEAR_MISSES;
}

/* False: the connection has ended. */
static bool read_some(struct connection *c)
{
	for (unsigned i = 0; i < READS; i++) {
		if (!make_room(c))
			return false;
		ssize_t n = recv(c->fd, c->in + c->in_n, c->in_size - c->in_n, 0);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return false;
		c->heard_us = clock_mono_us();
		c->in_n += (size_t)n;
		if (!take_all(c))
			return false;
	}
	return true;
}

static bool has_connected(struct connection *c)
{
	int error = 0;
	socklen_t size = sizeof error;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error)
		return false;
	c->is_connected = true;
	return true;
}

static void on_ready(void *user, int events)
{
	struct connection *c = user;
	if (!c->is_connected && !(events & LOOP_WRITE))
		return;
	c->is_busy = true;
	/* What is there to be read comes first: writing to one that was closed forgets it. */
	bool is_good = (c->is_connected || has_connected(c)) &&
		       (!(events & LOOP_READ) || read_some(c)) && flush(c);
	c->is_busy = false;
	if (!is_good)
		end(c);
	else if (c->is_retired && !c->n)
		free_connection(c);
	else
		set_events(c);
}

/* ---- connecting ------------------------------------------------------------------------ */

static int open_connection(struct upstream *u, struct connection *c)
{
	int one = 1, family = c->server.any.sa_family;
	const struct addr *from = family == AF_INET6 ? &u->opts.source6 : &u->opts.source4;
	c->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (from->any.sa_family != AF_UNSPEC) {
		/* The port is chosen with the server known: it need only be free for that. */
		(void)setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
		if (bind(c->fd, &from->any, addr_len(from)) < 0)
			return -errno;
	}
	if (connect(c->fd, &c->server.any, addr_len(&c->server)) < 0 && errno != EINPROGRESS)
		return -errno;
	c->poll = loop_poll_new(u->loop, c->fd, LOOP_READ | LOOP_WRITE, on_ready, c);
	return c->poll ? 0 : -ENOMEM;
}

/* Room is made by the one that has been idle longest. */
static bool drop_idle(struct upstream *u)
{
	struct connection *oldest = NULL;
	for (size_t i = 0; i < CONNECTION_HASH; i++) {
		struct list *head = &u->connections[i];
		for (struct list *at = head->next; at != head; at = at->next) {
			struct connection *c = container_of(at, struct connection, list);
			if (!c->n && !c->is_busy && (!oldest || c->idle_us < oldest->idle_us))
				oldest = c;
		}
	}
	if (oldest)
		free_connection(oldest);
	return oldest != NULL;
}

static int new_connection(
	struct upstream *u, const struct addr *server, struct connection **out)
{
	if (u->connections_n >= u->opts.connections && !drop_idle(u))
		return -ENOBUFS;
	struct connection *c = mem_try(sizeof *c);
	if (!c)
		return -ENOMEM;
	memset(c, 0, offsetof(struct connection, out));
	c->upstream = u;
	c->server = *server;
	c->fd = -1;
	c->limit_us = IDLE_US;
	list_init(&c->waiting);
	list_put(bucket_of(u, server), &c->list);
	if (u->connections_n++ == 0)
		loop_timer_start(u->sweeper, SWEEP_MS, SWEEP_MS);
	int rc = open_connection(u, c);
	if (rc)
		free_connection(c);
	else
		*out = c;
	return rc;
}

/* One with room; is_fresh: that has not replied yet, so that it was not idle either. */
static struct connection *find(struct upstream *u, const struct addr *server, bool is_fresh)
{
	struct list *head = bucket_of(u, server);
	for (struct list *at = head->next; at != head; at = at->next) {
		struct connection *c = container_of(at, struct connection, list);
		if (c->owed < PIPELINE_MAX && !(is_fresh && c->has_replied) &&
			c->out_n + FRAME_HEAD + QUERY_MAX <= sizeof c->out &&
			addr_is_equal(&c->server, server))
			return c;
	}
	return NULL;
}

/* The same id twice on a connection would leave the question alone to tell replies apart. */
static void draw_id(const struct connection *c, struct exchange *x)
{
	bool is_taken;
	do {
		is_taken = false;
		put_u16(x->query, (uint16_t)rand_u32());
		for (struct list *at = c->waiting.next; at != &c->waiting; at = at->next)
			is_taken |= memcmp(container_of(at, struct exchange, list)->query,
					    x->query, 2) == 0;
	} while (is_taken);
}

int tcp_send(struct upstream *u, struct exchange *x)
{
	struct connection *c = find(u, &x->server, x->was_sent_again);
	int rc = c ? 0 : new_connection(u, &x->server, &c);
	if (rc)
		return rc;
	draw_id(c, x);
	put_u16(c->out + c->out_n, x->len);
	memcpy(c->out + c->out_n + FRAME_HEAD, x->query, x->len);
	c->out_n += FRAME_HEAD + x->len;
	list_put(&c->waiting, &x->list);
	x->connection = c;
	c->n++;
	c->owed++;
	/* What cannot be written now goes when the loop says so; an error shows there too. */
	if (c->is_connected)
		(void)flush(c);
	set_events(c);
	return 0;
}

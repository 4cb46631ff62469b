/* SPDX-License-Identifier: BSD-2-Clause */
/* Kept connections to other servers: questions one after the other, replies in any order. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/frame.h"
#include "net/match.h"
#include "net/upstream_inside.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PIPELINE_MAX = 64, /* questions on a connection at a time */
	IDLE_US = 10 * 1000 * 1000,
	OUT_MAX = PIPELINE_MAX * (FRAME_HEAD + QUERY_MAX),
	IN_FIRST = 4096,
	SWEEP_MS = 1000,
	CUT_MAX = 16,
	READS = 8, /* at a turn */
};

struct connection {
	struct list list; /* in its bucket, or ending */
	struct upstream *upstream;
	struct addr server;
	int fd;
	struct loop_poll *poll;
	bool is_connected, has_replied;
	bool is_busy;        /* being read: not to be closed by what a reply leads to */
	struct list waiting; /* exchanges */
	unsigned n;
	uint64_t idle_us; /* since when nobody waits */
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
	if (c->poll)
		loop_poll_free(&c->poll);
	if (c->fd >= 0)
		(void)close(c->fd);
	mem_free(c->in);
	mem_free(c);
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
	struct upstream *u = c->upstream;
	bool may_retry = c->has_replied;
	list_drop(&c->list); /* nobody finds it any more */
	list_put(&u->ending, &c->list);
	while (!list_is_empty(&c->waiting)) {
		struct exchange *x = container_of(c->waiting.next, struct exchange, list);
		tcp_forget(x);
		if (may_retry && !x->was_sent_again)
			send_again(u, x);
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
	c->n--;
	if (!c->n)
		c->idle_us = clock_mono_us();
}

/* Closes connections that nobody waits on and that were idle since then or before. */
static void close_idle(struct upstream *u, uint64_t since_us)
{
	for (size_t i = 0; i < CONNECTION_HASH; i++) {
		struct list *next;
		for (struct list *at = u->connections[i].next; at != &u->connections[i];
			at = next) {
			struct connection *c = container_of(at, struct connection, list);
			next = at->next;
			if (!c->n && c->idle_us <= since_us)
				free_connection(c);
		}
	}
}

void tcp_sweep(void *user)
{
	close_idle(user, clock_mono_us() - IDLE_US);
}

void tcp_close(struct upstream *u)
{
	close_idle(u, UINT64_MAX);
}

/* ---- writing --------------------------------------------------------------------------- */

static bool flush(struct connection *c)
{
	while (c->out_n) {
		ssize_t n = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
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
		exchange_finish(x, UPSTREAM_REPLY, frame->p, frame->len);
		return;
	}
	/* Of a question that was given up, or of nobody's. */
	count_add(&c->upstream->count.near_misses, 1);
}

static bool make_room(struct connection *c)
{
	size_t wanted = c->in_n + frame_missing(c->in, c->in_n);
	if (wanted < IN_FIRST)
		wanted = IN_FIRST;
	if (wanted <= c->in_size)
		return c->in_n < c->in_size;
	uint8_t *in = mem_try_grow(c->in, wanted);
	if (!in)
		return false;
	c->in = in;
	c->in_size = wanted;
	return true;
}

/* All whole messages in the buffer. */
static void take_all(struct connection *c)
{
	struct frame frame[CUT_MAX];
	size_t used, n;
	c->is_busy = true;
	do {
		n = frame_cut(c->in, c->in_n, frame, CUT_MAX, &used);
		for (size_t i = 0; i < n; i++)
			take_reply(c, &frame[i]);
		c->has_replied |= n > 0;
		c->in_n -= used;
		memmove(c->in, c->in + used, c->in_n);
	} while (n == CUT_MAX);
	c->is_busy = false;
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
		c->in_n += (size_t)n;
		take_all(c);
	}
	return true;
}

static void on_ready(void *user, int events)
{
	struct connection *c = user;
	int error = 0;
	socklen_t size = sizeof error;
	if (!c->is_connected && (events & LOOP_WRITE)) {
		if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) {
			end(c);
			return;
		}
		c->is_connected = true;
	}
	if (!c->is_connected)
		return;
	if (!flush(c) || ((events & LOOP_READ) && !read_some(c)))
		end(c);
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
	if (from->any.sa_family != AF_UNSPEC && bind(c->fd, &from->any, addr_len(from)) < 0)
		return -errno;
	if (connect(c->fd, &c->server.any, addr_len(&c->server)) < 0 && errno != EINPROGRESS)
		return -errno;
	c->poll = loop_poll_new(u->loop, c->fd, LOOP_READ | LOOP_WRITE, on_ready, c);
	return c->poll ? 0 : -ENOMEM;
}

/* Room is made by the one that has been idle longest. */
static bool drop_idle(struct upstream *u)
{
	struct connection *oldest = NULL;
	for (size_t i = 0; i < CONNECTION_HASH; i++)
		for (struct list *at = u->connections[i].next; at != &u->connections[i];
			at = at->next) {
			struct connection *c = container_of(at, struct connection, list);
			if (!c->n && !c->is_busy && (!oldest || c->idle_us < oldest->idle_us))
				oldest = c;
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

static struct connection *find(struct upstream *u, const struct addr *server)
{
	struct list *head = bucket_of(u, server);
	for (struct list *at = head->next; at != head; at = at->next) {
		struct connection *c = container_of(at, struct connection, list);
		if (c->n < PIPELINE_MAX && c->out_n + FRAME_HEAD + QUERY_MAX <= sizeof c->out &&
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
	struct connection *c = x->was_sent_again ? NULL : find(u, &x->server);
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
	/* What cannot be written now goes when the loop says so; an error shows there too. */
	if (c->is_connected)
		(void)flush(c);
	set_events(c);
	return 0;
}

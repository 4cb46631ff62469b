/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/upstream.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/match.h"
#include "net/socket.h"
#include "net/upstream_inside.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	NEAR_MISSES = 8, /* L25 */
	EVENTS = 64,
	ROUNDS = 8, /* of events at a turn */
	BIND_TRIES = 16,
	PORT_FIRST = 1024,
	SPARES_MAX = 256,
	HEAP_FIRST = 64,
	US_PER_MS = 1000,
};

/* ---- who is due first ------------------------------------------------------------------ */

static void heap_set(struct upstream *u, uint32_t at, struct exchange *x)
{
	u->heap[at] = x;
	x->heap = at + 1;
}

static void heap_up(struct upstream *u, uint32_t at, struct exchange *x)
{
	while (at > 0 && x->due_us < u->heap[(at - 1) / 2]->due_us) {
		heap_set(u, at, u->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_set(u, at, x);
}

static void heap_down(struct upstream *u, uint32_t at, struct exchange *x)
{
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= u->heap_n)
			break;
		if (child + 1 < u->heap_n &&
			u->heap[child + 1]->due_us < u->heap[child]->due_us)
			child++;
		if (u->heap[child]->due_us >= x->due_us)
			break;
		heap_set(u, at, u->heap[child]);
		at = child;
	}
	heap_set(u, at, x);
}

static bool heap_put(struct upstream *u, struct exchange *x)
{
	if (u->heap_n == u->heap_size) {
		uint32_t size = u->heap_size ? 2 * u->heap_size : HEAP_FIRST;
		struct exchange **heap =
			mem_try_grow(u->heap, size * sizeof(struct exchange *));
		if (!heap)
			return false;
		u->heap = heap;
		u->heap_size = size;
	}
	heap_up(u, u->heap_n++, x);
	return true;
}

static void heap_take(struct upstream *u, struct exchange *x)
{
	if (!x->heap)
		return;
	uint32_t at = x->heap - 1;
	x->heap = 0;
	struct exchange *last = u->heap[--u->heap_n];
	if (last == x)
		return;
	if (at > 0 && last->due_us < u->heap[(at - 1) / 2]->due_us)
		heap_up(u, at, last);
	else
		heap_down(u, at, last);
}

static void set_timer(struct upstream *u)
{
	uint64_t due = u->heap_n ? u->heap[0]->due_us : 0;
	if (!due || (u->timer_us && u->timer_us <= due))
		return;
	uint64_t now = clock_mono_us();
	uint64_t ms = due > now ? (due - now + US_PER_MS - 1) / US_PER_MS : 0;
	/* A timer that sets itself to now would never let the loop go on. */
	if (!ms && u->is_on_time)
		ms = 1;
	u->timer_us = due;
	loop_timer_start(u->timer, ms, 0);
}

/* ---- an exchange ----------------------------------------------------------------------- */

static void set_open(struct upstream *u, size_t open)
{
	u->open = open;
	atomic_store_explicit(&u->count.open, open, memory_order_relaxed);
}

static struct exchange *new_exchange(struct upstream *u)
{
	struct exchange *x;
	if (u->open >= u->opts.questions)
		return NULL;
	if (!list_is_empty(&u->spare)) {
		x = container_of(u->spare.next, struct exchange, list);
		list_drop(&x->list);
		u->spares--;
	} else if (!(x = mem_try(sizeof *x))) {
		return NULL;
	}
	memset(x, 0, offsetof(struct exchange, query));
	x->upstream = u;
	x->fd = -1;
	list_init(&x->list);
	set_open(u, u->open + 1);
	return x;
}

static void give_back(struct upstream *u, struct exchange *x)
{
	if (x->fd >= 0)
		(void)close(x->fd);
	if (u->spares >= SPARES_MAX) {
		mem_free(x);
		return;
	}
	u->spares++;
	list_put(&u->spare, &x->list);
}

void exchange_drop(struct exchange *x)
{
	struct upstream *u = x->upstream;
	heap_take(u, x);
	if (x->connection)
		tcp_forget(x);
	x->done = NULL;
	set_open(u, u->open - 1);
	if (u->is_in_batch)
		list_put(&u->dead, &x->list);
	else
		give_back(u, x);
}

void exchange_finish(
	struct exchange *x, enum upstream_result result, const uint8_t *msg, size_t len)
{
	struct upstream_count *count = &x->upstream->count;
	struct addr server = x->server;
	struct upstream_reply reply = { .result = result,
		.msg = msg,
		.len = len,
		.took_us = clock_mono_us() - x->sent_us,
		.server = &server,
		.is_tcp = x->is_tcp };
	upstream_fn *done = x->done;
	void *user = x->user;
	exchange_drop(x);
	switch (result) {
	case UPSTREAM_REPLY:
		count_add(&count->replies, 1);
		break;
	case UPSTREAM_TIMEOUT:
		count_add(&count->timeouts, 1);
		break;
	case UPSTREAM_UNREACHABLE:
		count_add(&count->unreachable, 1);
		break;
	case UPSTREAM_SPOOFED:
		count_add(&count->spoofed, 1);
		break;
	}
	done(user, &reply);
}

void exchange_fail_later(struct exchange *x, int error)
{
	struct upstream *u = x->upstream;
	x->error = error;
	heap_take(u, x);
	x->due_us = 1;        /* in front of all */
	must(heap_put(u, x)); /* the place it had is free */
	set_timer(u);
}

static void on_time(void *user)
{
	struct upstream *u = user;
	uint64_t now = clock_mono_us();
	u->timer_us = 0;
	u->is_on_time = true;
	/* What is sent from within and fails at once waits for the next turn. */
	for (uint32_t n = u->heap_n; n && u->heap_n && u->heap[0]->due_us <= now; n--) {
		struct exchange *x = u->heap[0];
		if (x->connection)
			tcp_timed_out(x);
		exchange_finish(x, x->error ? UPSTREAM_UNREACHABLE : UPSTREAM_TIMEOUT, NULL, 0);
	}
	set_timer(u);
	u->is_on_time = false;
}

/* ---- datagrams ------------------------------------------------------------------------- */

/* Uniform in 1024..65535. */
static uint16_t draw_port(void)
{
	uint16_t port;
	do
		port = rand_u16();
	while (port < PORT_FIRST);
	return port;
}

/* A port of its own for every question. No port is shared: one that another socket of this
 * host has, on this address or on all, is left to it. */
static int bind_port(const struct upstream *u, int fd, int family)
{
	struct addr from = family == AF_INET6 ? u->opts.source6 : u->opts.source4;
	if (from.any.sa_family == AF_UNSPEC) {
		memset(&from, 0, sizeof from);
		from.any.sa_family = (sa_family_t)family;
	}
	for (unsigned i = 0; i < BIND_TRIES; i++) {
		/* sin_port and sin6_port lie at the same place. */
		from.v4.sin_port = htons(draw_port());
		if (bind(fd, &from.any, addr_len(&from)) == 0)
			return 0;
		if (errno != EADDRINUSE && errno != EACCES)
			break;
	}
	return -errno;
}

static int send_datagram(struct upstream *u, struct exchange *x)
{
	int family = x->server.any.sa_family;
	put_u16(x->query, rand_u16());
	x->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		return -errno;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = x };
	socket_refuse_fragments(x->fd, family);
	int rc = bind_port(u, x->fd, family);
	if (rc)
		return rc;
	if (connect(x->fd, &x->server.any, addr_len(&x->server)) < 0 ||
		epoll_ctl(u->epoll, EPOLL_CTL_ADD, x->fd, &event) < 0 ||
		send(x->fd, x->query, x->len, MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* One datagram or error of the exchange's socket; true: there may be more. */
static bool receive(struct upstream *u, struct exchange *x)
{
	struct addr from = { .any.sa_family = AF_UNSPEC };
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(x->fd, u->buf, sizeof u->buf, 0, &from.any, &size);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0 && errno == ECONNREFUSED) {
		exchange_finish(x, UPSTREAM_UNREACHABLE, NULL, 0);
		return false;
	}
	/* From its binding until it was connected the socket took what anybody sent. */
	if (n >= 0 && addr_is_equal(&from, &x->server) &&
		match_reply(x->query, x->len, x->is_case_exact, u->buf, (size_t)n)) {
		exchange_finish(x, UPSTREAM_REPLY, u->buf, (size_t)n);
		return false;
	}
	/* Other errors are other ICMP messages: easily forged, and no reason to give up
	 * (hazard A5). */
	count_add(&u->count.near_misses, 1);
	if (++x->near_misses < NEAR_MISSES)
		return true;
	exchange_finish(x, UPSTREAM_SPOOFED, NULL, 0);
	return false;
}

static void end_batch(struct upstream *u)
{
	u->is_in_batch = false;
	while (!list_is_empty(&u->dead)) {
		struct exchange *x = container_of(u->dead.next, struct exchange, list);
		list_drop(&x->list);
		give_back(u, x);
	}
}

static void on_ready(void *user, int events)
{
	(void)events;
	struct upstream *u = user;
	struct epoll_event event[EVENTS];
	int n = EVENTS;
	for (unsigned round = 0; round < ROUNDS && n == EVENTS; round++) {
		n = epoll_wait(u->epoll, event, EVENTS, 0);
		u->is_in_batch = true;
		for (int i = 0; i < n; i++) {
			struct exchange *x = event[i].data.ptr;
			while (x->done && receive(u, x))
				continue;
		}
		end_batch(u);
	}
	set_timer(u);
}

/* ---- the doors ------------------------------------------------------------------------- */

struct upstream *upstream_new(struct loop *loop, const struct upstream_opts *opts)
{
	struct upstream *u = mem_new(sizeof *u);
	u->loop = loop;
	u->opts = *opts;
	list_init(&u->dead);
	list_init(&u->spare);
	list_init(&u->retired);
	for (size_t i = 0; i < CONNECTION_HASH; i++)
		list_init(&u->connections[i]);
	u->timer = loop_timer_new(loop, on_time, u);
	u->sweeper = loop_timer_new(loop, tcp_sweep, u);
	u->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (u->epoll >= 0)
		u->poll = loop_poll_new(loop, u->epoll, LOOP_READ, on_ready, u);
	if (!u->poll)
		upstream_free(&u);
	return u;
}

void upstream_free(struct upstream **held)
{
	struct upstream *u = *held;
	*held = NULL;
	if (!u)
		return;
	while (u->heap_n)
		exchange_drop(u->heap[0]);
	tcp_close(u);
	while (!list_is_empty(&u->spare)) {
		struct exchange *x = container_of(u->spare.next, struct exchange, list);
		list_drop(&x->list);
		mem_free(x);
	}
	loop_poll_free(&u->poll);
	loop_timer_free(&u->timer);
	loop_timer_free(&u->sweeper);
	if (u->epoll >= 0)
		(void)close(u->epoll);
	mem_free(u->heap);
	mem_free(u);
}

/* Whether it is for want of something of ours that nothing was sent, and the server is not to
 * blame. */
static bool is_short(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM ||
	       error == -EADDRINUSE;
}

struct exchange *upstream_send(
	struct upstream *u, const struct upstream_ask *ask, upstream_fn *done, void *user)
{
	struct exchange *x;
	if (ask->len > QUERY_MAX || !(x = new_exchange(u)))
		return NULL;
	x->done = done;
	x->user = user;
	x->server = *ask->server;
	x->is_tcp = ask->is_tcp;
	x->is_case_exact = ask->is_case_exact;
	x->len = (uint16_t)ask->len;
	memcpy(x->query, ask->query, ask->len);
	x->sent_us = clock_mono_us();
	x->due_us = x->sent_us + (uint64_t)ask->timeout_ms * US_PER_MS;
	if (!heap_put(u, x)) {
		exchange_drop(x);
		return NULL;
	}
	int rc = x->is_tcp ? tcp_send(u, x) : send_datagram(u, x);
	if (is_short(rc)) {
		exchange_drop(x);
		return NULL;
	}
	count_add(x->is_tcp ? &u->count.sent_tcp : &u->count.sent_udp, 1);
	if (rc)
		exchange_fail_later(x, rc);
	else
		set_timer(u);
	return x;
}

void exchange_cancel(struct exchange **held)
{
	struct exchange *x = *held;
	*held = NULL;
	if (x)
		exchange_drop(x);
}

const struct upstream_count *upstream_counts(const struct upstream *u)
{
	return &u->count;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions go to a function instead of a socket; what it says comes back by the loop. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/match.h"
#include "scenario/fake.h"
#include "wire/name.h"

#include <string.h>

enum {
	NEAR_MISSES = 8 /* L25 */
};

struct upstream {
	struct loop *loop;
	struct upstream_opts opts;
	struct list exchanges;
	size_t open;
	struct upstream_count count;
};

struct exchange {
	struct list list; /* in the upstream's */
	struct list all;  /* of all upstreams */
	struct upstream *upstream;
	struct loop_timer *reply_timer, *timeout_timer;
	upstream_fn *done;
	void *user;
	uint64_t sent_us;
	struct addr server;
	bool is_tcp, is_case_exact, is_held, has_more;
	unsigned nth, near_misses;
	enum upstream_result result; /* what comes next */
	uint8_t *query, *reply;
	size_t len, reply_len;
};

static struct {
	fake_server_fn *fn;
	void *user;
	struct list all;
} world = { .all = { &world.all, &world.all } };

void fake_upstream_serve(fake_server_fn *fn, void *user)
{
	world.fn = fn;
	world.user = user;
}

/* ---- is it the reply? ---- */

static bool is_answered(const struct exchange *x, const uint8_t *msg, size_t len)
{
	return match_reply(x->query, x->len, x->is_case_exact, msg, len);
}

/* ---- an exchange ---- */

static void drop(struct exchange *x)
{
	list_drop(&x->list);
	list_drop(&x->all);
	loop_timer_free(&x->reply_timer);
	loop_timer_free(&x->timeout_timer);
	x->upstream->open--;
	atomic_store_explicit(
		&x->upstream->count.open, x->upstream->open, memory_order_relaxed);
	mem_free(x->query);
	mem_free(x->reply);
	mem_free(x);
}

static void finish(struct exchange *x, enum upstream_result result)
{
	struct upstream_count *count = &x->upstream->count;
	struct addr server = x->server;
	uint8_t *msg = x->reply;
	struct upstream_reply reply = { .result = result,
		.took_us = clock_mono_us() - x->sent_us,
		.server = &server,
		.is_tcp = x->is_tcp };
	if (result == UPSTREAM_REPLY) {
		reply.msg = msg;
		reply.len = x->reply_len;
	}
	count_add(result == UPSTREAM_REPLY     ? &count->replies
		  : result == UPSTREAM_TIMEOUT ? &count->timeouts
		  : result == UPSTREAM_SPOOFED ? &count->spoofed
					       : &count->unreachable,
		1);
	upstream_fn *done = x->done;
	void *user = x->user;
	x->reply = NULL;
	drop(x);
	done(user, &reply);
	mem_free(msg);
}

static void ask_server(struct exchange *x)
{
	struct fake_query *q = mem_new(sizeof *q);
	q->server = &x->server;
	q->is_tcp = x->is_tcp;
	q->nth = x->nth++;
	q->msg = x->query;
	q->len = x->len;
	if (world.fn)
		world.fn(world.user, q);
	x->has_more = q->has_more;
	if (q->does == FAKE_HELD) {
		x->is_held = true;
		loop_timer_stop(x->timeout_timer);
	} else if (q->does != FAKE_SILENT) {
		x->result = q->does == FAKE_REPLIES ? UPSTREAM_REPLY : UPSTREAM_UNREACHABLE;
		x->reply_len = q->reply_len;
		mem_free(x->reply);
		x->reply = mem_copy(q->reply, q->reply_len ? q->reply_len : 1);
		loop_timer_start(x->reply_timer, q->delay_ms, 0);
	}
	mem_free(q);
}

static void on_reply(void *user)
{
	struct exchange *x = user;
	if (x->result == UPSTREAM_REPLY && !is_answered(x, x->reply, x->reply_len)) {
		count_add(&x->upstream->count.near_misses, 1);
		if (++x->near_misses >= NEAR_MISSES)
			finish(x, UPSTREAM_SPOOFED);
		else if (x->has_more)
			ask_server(x);
		return;
	}
	finish(x, x->result);
}

static void on_timeout(void *user)
{
	finish(user, UPSTREAM_TIMEOUT);
}

struct exchange *upstream_send(
	struct upstream *u, const struct upstream_ask *ask, upstream_fn *done, void *user)
{
	if (u->open >= u->opts.questions)
		return NULL;
	must(ask->len > HEADER_LEN && get_u16(ask->query + 4) == 1);
	struct exchange *x = mem_new(sizeof *x);
	x->upstream = u;
	x->done = done;
	x->user = user;
	x->sent_us = clock_mono_us();
	x->server = *ask->server;
	x->is_tcp = ask->is_tcp;
	x->is_case_exact = ask->is_case_exact;
	x->query = mem_copy(ask->query, ask->len);
	x->len = ask->len;
	put_u16(x->query, (uint16_t)rand_u32());
	x->reply_timer = loop_timer_new(u->loop, on_reply, x);
	x->timeout_timer = loop_timer_new(u->loop, on_timeout, x);
	list_put(&u->exchanges, &x->list);
	list_put(&world.all, &x->all);
	u->open++;
	atomic_store_explicit(&u->count.open, u->open, memory_order_relaxed);
	count_add(ask->is_tcp ? &u->count.sent_tcp : &u->count.sent_udp, 1);
	loop_timer_start(x->timeout_timer, ask->timeout_ms, 0);
	ask_server(x);
	return x;
}

void exchange_cancel(struct exchange **held)
{
	struct exchange *x = *held;
	*held = NULL;
	if (x)
		drop(x);
}

/* ---- the set ---- */

struct upstream *upstream_new(struct loop *loop, const struct upstream_opts *opts)
{
	struct upstream *u = mem_new(sizeof *u);
	u->loop = loop;
	u->opts = *opts;
	list_init(&u->exchanges);
	return u;
}

void upstream_free(struct upstream **held)
{
	struct upstream *u = *held;
	*held = NULL;
	if (!u)
		return;
	while (!list_is_empty(&u->exchanges))
		drop(container_of(u->exchanges.next, struct exchange, list));
	mem_free(u);
}

const struct upstream_count *upstream_counts(const struct upstream *u)
{
	return &u->count;
}

/* ---- for the test ---- */

struct exchange *fake_exchange_next(const struct exchange *before)
{
	struct list *next = before ? before->all.next : world.all.next;
	return next == &world.all ? NULL : container_of(next, struct exchange, all);
}

const uint8_t *fake_exchange_query(const struct exchange *x, size_t *len)
{
	*len = x->len;
	return x->query;
}

const struct addr *fake_exchange_server(const struct exchange *x)
{
	return &x->server;
}

bool fake_exchange_is_tcp(const struct exchange *x)
{
	return x->is_tcp;
}

bool fake_exchange_is_held(const struct exchange *x)
{
	return x->is_held;
}

void fake_exchange_reply(struct exchange *x, const uint8_t *msg, size_t len)
{
	mem_free(x->reply);
	x->reply = mem_copy(msg, len);
	x->reply_len = len;
	x->result = UPSTREAM_REPLY;
	x->is_held = false;
	loop_timer_start(x->reply_timer, 0, 0);
}

void fake_exchange_time_out(struct exchange *x)
{
	x->result = UPSTREAM_TIMEOUT;
	x->is_held = false;
	loop_timer_start(x->reply_timer, 0, 0);
}

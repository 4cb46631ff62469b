/* SPDX-License-Identifier: BSD-2-Clause */
/* recursor.h -- a worker's questions to the chain, and the clients that wait
 *
 * What     What is kept is told at once; else the client's query is copied, its place given
 *          back, and the reply sent when the chain has it.
 * Threads  One worker.
 * Memory   A copy of each query that waits, bounded in number.
 * Limits   RECURSOR_WAITS clients at a time and worker; RECURSOR_PER_CLIENT different questions
 *          of one client (an IPv4 address, an IPv6 /56; this host has no such limit) at a time
 *          and worker (L19); beyond them SERVFAIL. Replies that took 200 ms: serve/pace.h.
 * Read     RFC 1034 4.3.1, 2308, 4035 3.2, 8482, 8914, 9520.
 */
#pragma once

#include "answer/answer.h"
#include "net/item.h"
#include "serve/errand.h"
#include "serve/pipe.h"

enum {
	RECURSOR_WAITS = 20000,
	RECURSOR_PER_CLIENT = 100
};

struct recursor;
/* way tells cache, facts and limits; workers: how many share them. NULL without memory. */
struct recursor *recursor_new(struct loop *loop, const struct serve_way *way, unsigned workers,
	struct answerer *answerer, struct pipe_count *count);
/* Who waits is told nothing. */
void recursor_free(struct recursor **recursor);
/* way NULL: nothing new is asked. holder: what keeps it. */
void recursor_set_way(
	struct recursor *recursor, const struct serve_way *way, const void *holder);
/* The holder of the oldest way that questions are on, NULL: none is. */
const void *recursor_oldest(const struct recursor *recursor);
/* fn(user): that may have changed. */
void recursor_on_released(struct recursor *recursor, void (*fn)(void *user), void *user);

/* The worker's loop was woken. */
void recursor_wake(struct recursor *recursor);
void recursor_prefetch(const struct recursor *recursor, const struct question *q);
/* The reply to q into the item: its length, or REPLY_LATER. *rcode: what was told. */
int32_t recursor_answer(struct recursor *recursor, struct item *item, const struct question *q,
	const struct answer_from *from, unsigned *rcode);
/* The same when a reply of ours (in the item) ends at a name that is not ours: what the links
 * say of it goes behind its aliases. */
int32_t recursor_follow(struct recursor *recursor, struct item *item, const struct question *q,
	const struct answer_from *from, const struct key *elsewhere, unsigned *rcode);
/* Fills the errand, which the query (copied) asks for; done(user, errand) is called, within
 * this call or later. */
void recursor_explain(struct recursor *recursor, struct errand *errand, const uint8_t *query,
	uint16_t len, const struct answer_from *from,
	void (*done)(void *user, struct errand *errand), void *user);
void recursor_tell_failures(const struct recursor *recursor, struct errand *errand);
const struct chain_count *recursor_counts(const struct recursor *recursor);
const struct upstream_count *recursor_upstream(const struct recursor *recursor);

/* SPDX-License-Identifier: BSD-2-Clause */
/* pipe.h -- a batch of queries to a batch of replies
 *
 * What     All are read first, then the memory each will need is asked for ahead, stage by
 *          stage, then all are answered: the misses of a batch overlap instead of adding up.
 * Threads  One worker.
 */
#pragma once

#include "base/count.h"
#include "net/item.h"
#include "serve/world.h"

struct hash_key;
struct recursor;

struct pipe_count { /* open: written by the worker, read by any */
	_Atomic uint64_t queries[TRANSPORT_TLS + 1]; /* by transport */
	_Atomic uint64_t answers, drops, truncated;
	_Atomic uint64_t rcodes[7]; /* NOERROR .. REFUSED; the last: any other */
};

/* One reply that was made: n bytes, 0 when there is none. */
void pipe_count_reply(
	struct pipe_count *count, const uint8_t *reply, int32_t n, unsigned rcode);

struct pipe;
/* workers: how many share the limits of the server. */
struct pipe *pipe_new(
	struct loop *loop, const struct hash_key *cookie_secret, unsigned workers);
void pipe_free(struct pipe **pipe);
/* Between two batches. NULL: who waits is told nothing, and nothing more is asked. */
void pipe_set_world(struct pipe *pipe, const struct world *world);
/* The oldest world that something still depends on; fn(user): it is another now. */
const struct world *pipe_oldest(const struct pipe *pipe);
void pipe_on_released(struct pipe *pipe, void (*fn)(void *user), void *user);
/* An item_batch_fn; user is the pipe. Each item's scratch has pipe_scratch() bytes. */
void pipe_batch(void *user, struct item *items, size_t n);
size_t pipe_scratch(void);
/* The worker's loop was woken. */
void pipe_wake(struct pipe *pipe);
/* Does what control asked for; done(user, errand) when it is done. */
struct errand;
void pipe_errand(struct pipe *pipe, struct errand *errand,
	void (*done)(void *user, struct errand *errand), void *user);
const struct pipe_count *pipe_counts(const struct pipe *pipe);
/* NULL until a world with a chain came. */
const struct recursor *pipe_recursor(const struct pipe *pipe);

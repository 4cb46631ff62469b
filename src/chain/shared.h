/* SPDX-License-Identifier: BSD-2-Clause */
/* shared.h -- questions under way in the whole daemon, so that none is asked twice at a time
 *
 * What     The first chain that asks a question has it; others that want the same wait, are
 *          told when it has come to an end, and find the answer in the cache. Many like
 *          questions on the wire at once would be as many chances for a forger (hazard A3).
 * Threads  Any: short locks per shard. What a chain is told of it takes on its own thread
 *          (chain_wake()).
 * Memory   Rows lie in the asks; of what is on its way to a chain there is no more than asks
 *          that wait.
 */
#pragma once

#include "base/list.h"
#include "base/lock.h"

struct chain;

struct shared_row {         /* open: in an ask; protected by its shard's lock */
	struct list bucket; /* of those that have a question */
	struct list waits;  /* of the rows that wait for it, or a place in such a list */
	struct chain *chain;
	uint64_t hash, key; /* of the name; of all of the question */
	bool is_linked, has_it;
};

struct shared_news { /* a question has come to an end: for a chain's inbox */
	struct shared_news *next;
	uint64_t hash, key;
};

struct chain_shared;
struct chain_shared *chain_shared_new(void);
void chain_shared_free(struct chain_shared **shared);

/* True: it is this row's chain that asks. False: another does, and this one will be told. */
bool shared_take(struct chain_shared *shared, struct shared_row *row);
/* The row has no part in it any more; whoever waits for it is told. */
void shared_drop(struct chain_shared *shared, struct shared_row *row);

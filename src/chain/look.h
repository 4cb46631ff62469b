/* SPDX-License-Identifier: BSD-2-Clause */
/* look.h -- what the chain would say to a question, and what it could not say lately
 *
 * What     For people: link by link whether it still has the answer, since when, from whom; and
 *          the last questions of a worker that came to nothing, with the way each went.
 * Threads  The chain's.
 * Memory   The failures lie in a ring of their own, made with the first of them.
 * Limits   CHAIN_FAILURES.
 */
#pragma once

#include "chain/chain.h"

enum {
	CHAIN_FAILURES = 256
};

enum look_state {
	LOOK_MISS, /* has nothing of it, or not any more */
	LOOK_HIT,  /* would answer with what is kept */
	LOOK_OWN,  /* would answer from data of its own */
	LOOK_PASS, /* has data of its own, and this name is not there */
	LOOK_OFF,
	LOOK_SKIPPED,  /* is limited to zones, and the name lies in none of them */
	LOOK_NOT_ASKED /* one before it answers */
};

struct look_row { /* open: a link */
	char name[CHAIN_NAME];
	const char *kind; /* "cache" too; as long as the plan */
	const char *off;
	enum look_state state;
	bool keeps;      /* how long it keeps, in seconds, is known: */
	uint32_t keep_s; /* of what links behind it told */
	uint32_t gone_s; /* of a miss: it had it until so long ago; 0: never */
};

struct look { /* open */
	size_t n;
	struct look_row row[CHAIN_LINKS];
	bool has_kept; /* something is kept, in time or past it: */
	bool is_failure;
	uint32_t age, ttl;
	int source; /* the row that told it */
	struct cache_from from;
	int answers; /* the row that would answer without asking others; -1: none */
};
void chain_look(struct chain *chain, const struct chain_question *q, struct look *look);

struct chain_failure { /* open */
	uint64_t at_s; /* wall clock */
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;
	uint32_t took_ms;
	int ede;
	char text[OUTCOME_TEXT];
	struct trace_copy trace;
};
/* The last failures at or below name (NULL: all), newest first: fn(user, failure) until it says
 * false. */
void chain_failures(const struct chain *chain, const uint8_t *name,
	bool (*fn)(void *user, const struct chain_failure *failure), void *user);

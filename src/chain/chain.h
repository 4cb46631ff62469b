/* SPDX-License-Identifier: BSD-2-Clause */
/* chain.h -- the links of a world, in order, and the questions that walk along them
 *
 * What     A plan is what the configuration says: links and their data, never changed. A chain
 *          is a worker's: instances of a plan's links, the questions under way, keeping,
 *          coalescing, deadlines, what is done when a link fails.
 * Threads  A plan is made and freed by control, read by all. A chain belongs to its worker.
 * Memory   Questions are bounded in number and their pads in bytes, together.
 * Limits   L1, L2, L6, L7 (wire/budget.h); L19.
 * Read     RFC 1034 5.3.1, 2308, 9520.
 */
#pragma once

#include "answer/recall.h"
#include "base/count.h"
#include "cache/facts.h"
#include "cache/rrsets.h"
#include "chain/ask.h"
#include "net/upstream.h"
#include "wire/question.h"

enum {
	CHAIN_LINKS = 32,
	CHAIN_NAME = 32
};

struct chain_link { /* open: a link of a plan */
	char name[CHAIN_NAME];
	const struct link *kind; /* NULL: it keeps, and answers nothing itself */
	void *data;              /* what prepare() made; released with the plan */
	const char *off;         /* why it is not asked; NULL: it is */
	uint32_t generation;     /* other options or other data: another number */
	uint32_t ttl_max;        /* seconds it keeps what links behind it told */
	uint32_t budget_ms;      /* for a question at this link; 0: the question's */
	bool stops;              /* on-fail: stop */
	size_t zones_n;          /* the zones it is limited to; 0: none */
	const uint8_t *const *zones;
};

struct chain_opts { /* open */
	struct recall_ttl ttl;
	uint32_t stale_s;     /* how long past its time an answer may be told when there is no
	                        * other; 0: never */
	bool is_stale_first;  /* tell it at once and look for a fresh one behind it */
	uint32_t failure_max; /* seconds */
	uint32_t asks;        /* questions of a worker at a time: 10000 */
	uint64_t pad_bytes;   /* of all their pads together */
};

struct chain_plan { /* open: made by ctl/, then never changed */
	struct chain_opts opts;
	uint32_t generation; /* of the links that have data of their own (is_local) */
	size_t n;
	struct chain_link link[CHAIN_LINKS];
};
/* Calls release() for each link's data. */
void chain_plan_release(struct chain_plan *plan);

/* A link has the name in its own data. */
bool chain_plan_owns(const struct chain_plan *plan, const uint8_t *name);
struct chain;
bool chain_owns(const struct chain *chain, const uint8_t *name); /* of the plan in force */

/* The kinds there are, from links/; handed in by the roof. */
const struct link *chain_kind(const struct link *const *kinds, size_t n, const char *kind);

struct chain_inside { /* open: what links inside the daemon get as `inside` in open() */
	struct loop *loop;
	struct upstream *upstream;
	struct cache *cache;
	struct facts *facts;
	void *resolver;              /* struct resolver, which stands above this floor */
	struct chain_shared *shared; /* of all chains of the daemon; NULL: there is one */
};

struct chain_count { /* open: written by the worker, read by any */
	_Atomic uint64_t hits, stale, misses, joined, refused, failures;
	_Atomic uint64_t asks; /* now */
};

struct chain *chain_new(const struct chain_inside *inside);
/* Cancels what is under way: those who wait are told nothing. */
void chain_free(struct chain **chain);
/* Questions that come from now on go this way; those under way stay on the plan they began
 * with. NULL: none can be asked. holder: whatever keeps the plan. */
void chain_set_plan(struct chain *chain, const struct chain_plan *plan, const void *holder);
/* The holder of the oldest plan that is in use; NULL: none is. */
const void *chain_oldest(const struct chain *chain);
/* on_released(user) is called when questions ended on a plan that is not in force any more:
 * chain_oldest() may be another. */
void chain_on_released(struct chain *chain, void (*on_released)(void *user), void *user);
const struct chain_count *chain_counts(const struct chain *chain);

struct chain_question {      /* open */
	const uint8_t *name; /* lower case */
	uint64_t hash;       /* key_hash() of it */
	uint16_t type, class;
	bool is_dnssec, is_checking_disabled, is_live;
	uint8_t partition;
	/* Not NULL: aliases that somebody else told, before[0..before_n-1], lead to this name
	 * (lower case), which is what the links are asked about. The reply has them in front
	 * and is not kept. Copied. */
	const uint8_t *target;
	unsigned before_n;
	const struct rrset *before; /* an array */
};

struct chain_told {           /* open: what came of a question; for the time of the call */
	const uint8_t *bytes; /* see answer/recall.h */
	size_t n;
	uint32_t age, stale_ttl;
	struct cache_from from;
	bool is_kept; /* no link was asked */
};

struct chain_wait { /* open: embedded in what the one who asks keeps */
	struct list list;
	bool has_joined; /* somebody else had asked the same */
	/* Not NULL: gets the way of the question before done(), or before chain_ask() returns,
	 * unless what is told was kept. */
	struct trace_copy *trace;
	void (*done)(struct chain_wait *wait, const struct chain_told *told);
};

enum chain_verdict {
	CHAIN_TOLD,     /* *told is filled, until the next call */
	CHAIN_WAIT,     /* wait->done() will be called, once, from the loop */
	CHAIN_NOT_KEPT, /* nothing is kept of it (chain_recall() only) */
	CHAIN_FULL,     /* too many questions are under way */
};

void chain_prefetch(const struct chain *chain, const struct chain_question *q);
/* What is kept of the question, or what a link tells from data of its own. */
enum chain_verdict chain_recall(
	struct chain *chain, const struct chain_question *q, struct chain_told *told);
/* Asks the links. Whoever asks calls chain_recall() first. */
enum chain_verdict chain_ask(struct chain *chain, const struct chain_question *q,
	struct chain_wait *wait, struct chain_told *told);
/* The links are being asked about it, for somebody else. */
bool chain_is_asked(const struct chain *chain, const struct chain_question *q);
/* On the chain's thread, after its loop was woken: what other chains came to an end with is
 * taken. */
void chain_wake(struct chain *chain);
/* Nothing will be told. */
void chain_cancel(struct chain_wait *wait);

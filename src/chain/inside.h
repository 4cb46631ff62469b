/* SPDX-License-Identifier: BSD-2-Clause */
/* inside.h -- what the files of the chain share; for chain/ only */
#pragma once

#include "chain/chain.h"

enum {
	ASK_BUCKETS = 1024,
	SPARES_MAX = 256, /* asks kept to be used again */
};

/* A worker's instances of a plan's links. */
struct chain_run {
	struct list list; /* of the chain's runs, oldest first */
	const struct chain_plan *plan;
	const void *holder;
	void *instance[CHAIN_LINKS];
	struct list queue[CHAIN_LINKS]; /* of the asks that wait at each link */
	size_t asks;
	uint32_t unlimited; /* links, a bit each, that are for every name */
	uint32_t mask;      /* of the table of zones that links are limited to; 0: none is */
	struct chain_zone {
		const uint8_t *name; /* NULL: free */
		uint64_t hash;
		uint32_t links;
	} * zones;
};

struct chain {
	struct chain_inside inside;
	struct chain_run *run; /* in force; NULL: there is no plan */
	struct list runs;      /* that one, and those before while asks are on them */
	void (*on_released)(void *user);
	void *user;
	struct list asks, jostle, spare, stale;
	struct list bucket[ASK_BUCKETS];
	size_t open, jostlers, spares;
	struct pad_store pads; /* of all asks */
	struct loop_timer *timer;
	uint64_t due_ms; /* when the timer is to ring; 0: it is not set */
	struct chain_count count;
	_Atomic(struct shared_news *) news; /* newest first */
	struct chain_ring *ring;            /* of failures; NULL: there was none */
	struct writer writer;
	uint8_t told[RECALL_MAX], kept[RECALL_MAX], work[MESSAGE_MAX_LEN];
};

/* ---- run.c */
struct chain_run *chain_run_new(struct chain *chain, const struct chain_plan *plan);
void chain_run_free(struct chain_run **run);
/* The links, a bit each, that the name is a matter of: those for all names, and of those
 * limited to zones the ones with the closest. */
uint32_t chain_run_links(const struct chain_run *run, const uint8_t *name) PURE;
/* A run that is not in force goes with its last ask. */
void chain_run_settle(struct chain *chain, struct chain_run *run);

/* ---- keep.c */
/* What marks an entry that is in force: answers are those of the local links' data, failures
 * those of an uplink too. */
uint32_t keep_mark(
	const struct chain *chain, const struct chain_plan *plan, enum cache_kind kind);
struct kept { /* a reply that is kept, in chain->kept */
	struct cache_head head;
	size_t n;
	uint32_t age;
	int source; /* the link of the plan that told it */
};
bool keep_find(struct chain *chain, const struct chain_plan *plan, enum cache_kind kind,
	const struct chain_question *q, uint64_t now_ms, struct kept *kept);
void keep_tell(const struct chain *chain, const struct kept *kept, uint32_t stale_ttl,
	struct chain_told *told);
/* A reply past its time, if the plan lets that be told. */
bool keep_find_stale(struct chain *chain, const struct chain_plan *plan,
	const struct chain_question *q, uint64_t now_ms, struct chain_told *told);
/* Keeps chain->told[0..n-1], what came of the ask. */
void keep_put(struct chain *chain, const struct link_ask *ask, size_t n, uint32_t ttl,
	uint64_t now_ms);
/* Nearer links with data of their own have passed: what is kept stands. */
void keep_renew(struct chain *chain, const struct chain_plan *plan,
	const struct chain_question *q, const struct kept *kept);

/* ---- chain.c */
/* From any thread: takes the news, and wakes the chain's loop. */
void chain_send_news(struct chain *chain, struct shared_news *news);

/* ---- look.c */
void look_note_failure(struct chain *chain, const struct link_ask *ask);

/* ---- ask.c */
struct link_ask *ask_new(struct chain *chain, const struct chain_question *q, uint64_t now_ms);
void ask_free(struct link_ask *ask);
struct link_ask *ask_find(const struct chain *chain, const struct chain_question *q);
struct chain_question ask_question(const struct link_ask *ask);
/* Everybody who waits is told. */
void ask_tell(struct link_ask *ask, const struct chain_told *told);

/* ---- plugin.c */
extern const struct link_calls chain_plugin_calls;
/* Nothing that a plugin waits for will come. */
void plugin_drop_sends(struct link_ask *ask);

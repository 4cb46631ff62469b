/* SPDX-License-Identifier: BSD-2-Clause */
/* chain_of.h -- a chain in the fake world, and what it told as the message a client gets */
#pragma once

#include "answer/recall.h"
#include "base/bytes.h"
#include "chain/chain.h"
#include "scenario/fake.h"
#include "unit/zone_of.h"
#include "wire/edns.h"
#include "wire/key.h"
#include "wire/writer.h"

#include <stdatomic.h>

struct ground { /* what a chain stands on, and the chain; links come with a plan */
	struct loop *loop;
	struct upstream *upstream;
	struct cache *cache;
	struct facts *facts;
	struct chain *chain;
};

static inline struct ground ground_new(void)
{
	static const struct upstream_opts upstream = { .questions = 1000, .connections = 10 };
	static const struct cache_opts cache = { .bytes = 4 << 20, .shards = 1 };
	struct ground g = {
		.loop = loop_new(), .cache = cache_new(&cache), .facts = facts_new(1024)
	};
	g.upstream = upstream_new(g.loop, &upstream);
	const struct chain_inside inside = {
		.loop = g.loop, .upstream = g.upstream, .cache = g.cache, .facts = g.facts
	};
	g.chain = chain_new(&inside);
	return g;
}

static inline void ground_free(struct ground *g)
{
	chain_free(&g->chain);
	ck_assert_uint_eq(atomic_load(&upstream_counts(g->upstream)->open), 0);
	upstream_free(&g->upstream);
	cache_free(&g->cache);
	facts_free(&g->facts);
	loop_free(&g->loop);
}

static inline struct chain_opts chain_opts_of(uint32_t asks)
{
	return (struct chain_opts){
		.ttl = { 0, 86400, 3600 }, .failure_max = 30, .asks = asks, .pad_bytes = 1 << 26
	};
}

struct told { /* zero to start; told_end() gives back */
	struct pad pad;
	struct message m;
	uint16_t flags; /* AA, TC, AD */
	int ede;
	char text[OUTCOME_TEXT]; /* the reason */
	struct cache_from from;
};

static inline void told_read(struct told *t, const struct chain_told *told, const uint8_t *name,
	uint16_t type, uint16_t class)
{
	static struct writer writer;
	static uint8_t buf[MESSAGE_MAX_LEN];
	uint8_t wire[NAME_MAX_LEN + 4];
	struct recall recall;
	size_t len = name_len(name);
	memcpy(wire, name, len);
	put_u16(wire + len, type);
	put_u16(wire + len + 2, class);
	const struct question q = {
		.type = type, .class = class, .wire = wire, .wire_len = (uint16_t)(len + 4)
	};
	ck_assert(recall_open(&recall, told->bytes, told->n));
	writer_start(&writer, buf, sizeof buf, &q);
	ck_assert(recall_write(&recall, &writer, told->age, told->stale_ttl));
	writer_finish(&writer, (uint16_t)(FLAG_QR | recall.flags), recall.rcode);
	if (t->pad.limit)
		pad_clear(&t->pad);
	pad_init(&t->pad, 1 << 20, NULL);
	ck_assert_int_eq(message_read(&t->m, buf, writer.len, &t->pad), 0);
	t->flags = recall.flags;
	t->ede = recall.ede;
	memcpy(t->text, recall.text, recall.text_len);
	t->text[recall.text_len] = '\0';
	t->from = told->from;
}

static inline void told_end(struct told *t)
{
	if (t->pad.limit)
		pad_clear(&t->pad);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/pipe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "serve/inside.h"
#include "wire/rrtype.h"
#include "zone/find.h"

struct place { /* a query's, in its item's scratch */
	enum verdict verdict;
	const struct zone *zone;
	struct question question;
};

struct pipe {
	struct answerer *answerer;
	const struct world *world;
	struct pipe_count count;
};

enum {
	RCODE_ROWS = 7
};

struct pipe *pipe_new(const struct hash_key *cookie_secret)
{
	struct pipe *pipe = mem_new(sizeof *pipe);
	pipe->answerer = answerer_new(cookie_secret);
	return pipe;
}

void pipe_free(struct pipe **held)
{
	struct pipe *pipe = *held;
	*held = NULL;
	if (!pipe)
		return;
	answerer_free(&pipe->answerer);
	mem_free(pipe);
}

void pipe_set_world(struct pipe *pipe, const struct world *world)
{
	pipe->world = world;
	answerer_set_world(pipe->answerer, &world->answer, world->table);
}

size_t pipe_scratch(void)
{
	return sizeof(struct place);
}

const struct pipe_count *pipe_counts(const struct pipe *pipe)
{
	return &pipe->count;
}

static bool is_lookup(const struct place *place)
{
	return place->verdict == VERDICT_ANSWER && place->question.class == CLASS_IN;
}

/* Three rounds over the batch; each asks for what the next will touch. */
static void look_ahead(struct pipe *pipe, struct item *items, size_t n)
{
	const struct zone_table *table = pipe->world->table;
	for (size_t i = 0; i < n; i++) {
		struct place *place = items[i].scratch;
		place->zone = is_lookup(place) ? zone_table_find(table, &place->question.key, 0)
					       : NULL;
		if (place->zone)
			zone_prefetch_slot(place->zone, &place->question.key);
	}
	for (size_t i = 0; i < n; i++) {
		struct place *place = items[i].scratch;
		if (place->zone)
			zone_prefetch_node(place->zone, &place->question.key);
	}
}

struct tally {
	uint64_t answers, truncated, rcodes[RCODE_ROWS];
};

static void answer_one(
	struct pipe *pipe, struct item *item, uint64_t now_s, struct tally *tally)
{
	struct place *place = item->scratch;
	struct answer_from from = { .is_stream = item->transport != TRANSPORT_UDP,
		.now_s = now_s };
	from.address = addr_bytes(item->peer, &from.address_len);
	unsigned rcode = 0;
	item->reply_len = answer_question(pipe->answerer, &place->question, place->verdict,
		&from, item->reply, item->room, &rcode);
	if (item->reply_len <= 0)
		return;
	tally->answers++;
	tally->truncated += (item->reply[2] & (FLAG_TC >> 8)) != 0;
	tally->rcodes[rcode < RCODE_ROWS - 1 ? rcode : RCODE_ROWS - 1]++;
}

static void add_up(struct pipe *pipe, bool is_stream, size_t n, const struct tally *tally)
{
	struct pipe_count *count = &pipe->count;
	count_add(is_stream ? &count->queries_tcp : &count->queries_udp, n);
	count_add(&count->answers, tally->answers);
	if (tally->answers < n)
		count_add(&count->drops, n - tally->answers);
	if (tally->truncated)
		count_add(&count->truncated, tally->truncated);
	for (size_t i = 0; i < RCODE_ROWS; i++)
		if (tally->rcodes[i])
			count_add(&count->rcodes[i], tally->rcodes[i]);
}

void pipe_batch(void *user, struct item *items, size_t n)
{
	struct pipe *pipe = user;
	struct tally tally = { 0 };
	bool is_stream = items[0].transport != TRANSPORT_UDP;
	for (size_t i = 0; i < n; i++) {
		struct place *place = items[i].scratch;
		place->verdict = question_read(
			&place->question, items[i].query, items[i].query_len, is_stream);
		if (n > 1 && is_lookup(place))
			zone_table_prefetch(pipe->world->table, &place->question.key);
	}
	if (n > 1)
		look_ahead(pipe, items, n);
	uint64_t now_s = clock_wall_s();
	for (size_t i = 0; i < n; i++)
		answer_one(pipe, &items[i], now_s, &tally);
	add_up(pipe, is_stream, n, &tally);
}

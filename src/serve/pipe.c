/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/pipe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "serve/inside.h"
#include "serve/recursor.h"
#include "wire/rrtype.h"
#include "zone/find.h"

#include <stdatomic.h>

struct place { /* a query's, in its item's scratch */
	enum verdict verdict;
	bool is_foreign; /* a lookup outside our zones, of a world that has a chain */
	const struct zone *zone;
	struct question question;
};

struct pipe {
	struct answerer *answerer;
	const struct world *world;
	struct loop *loop;
	unsigned workers;
	/* From the first world on that has a chain. Atomic, for control reads its counters. */
	_Atomic(struct recursor *) recursor;
	void (*on_released)(void *user);
	void *user;
	struct pipe_count count;
};

enum {
	RCODE_ROWS = 7,
	QUERY_ROOM = 320
};

struct pipe *pipe_new(struct loop *loop, const struct hash_key *cookie_secret, unsigned workers)
{
	struct pipe *pipe = mem_new(sizeof *pipe);
	pipe->loop = loop;
	pipe->workers = workers;
	pipe->answerer = answerer_new(cookie_secret);
	return pipe;
}

static struct recursor *recursor_of(const struct pipe *pipe)
{
	return atomic_load_explicit(&pipe->recursor, memory_order_acquire);
}

static void drop_recursor(struct pipe *pipe)
{
	struct recursor *recursor = atomic_exchange(&pipe->recursor, NULL);
	recursor_free(&recursor);
}

void pipe_free(struct pipe **held)
{
	struct pipe *pipe = *held;
	*held = NULL;
	if (!pipe)
		return;
	drop_recursor(pipe);
	answerer_free(&pipe->answerer);
	mem_free(pipe);
}

static void on_released(void *user)
{
	struct pipe *pipe = user;
	if (pipe->on_released)
		pipe->on_released(pipe->user);
}

/* Without descriptors for it the names outside our zones are refused. */
static void set_way(struct pipe *pipe, const struct world *world)
{
	struct recursor *recursor = recursor_of(pipe);
	if (!recursor && world->way) {
		recursor = recursor_new(
			pipe->loop, world->way, pipe->workers, pipe->answerer, &pipe->count);
		if (recursor)
			recursor_on_released(recursor, on_released, pipe);
		atomic_store(&pipe->recursor, recursor);
	}
	if (recursor)
		recursor_set_way(recursor, world->way, world);
}

void pipe_set_world(struct pipe *pipe, const struct world *world)
{
	if (!world) {
		drop_recursor(pipe);
		return;
	}
	pipe->world = world;
	answerer_set_world(pipe->answerer, &world->answer, world->table);
	set_way(pipe, world);
}

const struct world *pipe_oldest(const struct pipe *pipe)
{
	const struct recursor *recursor = recursor_of(pipe);
	const struct world *oldest = recursor ? recursor_oldest(recursor) : NULL;
	return oldest ? oldest : pipe->world;
}

void pipe_on_released(struct pipe *pipe, void (*fn)(void *user), void *user)
{
	pipe->on_released = fn;
	pipe->user = user;
}

void pipe_wake(struct pipe *pipe)
{
	struct recursor *recursor = recursor_of(pipe);
	if (recursor)
		recursor_wake(recursor);
}

const struct recursor *pipe_recursor(const struct pipe *pipe)
{
	return recursor_of(pipe);
}

/* A part of special-use names that the way's links were given. */
static bool is_opened(const struct serve_way *way, const struct zone *zone, const uint8_t *name)
{
	for (size_t i = 0; i < way->opens_n; i++)
		if (name_is_at_or_below(name, way->opens[i]) &&
			name_is_at_or_below(way->opens[i], zone->apex_name))
			return true;
	return chain_plan_owns(&way->plan, name);
}

/* ---- errands ---- */

/* A zone of ours, or of special-use names, answers. */
static bool explain_zone(struct pipe *pipe, struct errand *errand,
	const struct answer_from *from, const struct question *q)
{
	const struct world *world = pipe->world;
	const struct zone *zone = zone_table_find(world->table, &q->key, 0);
	unsigned rcode;
	if (!zone || (zone->is_special && recursor_of(pipe) && world->way &&
			     is_opened(world->way, zone, q->key.name)))
		return false;
	errand->has_zone = true;
	errand->is_special = zone->is_special;
	errand->zone.len = zone->apex_len;
	memcpy(errand->zone.bytes, zone->apex_name, zone->apex_len);
	errand->reply_len = answer_question(pipe->answerer, q, VERDICT_ANSWER, from,
		errand->reply, MESSAGE_MAX_LEN, &rcode);
	return true;
}

static void explain(struct pipe *pipe, struct errand *errand,
	void (*done)(void *user, struct errand *errand), void *user)
{
	const struct serve_way *way = recursor_of(pipe) ? pipe->world->way : NULL;
	const struct query_opts opts = {
		.edns_size = 1232, .is_recursive = true, .is_dnssec = errand->is_dnssec
	};
	uint8_t query[QUERY_ROOM];
	struct question q;
	errand->has_way = way != NULL;
	errand->may_recurse =
		way && (!errand->has_client || access_may(&way->access, &errand->client));
	struct answer_from from = {
		.is_stream = true, .may_recurse = errand->may_recurse, .now_s = clock_wall_s()
	};
	from.address = addr_bytes(&errand->client, &from.address_len);
	size_t n = query_write(query, errand->name.bytes, errand->type, &opts);
	bool is_good = question_read(&q, query, n, true) == VERDICT_ANSWER;
	errand->is_told = true;
	if (!is_good || explain_zone(pipe, errand, &from, &q) || !errand->may_recurse)
		done(user, errand);
	else
		recursor_explain(
			recursor_of(pipe), errand, query, (uint16_t)n, &from, done, user);
}

void pipe_errand(struct pipe *pipe, struct errand *errand,
	void (*done)(void *user, struct errand *errand), void *user)
{
	if (errand->kind == ERRAND_EXPLAIN) {
		explain(pipe, errand, done, user);
		return;
	}
	errand->is_told = true;
	if (recursor_of(pipe))
		recursor_tell_failures(recursor_of(pipe), errand);
	done(user, errand);
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
	bool has_way = pipe->world->way && recursor_of(pipe);
	for (size_t i = 0; i < n; i++) {
		struct place *place = items[i].scratch;
		place->is_foreign = false;
		place->zone = is_lookup(place) ? zone_table_find(table, &place->question.key, 0)
					       : NULL;
		if (place->zone && place->zone->is_special && has_way &&
			is_opened(pipe->world->way, place->zone, place->question.key.name))
			place->zone = NULL;
		if (place->zone) {
			zone_prefetch_slot(place->zone, &place->question.key);
		} else if (has_way && is_lookup(place)) {
			place->is_foreign = true;
			recursor_prefetch(recursor_of(pipe), &place->question);
		}
	}
	for (size_t i = 0; i < n; i++) {
		struct place *place = items[i].scratch;
		if (place->zone)
			zone_prefetch_node(place->zone, &place->question.key);
	}
}

struct tally {
	uint64_t answers, later, truncated, rcodes[RCODE_ROWS];
};

static int32_t answer_foreign(
	struct pipe *pipe, struct item *item, const struct answer_from *from, unsigned *rcode)
{
	const struct place *place = item->scratch;
	if (from->may_recurse)
		return recursor_answer(recursor_of(pipe), item, &place->question, from, rcode);
	return answer_refuse(pipe->answerer, &place->question, from, RCODE_REFUSED,
		EDE_PROHIBITED, item->reply, item->room, rcode);
}

/* Our zones have told a part, and the client asks for all of it. */
static void follow(
	struct pipe *pipe, struct item *item, const struct answer_from *from, unsigned *rcode)
{
	const struct place *place = item->scratch;
	if (!is_lookup(place) || !(place->question.flags & FLAG_RD) || item->reply_len <= 0 ||
		item->reply[2] & (FLAG_TC >> 8))
		return;
	const struct key *elsewhere = answer_elsewhere(pipe->answerer);
	if (elsewhere)
		item->reply_len = recursor_follow(
			recursor_of(pipe), item, &place->question, from, elsewhere, rcode);
}

static void answer_one(
	struct pipe *pipe, struct item *item, uint64_t now_s, struct tally *tally)
{
	struct place *place = item->scratch;
	const struct serve_way *way = pipe->world->way;
	struct answer_from from = { .is_stream = item->transport != TRANSPORT_UDP,
		.is_tls = item->transport == TRANSPORT_TLS,
		.may_recurse = way && recursor_of(pipe) && access_may(&way->access, item->peer),
		.now_s = now_s };
	from.address = addr_bytes(item->peer, &from.address_len);
	unsigned rcode = 0;
	item->reply_len = place->is_foreign ? answer_foreign(pipe, item, &from, &rcode)
					    : answer_question(pipe->answerer, &place->question,
						      place->verdict, &from, item->reply,
						      item->room, &rcode);
	if (from.may_recurse && !place->is_foreign)
		follow(pipe, item, &from, &rcode);
	if (item->reply_len == REPLY_LATER)
		tally->later++;
	if (item->reply_len <= 0)
		return;
	tally->answers++;
	tally->truncated += (item->reply[2] & (FLAG_TC >> 8)) != 0;
	tally->rcodes[rcode < RCODE_ROWS - 1 ? rcode : RCODE_ROWS - 1]++;
}

static void add_up(
	struct pipe *pipe, enum transport transport, size_t n, const struct tally *tally)
{
	struct pipe_count *count = &pipe->count;
	count_add(&count->queries[transport], n);
	count_add(&count->answers, tally->answers);
	if (tally->answers + tally->later < n)
		count_add(&count->drops, n - tally->answers - tally->later);
	if (tally->truncated)
		count_add(&count->truncated, tally->truncated);
	for (size_t i = 0; i < RCODE_ROWS; i++)
		if (tally->rcodes[i])
			count_add(&count->rcodes[i], tally->rcodes[i]);
}

void pipe_count_reply(struct pipe_count *count, const uint8_t *reply, int32_t n, unsigned rcode)
{
	if (n <= 0)
		return;
	count_add(&count->answers, 1);
	if (reply[2] & (FLAG_TC >> 8))
		count_add(&count->truncated, 1);
	count_add(&count->rcodes[rcode < RCODE_ROWS - 1 ? rcode : RCODE_ROWS - 1], 1);
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
	look_ahead(pipe, items, n);
	uint64_t now_s = clock_wall_s();
	for (size_t i = 0; i < n; i++)
		answer_one(pipe, &items[i], now_s, &tally);
	add_up(pipe, items[0].transport, n, &tally);
}

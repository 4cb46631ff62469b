/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/subject.h"

#include "answer/answer.h"
#include "base/clock.h"
#include "base/mem.h"
#include "chain/chain.h"
#include "links/links.h"
#include "zone/table.h"

enum {
	CACHE_BYTES = 8 * 1024 * 1024,
	SERVERS = 1024,
	QUESTIONS = 10000,
	PAD_BYTES = 64 * 1024 * 1024,
	EDNS_SIZE = 1232,
	UDP_ROOM = 4096
};

struct subject {
	struct loop *loop;
	struct subject_opts opts;
	subject_fn *on_reply;
	struct cache *cache;
	struct facts *facts;
	struct upstream *upstream;
	struct resolver *resolver;
	struct chain *chain;
	struct chain_plan plan;
	const uint8_t *zone[SUBJECT_FORWARDS];
	struct answerer *answerer;
	struct zone_table *zones;
	struct answer_opts answer;
	struct list waiters;
	uint8_t reply[MESSAGE_MAX_LEN];
};

struct waiter {
	struct chain_wait wait;
	struct list list;
	struct subject *subject;
	struct question question;
	bool is_tcp;
	void *user;
};

/* ---- questions ---- */

static void tell(struct subject *s, const struct waiter *w, const struct chain_told *told)
{
	static const uint8_t client[] = { 127, 0, 0, 1 };
	const struct answer_from from = { .address = client,
		.address_len = sizeof client,
		.is_stream = w->is_tcp,
		.may_recurse = true,
		.now_s = clock_wall_s() };
	uint32_t room = w->is_tcp ? MESSAGE_MAX_LEN : UDP_ROOM;
	unsigned rcode;
	int32_t len;
	if (told) {
		const struct answer_kept kept = { told->bytes, told->n, told->age,
			told->stale_ttl };
		len = answer_recall(
			s->answerer, &w->question, &from, &kept, s->reply, room, &rcode);
	} else {
		len = answer_refuse(s->answerer, &w->question, &from, RCODE_REFUSED, EDE_NONE,
			s->reply, room, &rcode);
	}
	s->on_reply(w->user, s->reply, (size_t)len);
}

static void on_told(struct chain_wait *wait, const struct chain_told *told)
{
	struct waiter *w = container_of(wait, struct waiter, wait);
	list_drop(&w->list);
	tell(w->subject, w, told);
	mem_free(w);
}

/* True: it will be told later. */
static bool look_up(struct subject *s, struct waiter *w)
{
	const struct question *q = &w->question;
	const struct chain_question question = { .name = q->key.name,
		.hash = q->key.hash[0],
		.type = q->type,
		.class = q->class,
		.is_dnssec = q->edns.is_do,
		.is_checking_disabled = q->flags & FLAG_CD };
	struct chain_told told;
	enum chain_verdict verdict = chain_recall(s->chain, &question, &told);
	if (verdict != CHAIN_TOLD && q->flags & FLAG_RD)
		verdict = chain_ask(s->chain, &question, &w->wait, &told);
	if (verdict == CHAIN_WAIT)
		return true;
	tell(s, w, verdict == CHAIN_TOLD ? &told : NULL);
	return false;
}

void subject_ask(struct subject *s, const uint8_t *query, size_t len, bool is_tcp, void *user)
{
	struct waiter *w = mem_new(sizeof *w);
	w->subject = s;
	w->is_tcp = is_tcp;
	w->user = user;
	w->wait.done = on_told;
	list_put(&s->waiters, &w->list);
	enum verdict verdict = question_read(&w->question, query, len, is_tcp);
	if (verdict == VERDICT_ANSWER && w->question.class == 1 && look_up(s, w))
		return;
	list_drop(&w->list);
	if (verdict != VERDICT_ANSWER || w->question.class != 1) {
		const struct answer_from from = { .address = (const uint8_t *)"\177\0\0\1",
			.address_len = 4,
			.is_stream = is_tcp };
		unsigned rcode;
		int32_t n = answer_question(s->answerer, &w->question, verdict, &from, s->reply,
			is_tcp ? MESSAGE_MAX_LEN : UDP_ROOM, &rcode);
		s->on_reply(user, s->reply, (size_t)n);
	}
	mem_free(w);
}

/* ---- the whole ---- */

/* The link of a forward zone, as a configuration would say it. */
static void *prepare_forward(const struct subject_forward *forward)
{
	static const char *const order[] = { "order" }, *const conf[] = { "/dev/null" };
	char text[RESOLVE_SERVERS_MAX][ADDR_TEXT_MAX], error[256];
	const char *to[RESOLVE_SERVERS_MAX];
	for (size_t i = 0; i < forward->n; i++)
		to[i] = addr_print(text[i], &forward->to[i]);
	const struct link_value values[] = { { .is_given = true, .n = forward->n, .texts = to },
		{ .n = 1, .texts = conf }, { .n = 1, .texts = order }, { .number = 1500 },
		{ .number = 2 }, { .number = 3 }, { .number = 5000 } };
	must(array_len(values) == link_forward.options_n);
	const struct link_given given = { .name = "forward", .values = values };
	void *data = link_forward.prepare(&given, error, sizeof error);
	must(data != NULL);
	return data;
}

static void add_forward(struct subject *s, size_t i)
{
	const struct subject_forward *forward = &s->opts.forwards[i];
	s->zone[i] = forward->zone.bytes;
	struct chain_link *link = &s->plan.link[s->plan.n++];
	*link = (struct chain_link){ .name = "forward",
		.kind = &link_forward,
		.data = prepare_forward(forward),
		.generation = (uint32_t)(2 + i),
		.ttl_max = s->opts.resolve.ttl.ttl_max,
		.stops = !forward->is_first,
		.zones_n = 1,
		.zones = &s->zone[i] };
}

static void fill_plan(struct subject *s)
{
	const struct rrsets_opts *ttl = &s->opts.resolve.ttl;
	s->plan = (struct chain_plan){
		.opts = { .ttl = { ttl->ttl_min, ttl->ttl_max, ttl->negative_max },
			.stale_s = s->opts.stale_s,
			.failure_max = ttl->failure_max,
			.asks = s->opts.asks ? s->opts.asks : QUESTIONS,
			.pad_bytes = PAD_BYTES },
		.generation = 1 };
	for (size_t i = 0; i < s->opts.forwards_n; i++)
		add_forward(s, i);
	s->plan.link[s->plan.n++] = (struct chain_link){ .name = "recurse",
		.kind = &link_recurse,
		.generation = 1,
		.ttl_max = ttl->ttl_max };
}

struct subject *subject_new(
	struct loop *loop, const struct subject_opts *opts, subject_fn *on_reply)
{
	static const struct upstream_opts upstream = { .questions = QUESTIONS,
		.connections = 1000 };
	static const struct hash_key secret;
	const struct cache_opts cache = { .bytes = CACHE_BYTES, .shards = 1, .workers = 1 };
	struct subject *s = mem_new(sizeof *s);
	list_init(&s->waiters);
	s->loop = loop;
	s->opts = *opts;
	s->opts.resolve.hints = s->opts.hints;
	s->opts.resolve.stubs = s->opts.stubs;
	s->on_reply = on_reply;
	s->cache = cache_new(&cache);
	s->facts = facts_new(SERVERS);
	s->upstream = upstream_new(loop, &upstream);
	s->resolver = resolver_new(loop, s->upstream, s->cache, s->facts);
	resolver_set_opts(s->resolver, &s->opts.resolve);
	const struct chain_inside inside = { .loop = loop,
		.upstream = s->upstream,
		.cache = s->cache,
		.facts = s->facts,
		.resolver = s->resolver };
	s->chain = chain_new(&inside);
	fill_plan(s);
	chain_set_plan(s->chain, &s->plan, NULL);
	s->answerer = answerer_new(&secret);
	s->answer = (struct answer_opts){ .edns_size = EDNS_SIZE };
	s->zones = zone_table_new(NULL, 0);
	answerer_set_world(s->answerer, &s->answer, s->zones);
	return s;
}

void subject_free(struct subject **held)
{
	struct subject *s = *held;
	*held = NULL;
	while (!list_is_empty(&s->waiters)) {
		struct waiter *w = container_of(s->waiters.next, struct waiter, list);
		chain_cancel(&w->wait);
		list_drop(&w->list);
		mem_free(w);
	}
	chain_free(&s->chain);
	chain_plan_release(&s->plan);
	resolver_free(&s->resolver);
	upstream_free(&s->upstream);
	facts_free(&s->facts);
	cache_free(&s->cache);
	answerer_free(&s->answerer);
	zone_table_free(&s->zones);
	mem_free(s);
}

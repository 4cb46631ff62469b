/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "chain/inside.h"

enum {
	STALE_TTL = 30,
	OUTAGE_TTL = 2 /* of failures while no server at all answers */
};

static void make_key(
	struct cache_key *key, enum cache_kind kind, const struct chain_question *q)
{
	unsigned bits =
		(q->is_dnssec ? CACHE_DO : 0u) | (q->is_checking_disabled ? CACHE_CD : 0u);
	cache_key_make(key, kind, q->name, q->hash, q->type, q->class, bits, q->partition);
}

/* The link that told what is kept, as it stands in this plan; -1: it is no more. */
static int source_of(const struct chain_plan *plan, const struct cache_from *from)
{
	size_t i = from->link;
	if (i < plan->n && plan->link[i].generation == from->generation && !plan->link[i].off)
		return (int)i;
	for (i = 0; i < plan->n; i++)
		if (plan->link[i].generation == from->generation && !plan->link[i].off)
			return (int)i;
	return -1;
}

uint32_t keep_mark(
	const struct chain *chain, const struct chain_plan *plan, enum cache_kind kind)
{
	bool is_failure = kind == CACHE_FAILURE;
	return plan->generation ^ (is_failure ? facts_epoch(chain->inside.facts) : 0);
}

bool keep_find(struct chain *chain, const struct chain_plan *plan, enum cache_kind kind,
	const struct chain_question *q, uint64_t now_ms, struct kept *kept)
{
	struct cache_key key;
	make_key(&key, kind, q);
	int n = cache_get(
		chain->inside.cache, &key, &kept->head, chain->kept, sizeof chain->kept);
	if (n < 0)
		return false;
	uint64_t learned = kept->head.learned_ms;
	uint64_t age = now_ms > learned ? (now_ms - learned) / 1000 : 0;
	kept->n = (size_t)n;
	kept->age = age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
	kept->source = source_of(plan, &kept->head.from);
	return kept->source >= 0;
}

void keep_tell(const struct chain *chain, const struct kept *kept, uint32_t stale_ttl,
	struct chain_told *told)
{
	*told = (struct chain_told){ .bytes = chain->kept,
		.n = kept->n,
		.age = kept->age,
		.stale_ttl = stale_ttl,
		.is_kept = true,
		.from = kept->head.from };
}

bool keep_find_stale(struct chain *chain, const struct chain_plan *plan,
	const struct chain_question *q, uint64_t now_ms, struct chain_told *told)
{
	struct kept kept;
	if (!plan->opts.stale_s || q->is_live ||
		!keep_find(chain, plan, CACHE_ANSWER, q, now_ms, &kept) ||
		kept.head.aux != plan->generation ||
		kept.age >= (uint64_t)kept.head.ttl + plan->opts.stale_s)
		return false;
	keep_tell(chain, &kept, kept.age < kept.head.ttl ? 0 : STALE_TTL, told);
	return true;
}

/* RFC 9520: what failed again waits twice as long. */
static uint32_t failure_ttl(struct chain *chain, const struct chain_plan *plan,
	const struct cache_key *key, uint64_t now_ms)
{
	struct cache_head head;
	uint64_t most = plan->opts.failure_max, ttl = 1;
	if (facts_is_outage(chain->inside.facts) && most > OUTAGE_TTL)
		most = OUTAGE_TTL;
	if (cache_get(chain->inside.cache, key, &head, NULL, 0) >= 0 &&
		now_ms < head.learned_ms + (head.ttl + most) * 1000)
		ttl = 2ull * head.ttl;
	return (uint32_t)(ttl < most ? ttl : most);
}

void keep_put(struct chain *chain, const struct link_ask *ask, size_t n, uint32_t ttl,
	uint64_t now_ms)
{
	const struct chain_plan *plan = ask->run->plan;
	struct chain_question q = ask_question(ask);
	bool is_failure = ask->outcome.rcode == RCODE_SERVFAIL;
	struct cache *cache = chain->inside.cache;
	struct cache_key key, failure;
	make_key(&key, CACHE_ANSWER, &q);
	make_key(&failure, CACHE_FAILURE, &q);
	struct cache_head head = { .learned_ms = now_ms,
		.ttl = is_failure ? failure_ttl(chain, plan, &failure, now_ms) : ttl,
		.aux = keep_mark(chain, plan, is_failure ? CACHE_FAILURE : CACHE_ANSWER),
		.from = ask->outcome.from };
	head.from.link = ask->link;
	head.from.generation = ask->generation;
	if (!head.ttl)
		return;
	(void)cache_put(cache, is_failure ? &failure : &key, &head, chain->told, n);
	if (!is_failure)
		(void)cache_drop(cache, &failure);
}

void keep_renew(struct chain *chain, const struct chain_plan *plan,
	const struct chain_question *q, const struct kept *kept)
{
	struct cache_key key;
	make_key(&key, CACHE_ANSWER, q);
	struct cache_head head = kept->head;
	head.aux = plan->generation;
	head.from.link = (uint8_t)kept->source;
	(void)cache_put(chain->inside.cache, &key, &head, chain->kept, kept->n);
}

void chain_prefetch(const struct chain *chain, const struct chain_question *q)
{
	struct cache_key key;
	make_key(&key, CACHE_ANSWER, q);
	cache_prefetch(chain->inside.cache, &key);
}

enum chain_verdict chain_recall(
	struct chain *chain, const struct chain_question *q, struct chain_told *told)
{
	static const enum cache_kind kinds[] = { CACHE_ANSWER, CACHE_FAILURE };
	const struct chain_plan *plan = chain->run->plan;
	uint64_t now_ms = clock_mono_ms();
	for (size_t i = 0; i < array_len(kinds); i++) {
		struct kept kept;
		if (!keep_find(chain, plan, kinds[i], q, now_ms, &kept) ||
			kept.age >= kept.head.ttl ||
			kept.head.aux != keep_mark(chain, plan, kinds[i]))
			continue;
		/* What failed lately is not tried again; something old is better then. */
		if (kinds[i] == CACHE_FAILURE &&
			keep_find_stale(chain, plan, q, now_ms, told)) {
			count_add(&chain->count.stale, 1);
			return CHAIN_TOLD;
		}
		keep_tell(chain, &kept, 0, told);
		count_add(&chain->count.hits, 1);
		return CHAIN_TOLD;
	}
	return CHAIN_NOT_KEPT;
}

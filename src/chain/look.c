/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain/look.h"

#include "base/clock.h"
#include "base/mem.h"
#include "chain/inside.h"
#include "wire/name.h"

#include <string.h>

struct chain_ring {
	uint64_t n; /* ever put in */
	struct chain_failure list[CHAIN_FAILURES];
};

/* How long the link may tell what is kept. */
static uint32_t keep_of(const struct look *look, int at, const struct chain_link *link)
{
	if (at == look->source)
		return look->ttl;
	return link->ttl_max < look->ttl ? link->ttl_max : look->ttl;
}

static enum look_state judge_kept(const struct look *look, int at, uint32_t keep_s)
{
	if (!look->has_kept || at > look->source)
		return LOOK_MISS;
	return look->age < keep_s ? LOOK_HIT : LOOK_MISS;
}

static void fill_row(
	struct look *look, const struct chain_link *link, uint32_t links, const uint8_t *name)
{
	int at = (int)look->n++;
	struct look_row *row = &look->row[at];
	*row = (struct look_row){ .kind = link->kind ? link->kind->kind : "cache",
		.off = link->off };
	memcpy(row->name, link->name, sizeof row->name);
	row->keeps = link->ttl_max != UINT32_MAX;
	row->keep_s = link->ttl_max;
	if (link->off) {
		row->state = LOOK_OFF;
		return;
	}
	if (!(links >> at & 1)) {
		row->state = LOOK_SKIPPED;
		return;
	}
	uint32_t keep_s = keep_of(look, at, link);
	row->state = judge_kept(look, at, keep_s);
	if (look->has_kept && at <= look->source && row->state == LOOK_MISS)
		row->gone_s = look->age - keep_s;
	if (!link->kind || !link->kind->is_local)
		return;
	if (link->kind->owns && link->kind->owns(link->data, name))
		row->state = LOOK_OWN;
	else if (row->state == LOOK_MISS)
		row->state = LOOK_PASS;
}

static bool find(struct chain *chain, const struct chain_question *q, struct look *look)
{
	static const enum cache_kind kinds[] = { CACHE_ANSWER, CACHE_FAILURE };
	const struct chain_plan *plan = chain->run->plan;
	uint64_t now_ms = clock_mono_ms();
	for (size_t i = 0; i < array_len(kinds); i++) {
		struct kept kept;
		if (!keep_find(chain, plan, kinds[i], q, now_ms, &kept))
			continue;
		bool is_failure = kinds[i] == CACHE_FAILURE;
		/* An answer of other local data stands when none of them has the name. */
		if (is_failure && kept.head.aux != keep_mark(chain, plan, kinds[i]))
			continue;
		bool is_good = kept.age < kept.head.ttl;
		if (look->has_kept && !is_good)
			continue;
		look->has_kept = true;
		look->is_failure = is_failure;
		look->age = kept.age;
		look->ttl = kept.head.ttl;
		look->source = kept.source;
		look->from = kept.head.from;
		if (is_good)
			return true;
	}
	return false;
}

void chain_look(struct chain *chain, const struct chain_question *q, struct look *look)
{
	memset(look, 0, sizeof *look);
	look->source = look->answers = -1;
	if (!chain->run)
		return;
	const struct chain_plan *plan = chain->run->plan;
	/* What a link has of its own goes before what was kept of others. */
	if (!q->is_live && !chain_plan_owns(plan, q->name))
		(void)find(chain, q, look);
	uint32_t links = chain_run_links(chain->run, q->name);
	for (size_t i = 0; i < plan->n; i++) {
		fill_row(look, &plan->link[i], links, q->name);
		struct look_row *row = &look->row[i];
		if (look->answers >= 0)
			row->state = row->state == LOOK_OFF || row->state == LOOK_SKIPPED
					     ? row->state
					     : LOOK_NOT_ASKED;
		else if (row->state == LOOK_HIT || row->state == LOOK_OWN)
			look->answers = (int)i;
	}
}

/* ---- failures ---- */

void look_note_failure(struct chain *chain, const struct link_ask *ask)
{
	if (!chain->ring) {
		chain->ring = mem_try(sizeof *chain->ring);
		if (!chain->ring)
			return;
		chain->ring->n = 0;
	}
	struct chain_failure *f = &chain->ring->list[chain->ring->n++ % CHAIN_FAILURES];
	f->at_s = clock_wall_s();
	f->type = ask->question.type;
	f->took_ms = (uint32_t)(clock_mono_ms() - ask->trace.start_ms);
	f->ede = ask->outcome.ede;
	memcpy(f->name, ask->name, name_len(ask->name));
	memcpy(f->text, ask->outcome.ede_text, sizeof f->text);
	trace_keep(&f->trace, &ask->trace);
}

void chain_failures(const struct chain *chain, const uint8_t *name,
	bool (*fn)(void *user, const struct chain_failure *failure), void *user)
{
	const struct chain_ring *ring = chain->ring;
	if (!ring)
		return;
	uint64_t most = ring->n < CHAIN_FAILURES ? ring->n : CHAIN_FAILURES;
	for (uint64_t i = 1; i <= most; i++) {
		const struct chain_failure *f = &ring->list[(ring->n - i) % CHAIN_FAILURES];
		if ((!name || name_is_at_or_below(f->name, name)) && !fn(user, f))
			return;
	}
}

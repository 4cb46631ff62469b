/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/resolver.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "resolve/iter.h"
#include "wire/edns.h"
#include "wire/rrtype.h"

#include <string.h>

enum {
	PRIMING_PAD = 512 * 1024,
	PRIMING_AGAIN_MS = 10 * 1000, /* after one that failed, or did not help */
};

/* ---- a resolution ---------------------------------------------------------------------- */

static void drop_all(struct resolution *r)
{
	if (r->top && !r->is_done)
		iter_drop(r->top);
	r->top = NULL;
	list_drop(&r->list);
	r->resolver->open--;
}

void resolution_end(struct resolution *r)
{
	struct outcome *outcome = r->ask->outcome;
	outcome->rcode = r->top->rcode;
	if (r->top->rcode == RCODE_SERVFAIL) {
		char why[OUTCOME_TEXT];
		memcpy(why, r->why, sizeof why);
		(void)outcome_fail(outcome, r->ede, "%s", why);
	} else {
		found_show_servers(r->top);
	}
	drop_all(r);
	if (r->done)
		r->done(r->user);
}

bool resolve_start(struct resolver *resolver, const struct resolve_ask *ask,
	void (*done)(void *user), void *user, struct resolution **out)
{
	*out = NULL;
	if (!resolver->opts) {
		(void)outcome_fail(ask->outcome, EDE_NOT_READY, "there is nobody to resolve");
		return true;
	}
	struct resolution *r = pad_new(ask->pad, sizeof *r);
	if (!r) {
		(void)outcome_fail(ask->outcome, EDE_OTHER, "no memory");
		return true;
	}
	*r = (struct resolution){ .resolver = resolver,
		.opts = resolver->opts,
		.ask = ask,
		.now_ms = clock_mono_ms(),
		.again = ASK_AGAIN,
		.ede = EDE_OTHER };
	list_init(&r->iters);
	list_init(&r->ready);
	list_put(&resolver->resolutions, &r->list);
	resolver->open++;
	r->top = iter_new(r, NULL, ask->name, ask->type);
	if (!r->top) {
		drop_all(r);
		(void)outcome_fail(ask->outcome, EDE_OTHER, "no memory");
		return true;
	}
	r->top->is_fresh = ask->is_live;
	iter_turn(r);
	if (r->is_done)
		return true;
	r->done = done;
	r->user = user;
	*out = r;
	return false;
}

void resolve_cancel(struct resolution **held)
{
	struct resolution *r = *held;
	*held = NULL;
	if (r)
		drop_all(r);
}

uint32_t resolver_open(const struct resolver *resolver)
{
	return resolver->open;
}

/* ---- the root's servers ---------------------------------------------------------------- */

static void on_primed(void *user)
{
	struct resolver *resolver = user;
	struct priming *p = &resolver->priming;
	p->resolution = NULL;
	pad_clear(&p->pad);
}

void resolver_prime(struct resolver *resolver)
{
	static const uint8_t root[] = { 0 };
	struct priming *p = &resolver->priming;
	uint64_t now_ms = clock_mono_ms();
	if (p->resolution || now_ms < p->not_before_ms || !resolver->opts ||
		!resolver->opts->hints_n)
		return;
	p->not_before_ms = now_ms + PRIMING_AGAIN_MS;
	pad_init(&p->pad, PRIMING_PAD, NULL);
	p->budget = budget_new(now_ms);
	p->trace = (struct trace){ .start_ms = now_ms };
	outcome_start(&p->outcome);
	p->ask = (struct resolve_ask){ .name = root,
		.type = TYPE_NS,
		.is_dnssec = true,
		.is_live = true,
		.pad = &p->pad,
		.budget = &p->budget,
		.trace = &p->trace,
		.outcome = &p->outcome };
	if (resolve_start(resolver, &p->ask, on_primed, resolver, &p->resolution))
		on_primed(resolver);
}

/* ---- the resolver ---------------------------------------------------------------------- */

/* The iterators that have waited for the first family long enough. */
static void on_race(void *user)
{
	struct resolver *resolver = user;
	uint64_t now_ms = clock_mono_ms();
	while (!list_is_empty(&resolver->racing)) {
		struct iter *it = container_of(resolver->racing.next, struct iter, race);
		if (it->race_ms > now_ms) {
			loop_timer_start(resolver->race_timer, it->race_ms - now_ms, 0);
			return;
		}
		list_drop(&it->race);
		it->resolution->now_ms = now_ms;
		select_race(it);
	}
}

static void on_wake(void *user)
{
	flight_wake(user);
}

void resolver_set_share(struct resolver *resolver, unsigned workers)
{
	resolver->slow_max = (uint16_t)((ZONE_SLOW_MAX + workers - 1) / workers);
}

struct resolver *resolver_new(
	struct loop *loop, struct upstream *upstream, struct cache *cache, struct facts *facts)
{
	struct resolver *resolver = mem_new(sizeof *resolver);
	resolver->loop = loop;
	resolver->upstream = upstream;
	resolver->cache = cache;
	resolver->facts = facts;
	resolver_set_share(resolver, 1);
	list_init(&resolver->resolutions);
	list_init(&resolver->racing);
	list_init(&resolver->woken);
	for (size_t i = 0; i < FLIGHTS; i++)
		list_init(&resolver->flights[i]);
	resolver->race_timer = loop_timer_new(loop, on_race, resolver);
	resolver->wake_timer = loop_timer_new(loop, on_wake, resolver);
	rand_fill(&resolver->secret, sizeof resolver->secret);
	return resolver;
}

void resolver_set_opts(struct resolver *resolver, const struct resolve_opts *opts)
{
	resolver->opts = opts;
	resolver->priming.not_before_ms = 0;
}

void resolver_free(struct resolver **held)
{
	struct resolver *resolver = *held;
	*held = NULL;
	if (!resolver)
		return;
	while (!list_is_empty(&resolver->resolutions)) {
		struct resolution *r =
			container_of(resolver->resolutions.next, struct resolution, list);
		drop_all(r);
	}
	pad_clear(&resolver->priming.pad);
	loop_timer_free(&resolver->race_timer);
	loop_timer_free(&resolver->wake_timer);
	mem_free(resolver);
}

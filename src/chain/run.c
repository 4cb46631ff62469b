/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"
#include "chain/inside.h"
#include "wire/key.h"

#include <string.h>

void chain_plan_release(struct chain_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct chain_link *link = &plan->link[i];
		if (link->kind && link->data && link->kind->release)
			link->kind->release(link->data);
		link->data = NULL;
	}
}

const struct link *chain_kind(const struct link *const *kinds, size_t n, const char *kind)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(kinds[i]->kind, kind) == 0)
			return kinds[i];
	return NULL;
}

static bool is_on(const struct chain_link *link)
{
	return link->kind && !link->off;
}

static bool covers(const struct chain_link *link, const uint8_t *name)
{
	for (size_t i = 0; i < link->zones_n; i++)
		if (name_is_at_or_below(name, link->zones[i]))
			return true;
	return link->zones_n == 0;
}

bool chain_plan_owns(const struct chain_plan *plan, const uint8_t *name)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct chain_link *link = &plan->link[i];
		if (is_on(link) && link->kind->owns && covers(link, name) &&
			link->kind->owns(link->data, name))
			return true;
	}
	return false;
}

bool chain_owns(const struct chain *chain, const uint8_t *name)
{
	return chain->run && chain_plan_owns(chain->run->plan, name);
}

/* ---- which links a name is a matter of ---- */

static struct chain_zone *find_zone(
	const struct chain_run *run, const uint8_t *name, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & run->mask;
	while (run->zones[i].name &&
		(run->zones[i].hash != hash || !name_is_equal(run->zones[i].name, name)))
		i = (i + 1) & run->mask;
	return &run->zones[i];
}

static void put_zones(struct chain_run *run, size_t at)
{
	const struct chain_link *link = &run->plan->link[at];
	for (size_t i = 0; i < link->zones_n; i++) {
		uint64_t hash = key_hash(link->zones[i]);
		struct chain_zone *zone = find_zone(run, link->zones[i], hash);
		zone->name = link->zones[i];
		zone->hash = hash;
		zone->links |= 1u << at;
	}
}

static void index_zones(struct chain_run *run)
{
	size_t n = 0, size = 2;
	for (size_t i = 0; i < run->plan->n; i++) {
		const struct chain_link *link = &run->plan->link[i];
		n += link->zones_n;
		run->unlimited |= link->zones_n ? 0 : 1u << i;
	}
	if (!n)
		return;
	while (size < 2 * n)
		size *= 2;
	run->mask = (uint32_t)(size - 1);
	run->zones = mem_array(size, sizeof *run->zones);
	for (size_t i = 0; i < run->plan->n; i++)
		if (is_on(&run->plan->link[i]))
			put_zones(run, i);
}

/* Of links that only keep, each is for itself. */
static uint32_t find_keepers(const struct chain_run *run, const uint8_t *name)
{
	uint32_t links = 0;
	for (size_t i = 0; i < run->plan->n; i++) {
		const struct chain_link *link = &run->plan->link[i];
		if (!link->kind && link->zones_n && covers(link, name))
			links |= 1u << i;
	}
	return links;
}

uint32_t chain_run_links(const struct chain_run *run, const uint8_t *name)
{
	if (!run->zones)
		return run->unlimited;
	uint32_t links = run->unlimited | find_keepers(run, name);
	for (;; name += *name + 1u) {
		const struct chain_zone *zone = find_zone(run, name, key_hash(name));
		if (zone->name)
			return links | zone->links;
		if (!*name)
			return links;
	}
}

/* ---- runs ---- */

struct chain_run *chain_run_new(struct chain *chain, const struct chain_plan *plan)
{
	struct chain_run *run = mem_new(sizeof *run);
	run->plan = plan;
	list_init(&run->list);
	index_zones(run);
	for (size_t i = 0; i < plan->n; i++) {
		const struct chain_link *link = &plan->link[i];
		list_init(&run->queue[i]);
		if (is_on(link))
			run->instance[i] = link->kind->open(
				link->data, &chain_plugin_calls, &chain->inside);
	}
	return run;
}

void chain_run_free(struct chain_run **held)
{
	struct chain_run *run = *held;
	*held = NULL;
	if (!run)
		return;
	for (size_t i = 0; i < run->plan->n; i++) {
		const struct chain_link *link = &run->plan->link[i];
		if (is_on(link) && link->kind->close)
			link->kind->close(run->instance[i]);
	}
	list_drop(&run->list);
	mem_free(run->zones);
	mem_free(run);
}

void chain_run_settle(struct chain *chain, struct chain_run *run)
{
	if (run == chain->run || run->asks)
		return;
	chain_run_free(&run);
	if (chain->on_released)
		chain->on_released(chain->user);
}

void chain_set_plan(struct chain *chain, const struct chain_plan *plan, const void *holder)
{
	struct chain_run *before = chain->run;
	if (before && before->plan == plan) {
		before->holder = holder;
		return;
	}
	chain->run = plan ? chain_run_new(chain, plan) : NULL;
	if (plan) {
		chain->run->holder = holder;
		list_put(&chain->runs, &chain->run->list);
	}
	if (before)
		chain_run_settle(chain, before);
}

const void *chain_oldest(const struct chain *chain)
{
	if (list_is_empty(&chain->runs))
		return NULL;
	return container_of(chain->runs.next, struct chain_run, list)->holder;
}

void chain_on_released(struct chain *chain, void (*on_released)(void *user), void *user)
{
	chain->on_released = on_released;
	chain->user = user;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/table.h"

#include "base/mem.h"

struct table_slot {
	uint64_t hash;
	const struct zone *zone; /* NULL: free */
};

struct zone_table {
	uint64_t depths[2]; /* bit n: a zone whose apex has n labels */
	uint32_t mask;
	struct table_slot slot[];
};

struct zone_table *zone_table_new(struct zone *const *zones, size_t n)
{
	size_t slots = 8;
	while (slots < n * 2)
		slots *= 2;
	struct zone_table *table = mem_new(sizeof *table + slots * sizeof table->slot[0]);
	table->mask = (uint32_t)slots - 1;
	for (size_t z = 0; z < n; z++) {
		uint64_t hash = key_hash(zones[z]->apex_name);
		uint32_t i = (uint32_t)hash & table->mask;
		while (table->slot[i].zone)
			i = (i + 1) & table->mask;
		table->slot[i] = (struct table_slot){ hash, zones[z] };
		table->depths[zones[z]->apex_labels / 64] |= 1ull << zones[z]->apex_labels % 64;
	}
	return table;
}

void zone_table_free(struct zone_table **table)
{
	mem_free(*table);
	*table = NULL;
}

static const struct zone *probe(
	const struct zone_table *table, const struct key *key, unsigned label)
{
	uint64_t hash = key->hash[label];
	for (uint32_t i = (uint32_t)hash & table->mask; table->slot[i].zone;
		i = (i + 1) & table->mask) {
		const struct zone *zone = table->slot[i].zone;
		if (table->slot[i].hash == hash &&
			zone->apex_len == key->len - key->at[label] &&
			memcmp(zone->apex_name, key->name + key->at[label], zone->apex_len) ==
				0)
			return zone;
	}
	return NULL;
}

const struct zone *zone_table_find(
	const struct zone_table *table, const struct key *key, unsigned from)
{
	for (unsigned label = from; label <= key->labels; label++) {
		unsigned depth = key->labels - label;
		if (!(table->depths[depth / 64] >> depth % 64 & 1))
			continue;
		const struct zone *zone = probe(table, key, label);
		if (zone)
			return zone;
	}
	return NULL;
}

void zone_table_prefetch(const struct zone_table *table, const struct key *key)
{
	for (unsigned label = 0; label <= key->labels; label++) {
		unsigned depth = key->labels - label;
		if (table->depths[depth / 64] >> depth % 64 & 1)
			__builtin_prefetch(
				&table->slot[(uint32_t)key->hash[label] & table->mask]);
	}
}

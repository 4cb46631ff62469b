/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zone.h"

#include "base/mem.h"
#include "wire/record.h"
#include "wire/rrtype.h"

const struct set *node_find(const struct node *node, uint16_t type)
{
	const struct set *set = node_first_set(node);
	for (unsigned i = 0; i < node->sets; i++, set = set_after(set))
		if (set->type == type)
			return set;
	return NULL;
}

size_t zone_node_name(
	const struct zone *zone, const struct node *node, uint8_t out[NAME_MAX_LEN])
{
	memcpy(out, node->rel, node->rel_len);
	memcpy(out + node->rel_len, zone->apex_name, zone->apex_len);
	return (size_t)node->rel_len + zone->apex_len;
}

uint32_t zone_serial(const struct zone *zone)
{
	return zone->serial;
}

uint64_t zone_digest(const struct zone *zone)
{
	return zone->digest;
}

uint64_t zone_records(const struct zone *zone)
{
	return zone->records;
}

struct zone *zone_hold(struct zone *zone)
{
	zone->holders++;
	return zone;
}

void zone_drop(struct zone **held)
{
	struct zone *zone = *held;
	*held = NULL;
	if (!zone || --zone->holders)
		return;
	/* The builder made these writable; the const in struct zone is for everybody else. */
	if (zone->arena_size)
		map_free((void *)(uintptr_t)zone->arena, zone->arena_size);
	if (zone->table_size)
		map_free((void *)(uintptr_t)zone->table, zone->table_size);
	else if (zone->is_table_heap)
		mem_free((void *)(uintptr_t)zone->table);
	mem_free((void *)(uintptr_t)zone->nsec);
	mem_free((void *)(uintptr_t)zone->nsec_prefix);
	mem_free((void *)(uintptr_t)zone->hashed);
	mem_free(zone);
}

static void walk_set(const struct set *set, struct record *record,
	void (*on_record)(void *user, const struct record *record), void *user)
{
	const uint8_t *p = set->records;
	record->type = set->type;
	record->ttl = set->ttl;
	for (unsigned i = 0; i < set_count(set); i++) {
		memcpy(&record->rdata_len, p, sizeof record->rdata_len);
		record->rdata = p + sizeof record->rdata_len;
		p = record->rdata + record->rdata_len;
		on_record(user, record);
	}
}

void zone_walk(const struct zone *zone,
	void (*on_record)(void *user, const struct record *record), void *user)
{
	uint8_t owner[NAME_MAX_LEN];
	size_t end = (size_t)(zone->bytes);
	for (size_t at = ZONE_UNIT; at < end;) {
		const struct node *node = zone_node(zone, (uint32_t)(at / ZONE_UNIT));
		struct record record = { .owner = owner, .class = CLASS_IN };
		const struct set *set = node_first_set(node);
		zone_node_name(zone, node, owner);
		for (unsigned i = 0; i < node->sets; i++, set = set_after(set)) {
			if (node->flags & NODE_DEAD)
				continue;
			walk_set(set, &record, on_record, user);
			if (set_sigs(set))
				walk_set(set_sigs(set), &record, on_record, user);
		}
		size_t used = (size_t)((const uint8_t *)set - (const uint8_t *)node);
		at += (used + ZONE_UNIT - 1) / ZONE_UNIT * ZONE_UNIT;
	}
}

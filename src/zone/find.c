/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/find.h"

const struct node *zone_probe(const struct zone *zone, const struct key *key, unsigned label)
{
	uint32_t hash = (uint32_t)key->hash[label];
	unsigned rel_len = (unsigned)key->len - zone->apex_len - key->at[label];
	for (uint32_t i = hash & zone->mask; zone->table[i].offset; i = (i + 1) & zone->mask) {
		if (zone->table[i].hash != hash)
			continue;
		const struct node *node = zone_node(zone, zone->table[i].offset);
		if (node->rel_len == rel_len &&
			memcmp(node->rel, key->name + key->at[label], rel_len) == 0)
			return node;
	}
	return NULL;
}

void zone_prefetch_slot(const struct zone *zone, const struct key *key)
{
	__builtin_prefetch(&zone->table[(uint32_t)key->hash[0] & zone->mask]);
}

void zone_prefetch_node(const struct zone *zone, const struct key *key)
{
	uint32_t hash = (uint32_t)key->hash[0];
	for (uint32_t i = hash & zone->mask; zone->table[i].offset; i = (i + 1) & zone->mask)
		if (zone->table[i].hash == hash) {
			const uint8_t *p =
				(const uint8_t *)zone_node(zone, zone->table[i].offset);
			__builtin_prefetch(p);
			__builtin_prefetch(p + 64);
			return;
		}
}

/* The topmost node above `node` (itself included) that has the flag; there is one. */
static const struct node *topmost(
	const struct zone *zone, const struct node *node, uint8_t flag)
{
	const struct node *top = node;
	while (zone_offset(zone, node) != zone->apex) {
		if (node->flags & flag)
			top = node;
		node = zone_node(zone, node->parent);
	}
	return node->flags & flag ? node : top;
}

static const struct node *find_wildcard(
	const struct zone *zone, const struct key *key, const struct find *f)
{
	static const uint8_t star[2] = { 1, '*' };
	uint32_t hash = (uint32_t)key_step(key->hash[f->encloser_label], star);
	const struct node *encloser = f->encloser;
	for (uint32_t i = hash & zone->mask; zone->table[i].offset; i = (i + 1) & zone->mask) {
		if (zone->table[i].hash != hash)
			continue;
		const struct node *node = zone_node(zone, zone->table[i].offset);
		if (node->rel_len == encloser->rel_len + 2u &&
			memcmp(node->rel, star, 2) == 0 &&
			memcmp(node->rel + 2, encloser->rel, encloser->rel_len) == 0)
			return node;
	}
	return NULL;
}

enum hit zone_find(const struct zone *zone, const struct key *key, struct find *out)
{
	/* No name of the zone has more labels than max_labels: longer suffixes cannot match. */
	unsigned label =
		key->labels > zone->max_labels ? (unsigned)key->labels - zone->max_labels : 0u;
	const struct node *node = NULL;
	for (; !node; label++) {
		node = zone_probe(zone, key, label);
		if (node && node->flags & NODE_HASHED)
			node = NULL;
	}
	label--;
	out->encloser = out->node = node;
	out->encloser_label = label;
	if (unlikely(node->flags & (NODE_CUT | NODE_BELOW_CUT))) {
		out->node = topmost(zone, node, NODE_CUT);
		/* A cut below a DNAME does not exist either: the DNAME stands above it. */
		if (!(out->node->flags & NODE_BELOW_DNAME))
			return HIT_CUT;
	}
	if (unlikely(node->flags & NODE_BELOW_DNAME) || (label && node->flags & NODE_DNAME)) {
		out->node = topmost(zone, node, NODE_DNAME);
		return HIT_DNAME;
	}
	if (label == 0)
		return HIT_NODE;
	if (node->flags & NODE_HAS_WILDCARD) {
		out->node = find_wildcard(zone, key, out);
		if (out->node)
			return HIT_WILDCARD;
	}
	out->node = NULL;
	return HIT_NOTHING;
}

const struct node *zone_find_name(const struct zone *zone, const uint8_t *name)
{
	struct key key;
	if (!name_is_at_or_below(name, zone->apex_name))
		return NULL;
	key_make(&key, name);
	const struct node *node = zone_probe(zone, &key, 0);
	return node && node->flags & NODE_HASHED ? NULL : node;
}

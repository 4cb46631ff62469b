/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"
#include "wire/rdata.h"
#include "wire/rrtype.h"
#include "zone/draft.h"
#include "zone/find.h"
#include "zone/order.h"

#include <stdlib.h>

enum {
	HASH_LEN = 20,
	HASH_TEXT_LEN = 32,
	NSEC3_SHA1 = 1,
	NSEC3_ITERATIONS_SANE = 100,
	NSEC3_ITERATIONS_MAX = 500,
	FIRST_NODE = 1
};

/* ---- parents, empty non-terminals, flags ---------------------------------------- */

static uint32_t parent_of(struct zone_build *b, uint32_t offset, uint32_t apex)
{
	const struct node *node = draft_node(b, offset);
	unsigned first = node->rel[0] + 1u, len = node->rel_len - first;
	if (!len)
		return apex;
	const uint8_t *rel = node->rel + first;
	uint32_t found = draft_slot(b, (uint32_t)draft_hash(b, rel, len), rel, len)->offset;
	return found ? found : draft_empty(b, rel, len);
}

static unsigned count_labels(const struct node *node)
{
	unsigned n = 0;
	for (unsigned i = 0; i < node->rel_len; i += node->rel[i] + 1u)
		n++;
	return n;
}

static void link_node(struct zone_build *b, uint32_t offset, uint32_t apex)
{
	struct zone *zone = b->zone;
	struct node *node = draft_node(b, offset);
	unsigned labels = zone->apex_labels + count_labels(node);
	if (!(node->flags & NODE_HASHED)) {
		zone->names++;
		if (labels > zone->max_labels)
			zone->max_labels = (uint8_t)labels;
	}
	if (offset == apex) {
		node->parent = apex;
		return;
	}
	uint32_t parent = parent_of(b, offset, apex);
	node = draft_node(b, offset); /* the arena may have moved */
	node->parent = parent;
	if (node->rel[0] == 1 && node->rel[1] == '*')
		draft_node(b, parent)->flags |= NODE_HAS_WILDCARD;
}

/* What stands above a node makes it glue or occluded. */
static void inherit(struct zone_build *b, uint32_t offset, uint32_t apex)
{
	struct node *node = draft_node(b, offset);
	for (uint32_t up = offset; up != apex;) {
		up = draft_node(b, up)->parent;
		uint8_t flags = draft_node(b, up)->flags;
		if (flags & NODE_CUT)
			node->flags |= NODE_BELOW_CUT;
		if (flags & NODE_DNAME)
			node->flags |= NODE_BELOW_DNAME;
	}
}

/* Of all sets but the SOA; a sum, so that the order of names does not matter. */
static uint64_t node_digest(const struct node *node)
{
	const struct hash_key name_key = { node->rel_len, 0 };
	const struct hash_key key = { hash_sip(&name_key, node->rel, node->rel_len, 1, 3), 1 };
	uint64_t sum = 0;
	const struct set *set = node_first_set(node), *next;
	for (unsigned i = 0; i < node->sets; i++, set = next) {
		next = set_after(set);
		size_t n = (size_t)((const uint8_t *)next - (const uint8_t *)set);
		if (set->type != TYPE_SOA)
			sum += hash_sip(&key, set, n, 1, 3);
	}
	return sum;
}

static uint64_t node_records(const struct node *node)
{
	uint64_t n = 0;
	const struct set *set = node_first_set(node);
	for (unsigned i = 0; i < node->sets; i++, set = set_after(set))
		n += set_count(set) + (set_sigs(set) ? set_count(set_sigs(set)) : 0);
	return n;
}

void draft_link(struct zone_build *b)
{
	/* No labels: any address does, but memcmp() and memcpy() take none that is NULL. */
	const uint8_t *none = b->zone->apex_name;
	struct zone_slot *slot = draft_slot(b, (uint32_t)b->apex_hash, none, 0);
	uint32_t apex = slot->offset ? slot->offset : draft_empty(b, none, 0);
	b->zone->apex = apex;
	/* Empty non-terminals are added at the end while the walk is on: it meets them too. */
	for (uint32_t at = FIRST_NODE; at < b->used / ZONE_UNIT; at = draft_next(b, at))
		if (!(draft_node(b, at)->flags & NODE_DEAD))
			link_node(b, at, apex);
	for (uint32_t at = FIRST_NODE; at < b->used / ZONE_UNIT; at = draft_next(b, at)) {
		const struct node *node = draft_node(b, at);
		if (node->flags & NODE_DEAD)
			continue;
		inherit(b, at, apex);
		b->zone->records += node_records(node);
		b->zone->digest += node_digest(node);
	}
}

/* ---- judging --------------------------------------------------------------------- */

static void judge_apex(struct zone_build *b)
{
	struct zone *zone = b->zone;
	const struct node *apex = zone_node(zone, zone->apex);
	const struct set *soa = node_find(apex, TYPE_SOA);
	if (!soa || set_count(soa) != 1) {
		draft_issue(b, true, apex, TYPE_SOA,
			soa ? "a zone has exactly one SOA: here is another"
			    : "the zone has no SOA record at its apex");
		return;
	}
	uint16_t len;
	const uint8_t *rdata = set_first(soa, &len);
	uint32_t words[5];
	for (unsigned i = 0; i < 5; i++) {
		const uint8_t *p = rdata + len - 20 + 4 * i;
		words[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
			   p[3];
	}
	zone->soa = soa;
	zone->serial = words[0];
	zone->negative_ttl = words[4] < soa->ttl ? words[4] : soa->ttl;
	if (!node_find(apex, TYPE_NS))
		draft_issue(b, false, apex, 0, "the zone has no NS record at its apex");
}

/* What may stand beside a CNAME: its signatures, NSEC and theirs (RFC 4035 2.5), and NSEC3 of a
 *      hash. */
static bool is_beside_cname(uint16_t type)
{
	return type == TYPE_CNAME || type == TYPE_NSEC || type == TYPE_RRSIG ||
	       type == TYPE_SIG || type == TYPE_NXT;
}

static void judge_node(struct zone_build *b, const struct node *node)
{
	bool is_apex = node->rel_len == 0;
	const struct set *set = node_first_set(node);
	for (unsigned i = 0; i < node->sets; i++, set = set_after(set)) {
		if (node->flags & NODE_CNAME && !is_beside_cname(set->type))
			draft_issue(b, true, node, set->type,
				"a CNAME stands at this name: no other data may");
		if (set->type == TYPE_CNAME && set_count(set) > 1)
			draft_issue(b, true, node, TYPE_CNAME, "a name has one CNAME at most");
		if (set->type == TYPE_DNAME && set_count(set) > 1)
			draft_issue(b, true, node, TYPE_DNAME, "a name has one DNAME at most");
		b->has_nsec |= set->type == TYPE_NSEC;
		if (set->type == TYPE_SOA && !is_apex)
			draft_issue(b, true, node, TYPE_SOA,
				"a SOA stands at the zone's apex only");
	}
	if (node->flags & NODE_BELOW_DNAME && node->sets && !(node->flags & NODE_HASHED))
		draft_issue(b, false, node, 0,
			"a DNAME stands above this name: it is never served");
	if (node->flags & NODE_DNAME && node->flags & NODE_CUT)
		draft_issue(b, false, node, TYPE_DNAME,
			"the name is delegated: the DNAME beside the NS is never served");
}

static bool has_address(const struct node *node)
{
	return node_find(node, TYPE_A) || node_find(node, TYPE_AAAA);
}

/* A name that records point to: is there something in this zone to be had. */
static void judge_target(
	struct zone_build *b, const struct node *node, uint16_t type, const uint8_t *target)
{
	const struct zone *zone = b->zone;
	struct key key;
	struct find f;
	if (!*target || !name_is_at_or_below(target, zone->apex_name))
		return;
	key_make(&key, target);
	enum hit hit = zone_find(zone, &key, &f);
	if (hit == HIT_CUT) {
		/* Glue is needed when the delegation itself leads there, and for this zone's
		 * own servers, or nobody finds the way in. */
		const struct node *glue = zone_probe(zone, &key, 0);
		if (type != TYPE_NS || (glue && has_address(glue)))
			return;
		if (f.node == node)
			draft_warn_target(b, node, type, target,
				"the name server lies in the zone it serves and has no glue "
				"address");
		else if (node->rel_len == 0)
			draft_warn_target(b, node, type, target,
				"the name server lies below a delegation and has no glue "
				"address");
		return;
	}
	if (hit == HIT_DNAME || (hit != HIT_NOTHING && f.node->flags & NODE_CNAME))
		draft_warn_target(b, node, type, target, "points to an alias (RFC 2181 10.3)");
	else if (hit == HIT_NOTHING || !has_address(f.node))
		draft_warn_target(b, node, type, target,
			"points to a name of this zone that has no address");
}

static void judge_targets(struct zone_build *b, const struct node *node)
{
	static const uint16_t types[] = { TYPE_NS, TYPE_MX, TYPE_SRV };
	for (size_t t = 0; t < array_len(types); t++) {
		const struct set *set = node_find(node, types[t]);
		const uint8_t *p = set ? set->records : NULL;
		for (unsigned i = 0; set && i < set_count(set); i++) {
			uint16_t len;
			memcpy(&len, p, sizeof len);
			int at = rdata_target(set->type, p + sizeof len, len);
			if (at >= 0)
				judge_target(b, node, set->type, p + sizeof len + at);
			p += sizeof len + len;
		}
	}
}

/* ---- signed zones ------------------------------------------------------------------ */

static int compare_nodes(const void *x, const void *y, void *user)
{
	const struct zone *zone = user;
	uint8_t a[NAME_MAX_LEN], b[NAME_MAX_LEN];
	zone_node_name(zone, zone_node(zone, *(const uint32_t *)x), a);
	zone_node_name(zone, zone_node(zone, *(const uint32_t *)y), b);
	return name_compare(a, b);
}

/* Calls on_node for every live node. */
static void each_node(
	struct zone_build *b, void (*on_node)(struct zone_build *b, const struct node *node))
{
	const struct zone *zone = b->zone;
	for (uint32_t at = FIRST_NODE; at < zone->bytes / ZONE_UNIT;) {
		const struct node *node = zone_node(zone, at);
		const struct set *set = node_first_set(node);
		for (unsigned i = 0; i < node->sets; i++)
			set = set_after(set);
		if (!(node->flags & NODE_DEAD))
			on_node(b, node);
		size_t n = (size_t)((const uint8_t *)set - (const uint8_t *)node);
		at += (uint32_t)((n + ZONE_UNIT - 1) / ZONE_UNIT);
	}
}

static void put_nsec(struct zone_build *b, const struct node *node)
{
	struct zone *zone = b->zone;
	if (node->flags & (NODE_BELOW_CUT | NODE_BELOW_DNAME) || !node_find(node, TYPE_NSEC))
		return;
	uint32_t *list = (uint32_t *)(uintptr_t)zone->nsec;
	list[zone->nsecs++] = zone_offset(zone, node);
}

static void order_nsec(struct zone_build *b)
{
	struct zone *zone = b->zone;
	const struct node *apex = zone_node(zone, zone->apex);
	if (!node_find(apex, TYPE_NSEC)) {
		if (b->has_nsec)
			draft_issue(b, false, apex, 0,
				"NSEC records but none at the apex: nothing can be denied");
		return;
	}
	uint32_t *list = mem_array(zone->names, sizeof *list);
	zone->nsec = list;
	each_node(b, put_nsec);
	/* Signers write their files in canonical order: mostly there is nothing to sort. */
	bool is_sorted = true;
	for (uint32_t i = 1; i < zone->nsecs && is_sorted; i++)
		is_sorted = compare_nodes(&list[i - 1], &list[i], zone) < 0;
	if (!is_sorted)
		qsort_r(list, zone->nsecs, sizeof *list, compare_nodes, zone);
	zone->nsec = mem_grow(list, zone->nsecs * sizeof *list);
	uint64_t *prefixes = mem_array(zone->nsecs, sizeof *prefixes);
	for (uint32_t i = 0; i < zone->nsecs; i++) {
		const struct node *node = zone_node(zone, zone->nsec[i]);
		prefixes[i] = zone_order_prefix(node->rel, node->rel_len);
	}
	zone->nsec_prefix = prefixes;
	zone->has_nsec = true;
}

static bool decode_hash(const struct node *node, uint8_t out[HASH_LEN])
{
	if (node->rel_len != HASH_TEXT_LEN + 1 || node->rel[0] != HASH_TEXT_LEN)
		return false;
	uint64_t bits = 0;
	unsigned have = 0, n = 0;
	for (unsigned i = 1; i <= HASH_TEXT_LEN; i++) {
		uint8_t c = node->rel[i];
		unsigned value = c >= '0' && c <= '9'   ? c - (unsigned)'0'
				 : c >= 'a' && c <= 'v' ? c - 'a' + 10u
							: 32u;
		if (value > 31)
			return false;
		bits = bits << 5 | value;
		have += 5;
		if (have >= 8)
			out[n++] = (uint8_t)(bits >> (have -= 8));
	}
	return true;
}

/* NSEC3 RDATA: algorithm, flags, iterations, salt length, salt, hash length, next hash,
 * bitmap. */
static bool is_of_chain(const struct zone *zone, const struct set *set)
{
	uint16_t len;
	const uint8_t *p = set_first(set, &len);
	return p[0] == NSEC3_SHA1 && (p[2] << 8 | p[3]) == zone->nsec3_iterations &&
	       p[4] == zone->nsec3_salt_len && memcmp(p + 5, zone->nsec3_salt, p[4]) == 0 &&
	       p[5 + p[4]] == HASH_LEN;
}

static void put_hash(struct zone_build *b, const struct node *node)
{
	struct zone *zone = b->zone;
	const struct set *set = node->flags & NODE_HASHED ? node_find(node, TYPE_NSEC3) : NULL;
	if (!set || !is_of_chain(zone, set))
		return;
	struct zone_hashed *entry =
		(struct zone_hashed *)(uintptr_t)&zone->hashed[zone->hashes];
	if (!decode_hash(node, entry->hash)) {
		draft_issue(b, false, node, TYPE_NSEC3,
			"the owner is no base32hex hash below the apex: not used");
		return;
	}
	entry->offset = zone_offset(zone, node);
	zone->hashes++;
}

static int compare_hashes(const void *x, const void *y)
{
	return memcmp(x, y, HASH_LEN);
}

static void count_hashed(struct zone_build *b, const struct node *node)
{
	b->zone->hashes += (node->flags & NODE_HASHED) != 0;
}

static void order_nsec3(struct zone_build *b)
{
	struct zone *zone = b->zone;
	const struct node *apex = zone_node(zone, zone->apex);
	const struct set *params = node_find(apex, TYPE_NSEC3PARAM);
	const uint8_t *chosen = NULL, *p = params ? params->records : NULL;
	for (unsigned i = 0; params && i < set_count(params) && !chosen; i++) {
		uint16_t len;
		memcpy(&len, p, sizeof len);
		p += sizeof len;
		if (p[0] == NSEC3_SHA1 && p[1] == 0)
			chosen = p;
		p += len;
	}
	if (!chosen)
		return;
	zone->nsec3_iterations = (uint16_t)(chosen[2] << 8 | chosen[3]);
	if (zone->nsec3_iterations > NSEC3_ITERATIONS_MAX) {
		draft_issue(b, false, apex, TYPE_NSEC3PARAM,
			"more than 500 iterations cost too much: nothing can be denied");
		return;
	}
	if (zone->nsec3_iterations > NSEC3_ITERATIONS_SANE)
		draft_issue(b, false, apex, TYPE_NSEC3PARAM,
			"with more than 100 iterations resolvers take the zone for unsigned "
			"(RFC 9276)");
	zone->nsec3_salt_len = chosen[4];
	memcpy(zone->nsec3_salt, chosen + 5, chosen[4]);
	each_node(b, count_hashed);
	struct zone_hashed *list = mem_array(zone->hashes, sizeof *list);
	zone->hashed = list;
	zone->hashes = 0;
	each_node(b, put_hash);
	qsort(list, zone->hashes, sizeof *list, compare_hashes);
	zone->has_nsec3 = zone->hashes > 0;
	if (!zone->has_nsec3)
		draft_issue(b, false, apex, TYPE_NSEC3PARAM,
			"no NSEC3 record goes with it: nothing can be denied");
}

static void judge_one(struct zone_build *b, const struct node *node)
{
	judge_node(b, node);
	/* What lies below a cut is the child's affair. */
	if (!(node->flags & (NODE_BELOW_CUT | NODE_BELOW_DNAME)))
		judge_targets(b, node);
}

void draft_judge(struct zone_build *b)
{
	judge_apex(b);
	each_node(b, judge_one);
	if (b->has_error)
		return;
	order_nsec(b);
	order_nsec3(b);
}

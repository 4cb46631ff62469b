/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer/additional.h"

#include "base/bytes.h"
#include "wire/rdata.h"
#include "wire/rrtype.h"
#include "zone/find.h"

static void note_name(
	struct reply *r, const struct zone *zone, const uint8_t *name, uint16_t type)
{
	if (r->names == REPLY_NAMES || !name_is_at_or_below(name, zone->apex_name))
		return;
	for (unsigned i = 0; i < r->names; i++)
		if (r->name[i].zone == zone && name_is_equal(r->name[i].name, name))
			return;
	r->name[r->names].zone = zone;
	r->name[r->names].name = name;
	r->name[r->names++].type = type;
}

void additional_note(
	struct reply *r, const struct zone *zone, const uint8_t *owner, const struct set *set)
{
	const struct rrtype *row = rrtype_find(set->type);
	if (!row || !(row->flags & RRTYPE_ADDITIONAL))
		return;
	bool is_service = set->type == TYPE_SVCB || set->type == TYPE_HTTPS;
	const uint8_t *p = set->records;
	for (unsigned i = 0; i < set_count(set); i++) {
		uint16_t len;
		memcpy(&len, p, sizeof len);
		p += sizeof len;
		int at = rdata_target(set->type, p, len);
		/* Priority 0 is an alias: the client will ask for the same type there (RFC 9460
		 * 4.1). */
		bool is_alias = is_service && get_u16(p) == 0;
		if (at >= 0 && p[at])
			note_name(r, zone, p + at, is_alias ? set->type : 0);
		else if (at >= 0 && is_service && !is_alias)
			/* "." is the owner itself: RFC 9460 2.5 */
			note_name(r, zone, owner, 0);
		p += len;
	}
}

static void add_type(
	struct reply *r, struct writer_owner *owner, const struct node *node, uint16_t type)
{
	const struct set *set = node_find(node, type);
	if (set && !reply_has(r, set))
		reply_add(r, SECTION_ADDITIONAL, owner, set, set->ttl);
}

static void add_name(
	struct reply *r, const struct zone *zone, const uint8_t *name, uint16_t type)
{
	struct key *key = &r->target;
	struct find f;
	struct writer_owner owner = { name, 0 };
	key_make(key, name);
	enum hit hit = zone_find(zone, key, &f);
	if (hit == HIT_CUT) {
		f.node = zone_probe(zone, key, 0);
		if (!f.node)
			return;
	} else if (hit != HIT_NODE && hit != HIT_WILDCARD) {
		return;
	}
	add_type(r, &owner, f.node, TYPE_A);
	add_type(r, &owner, f.node, TYPE_AAAA);
	if (type)
		add_type(r, &owner, f.node, type);
}

void additional_write(struct reply *r)
{
	for (unsigned i = 0; i < r->names && !r->is_truncated; i++)
		add_name(r, r->name[i].zone, r->name[i].name, r->name[i].type);
}

/* Glue in the child's own domain must be there: without it the delegation leads nowhere. */
static void add_own_glue(struct reply *r, const struct zone *zone, const uint8_t *name)
{
	key_make(&r->target, name);
	const struct node *node = zone_probe(zone, &r->target, 0);
	struct writer_owner owner = { name, 0 };
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA };
	for (size_t t = 0; node && t < array_len(types); t++) {
		const struct set *set = node_find(node, types[t]);
		if (set && !reply_has(r, set) &&
			!reply_add(r, SECTION_ADDITIONAL, &owner, set, set->ttl))
			r->is_truncated = true;
	}
}

void additional_glue(
	struct reply *r, const struct zone *zone, const struct node *cut, const struct set *ns)
{
	uint8_t apex[NAME_MAX_LEN];
	zone_node_name(zone, cut, apex);
	const uint8_t *p = ns->records;
	for (unsigned i = 0; i < set_count(ns) && !r->is_truncated; i++) {
		uint16_t len;
		memcpy(&len, p, sizeof len);
		p += sizeof len;
		if (name_is_at_or_below(p, apex))
			add_own_glue(r, zone, p);
		else
			note_name(r, zone, p, 0);
		p += len;
	}
	additional_write(r);
}

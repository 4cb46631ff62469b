/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer/auth.h"

#include "answer/additional.h"
#include "answer/deny.h"
#include "base/bytes.h"
#include "wire/rrtype.h"

/* Where a question is on its way along aliases. */
struct walk {
	const struct zone_table *zones;
	struct reply *r;
	const struct zone *zone;
	const struct key *key;     /* the name looked for now */
	const uint8_t *spelt;      /* the same, as it was spelt */
	struct writer_owner owner; /* the same, for the reply */
	struct find find;
	unsigned hops;
};

enum {
	QNAME_AT = HEADER_LEN
};

/* Where a name that the looked-for name ends in stands in the reply: in the question, unless
 * the walk has left it. 0: it does not stand there (the root's one byte is not worth a
 * pointer). */
static uint16_t place_of(const struct walk *w, unsigned len)
{
	return w->key == &w->r->q->key && len > 1 ? (uint16_t)(QNAME_AT + w->key->len - len)
						  : 0;
}

/* The SOA of a negative answer. What follows in such a reply has the zone's name in common and
 * no more. */
static void add_soa(struct walk *w)
{
	struct writer_owner owner = { w->zone->apex_name, place_of(w, w->zone->apex_len) };
	if (owner.at)
		writer_anchor(w->r->w, owner.name, w->zone->apex_len, owner.at);
	if (!reply_has(w->r, w->zone->soa))
		reply_add(w->r, SECTION_AUTHORITY, &owner, w->zone->soa, w->zone->negative_ttl);
}

/* ---- aliases --------------------------------------------------------------------- */

/* Goes on at target (absolute; it must stay until the reply is done). False: the chain ends
 * here. */
static bool go_on(struct walk *w, const uint8_t *target)
{
	struct reply *r = w->r;
	if (r->is_truncated || w->hops == REPLY_HOPS)
		return false;
	r->seen[w->hops++] = w->key->hash[0];
	key_make(&r->alias, target);
	for (unsigned i = 0; i < w->hops; i++)
		if (r->seen[i] == r->alias.hash[0])
			return false;
	w->key = &r->alias;
	w->spelt = target;
	w->owner = (struct writer_owner){ target, 0 };
	return true;
}

static bool follow_cname(struct walk *w, const struct set *cname)
{
	uint16_t len;
	if (!reply_add(w->r, SECTION_ANSWER, &w->owner, cname, cname->ttl))
		return false;
	return go_on(w, set_first(cname, &len));
}

/* RFC 6672 3.1: the DNAME, and a CNAME made of it for the name that was asked for. */
static bool follow_dname(struct walk *w)
{
	struct reply *r = w->r;
	const struct set *dname = node_find(w->find.node, TYPE_DNAME);
	uint8_t buf[NAME_MAX_LEN];
	struct writer_owner owner = reply_owner(w->zone, w->find.node, buf);
	owner.at = place_of(w, (unsigned)w->zone->apex_len + w->find.node->rel_len);
	if (!reply_has(r, dname) && !reply_add(r, SECTION_ANSWER, &owner, dname, dname->ttl))
		return false;
	uint16_t len;
	const uint8_t *target = set_first(dname, &len);
	size_t head = (size_t)w->key->len - w->zone->apex_len - w->find.node->rel_len;
	struct name *made = &r->made[r->mades % array_len(r->made)];
	if (name_join(made, w->spelt, head, target)) {
		r->rcode = RCODE_YXDOMAIN;
		return false;
	}
	r->mades++;
	if (!writer_record(r->w, SECTION_ANSWER, &w->owner, TYPE_CNAME, dname->ttl, made->bytes,
		    made->len)) {
		r->is_truncated = true;
		return false;
	}
	/* A DNAME to a name below itself only ever makes longer names: one step tells all there
	 * is. */
	if (name_is_at_or_below(target, owner.name) || r->q->type == TYPE_CNAME)
		return false;
	return go_on(w, made->bytes);
}

/* ---- the ends of a chain ------------------------------------------------------------ */

static void answer_nothing(struct walk *w)
{
	w->r->rcode = RCODE_NXDOMAIN;
	add_soa(w);
	deny_name(w->r, w->zone, w->key, &w->find);
}

static void answer_no_type(struct walk *w, bool is_wildcard)
{
	add_soa(w);
	if (is_wildcard)
		deny_wildcard_type(w->r, w->zone, w->key, &w->find);
	else
		deny_type(w->r, w->zone, w->key, &w->find);
}

static void answer_referral(struct walk *w)
{
	struct reply *r = w->r;
	const struct node *cut = w->find.node;
	const struct set *ns = node_find(cut, TYPE_NS), *ds = node_find(cut, TYPE_DS);
	uint8_t buf[NAME_MAX_LEN];
	struct writer_owner owner = reply_owner(w->zone, cut, buf);
	owner.at = place_of(w, (unsigned)w->zone->apex_len + cut->rel_len);
	if (!reply_add(r, SECTION_AUTHORITY, &owner, ns, ns->ttl))
		return;
	if (r->is_dnssec && ds)
		reply_add(r, SECTION_AUTHORITY, &owner, ds, ds->ttl);
	else
		deny_ds(r, w->zone, w->key, &w->find);
	deny_write(r); /* of wildcards on the way: the sections are written in order */
	additional_glue(r, w->zone, cut, ns);
}

/* RFC 8482: whoever asks for everything gets one set. */
static const struct set *choose_any(const struct node *node)
{
	const struct set *set = node_first_set(node);
	for (unsigned i = 0; i < node->sets; i++, set = set_after(set))
		if (set->type != TYPE_RRSIG && set->type != TYPE_NSEC)
			return set;
	return node->sets ? node_first_set(node) : NULL;
}

/* Signatures as such: those of one set, for the same reason. */
static const struct set *choose_sigs(const struct node *node)
{
	const struct set *set = node_first_set(node);
	for (unsigned i = 0; i < node->sets; i++, set = set_after(set)) {
		if (set->type == TYPE_RRSIG)
			return set;
		if (set_sigs(set))
			return set_sigs(set);
	}
	return NULL;
}

static const struct set *choose(const struct node *node, uint16_t type)
{
	if (type == TYPE_ANY)
		return choose_any(node);
	if (type == TYPE_RRSIG)
		return choose_sigs(node);
	return node_find(node, type);
}

/* The name (or the wildcard that stands in for it) is ours. True: go on. */
static bool answer_node(struct walk *w, bool is_wildcard)
{
	struct reply *r = w->r;
	const struct node *node = w->find.node;
	const struct set *set = choose(node, r->q->type);
	bool is_cname = !set && node->flags & NODE_CNAME;
	if (is_cname)
		set = node_find(node, TYPE_CNAME);
	if (!set) {
		answer_no_type(w, is_wildcard);
		return false;
	}
	if (is_wildcard)
		deny_closer(r, w->zone, w->key, &w->find);
	if (is_cname)
		return follow_cname(w, set);
	if (!reply_add(r, SECTION_ANSWER, &w->owner, set, set->ttl))
		return false;
	/* It is there under another name: as itself it may come yet, as a proof. */
	if (is_wildcard)
		reply_forget(r, set);
	if (r->q->type != TYPE_ANY)
		additional_note(r, w->zone, w->spelt, set);
	return false;
}

/* ---- the walk ------------------------------------------------------------------------ */

/* The zone to look in. A DS lies at the parent's side of a cut, when we serve that side (RFC
 * 4035 3.1.4.1). */
static const struct zone *choose_zone(const struct walk *w)
{
	const struct zone *zone = zone_table_find(w->zones, w->key, 0);
	if (!zone || w->r->q->type != TYPE_DS || w->key->len != zone->apex_len ||
		w->key->labels == 0)
		return zone;
	const struct zone *parent = zone_table_find(w->zones, w->key, 1);
	struct find find;
	if (parent && zone_find(parent, w->key, &find) == HIT_CUT)
		return parent;
	return zone;
}

/* One name. True: it was an alias, and the walk goes on. */
static bool step(struct walk *w)
{
	struct reply *r = w->r;
	enum hit hit = zone_find(w->zone, w->key, &w->find);
	if (w->hops == 0)
		r->is_authoritative = hit != HIT_CUT;
	switch (hit) {
	case HIT_NODE:
		return answer_node(w, false);
	case HIT_WILDCARD:
		return answer_node(w, true);
	case HIT_DNAME:
		return follow_dname(w);
	case HIT_NOTHING:
		answer_nothing(w);
		return false;
	case HIT_CUT:
		break;
	}
	unsigned cut_len = (unsigned)w->zone->apex_len + w->find.node->rel_len;
	if (r->q->type == TYPE_DS && w->key->len == cut_len) {
		r->is_authoritative |= w->hops == 0;
		return answer_node(w, false);
	}
	answer_referral(w);
	r->elsewhere = w->key;
	return false;
}

bool auth_answer(const struct zone_table *zones, struct reply *r)
{
	struct walk w = { .zones = zones,
		.r = r,
		.key = &r->q->key,
		.spelt = r->q->wire,
		.owner = { r->q->wire, r->q->key.len > 1 ? QNAME_AT : 0 } };
	w.zone = choose_zone(&w);
	if (!w.zone)
		return false;
	while (step(&w)) {
		w.zone = choose_zone(&w);
		if (!w.zone) { /* the rest of the chain is somebody else's to tell */
			r->elsewhere = w.key;
			break;
		}
	}
	deny_write(r);
	additional_write(r);
	return true;
}

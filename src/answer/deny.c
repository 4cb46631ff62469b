/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer/deny.h"

#include "wire/rrtype.h"
#include "zone/order.h"

static void add_proof(
	struct reply *r, const struct zone *zone, const struct node *node, uint16_t type)
{
	uint8_t name[NAME_MAX_LEN];
	const struct set *set = node ? node_find(node, type) : NULL;
	if (!set || reply_has(r, set))
		return;
	struct writer_owner owner = reply_owner(zone, node, name);
	uint32_t ttl = set->ttl < zone->negative_ttl ? set->ttl : zone->negative_ttl;
	reply_add(r, SECTION_AUTHORITY, &owner, set, ttl);
}

static void nsec(struct reply *r, const struct zone *zone, const uint8_t *name)
{
	add_proof(r, zone, zone_nsec_before(zone, name), TYPE_NSEC);
}

/* False when the zone has no NSEC3, or there is no SHA-1 to be had: the reply goes out
 * without. */
static bool hash_name(
	struct reply *r, const struct zone *zone, const uint8_t *name, uint8_t hash[HASHER_LEN])
{
	return zone->has_nsec3 &&
	       hasher_nsec3(r->hasher, name, name_len(name), zone->nsec3_salt,
		       zone->nsec3_salt_len, zone->nsec3_iterations, hash);
}

/* The NSEC3 that matches or covers name; false when it only covers and a match was wanted:
 * nothing is added then. */
static bool nsec3(
	struct reply *r, const struct zone *zone, const uint8_t *name, bool want_match)
{
	uint8_t hash[HASHER_LEN];
	bool is_match;
	if (!hash_name(r, zone, name, hash))
		return true;
	const struct node *node = zone_nsec3_before(zone, hash, &is_match);
	if (want_match && !is_match)
		return false;
	add_proof(r, zone, node, TYPE_NSEC3);
	return true;
}

/* RFC 5155 7.2.1: the closest encloser that has an NSEC3, and that the next closer name has
 * none. Returns the label of the key at which that encloser begins. */
static unsigned closest_encloser(
	struct reply *r, const struct zone *zone, const struct key *key, unsigned label)
{
	unsigned apex = (unsigned)key->labels - zone->apex_labels;
	while (!nsec3(r, zone, key->name + key->at[label], true) && label < apex)
		label++;
	if (label)
		nsec3(r, zone, key->name + key->at[label - 1], false);
	return label;
}

/* "*" in front of the key's suffix; the root's wildcard fits, so does every other one that
 * matters: a longer one cannot exist. */
static const uint8_t *wildcard(const struct key *key, unsigned label, struct name *out)
{
	static const uint8_t star[2] = { 1, '*' };
	return name_join(out, star, sizeof star, key->name + key->at[label]) ? NULL
									     : out->bytes;
}

void deny_type(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f)
{
	if (!r->is_dnssec)
		return;
	const uint8_t *name = key->name;
	if (zone->has_nsec)
		nsec(r, zone, name);
	else if (zone->has_nsec3 && !nsec3(r, zone, name, true))
		/* DS, or an opted-out empty name */
		closest_encloser(r, zone, key, f->encloser_label);
}

void deny_name(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f)
{
	struct name star;
	if (!r->is_dnssec)
		return;
	if (zone->has_nsec) {
		nsec(r, zone, key->name);
		if (wildcard(key, f->encloser_label, &star))
			nsec(r, zone, star.bytes);
	} else if (zone->has_nsec3) {
		unsigned label = closest_encloser(r, zone, key, f->encloser_label);
		if (wildcard(key, label, &star))
			nsec3(r, zone, star.bytes, false);
	}
}

void deny_closer(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f)
{
	uint8_t hash[HASHER_LEN];
	bool is_match;
	if (!r->is_dnssec || r->proofs == array_len(r->proof))
		return;
	const uint8_t *closer = key->name + key->at[f->encloser_label - 1];
	const struct node *node = NULL;
	if (zone->has_nsec)
		node = zone_nsec_before(zone, closer);
	else if (hash_name(r, zone, closer, hash))
		node = zone_nsec3_before(zone, hash, &is_match);
	if (!node)
		return;
	r->proof[r->proofs].zone = zone;
	r->proof[r->proofs++].node = node;
}

void deny_write(struct reply *r)
{
	for (unsigned i = 0; i < r->proofs && !r->is_truncated; i++)
		add_proof(r, r->proof[i].zone, r->proof[i].node,
			r->proof[i].zone->has_nsec ? TYPE_NSEC : TYPE_NSEC3);
	r->proofs = 0;
}

void deny_wildcard_type(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f)
{
	struct name star;
	if (!r->is_dnssec || !wildcard(key, f->encloser_label, &star))
		return;
	if (zone->has_nsec) {
		nsec(r, zone, star.bytes);
		nsec(r, zone, key->name);
	} else if (zone->has_nsec3) {
		closest_encloser(r, zone, key, f->encloser_label);
		nsec3(r, zone, star.bytes, false);
	}
}

void deny_ds(
	struct reply *r, const struct zone *zone, const struct key *key, const struct find *f)
{
	if (!r->is_dnssec)
		return;
	if (zone->has_nsec) {
		add_proof(r, zone, f->node, TYPE_NSEC);
	} else if (zone->has_nsec3) {
		unsigned cut = 0, at = (unsigned)key->len - zone->apex_len - f->node->rel_len;
		while (key->at[cut] < at)
			cut++;
		if (!nsec3(r, zone, key->name + key->at[cut], true))
			closest_encloser(r, zone, key, cut + 1);
	}
}

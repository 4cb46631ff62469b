/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/scrub.h"

#include "wire/rrtype.h"

#include <string.h>

/* ---- aliases --------------------------------------------------------------------------- */

const uint8_t *scrub_target(const struct rrset *cname, struct pad *pad)
{
	uint16_t len;
	const uint8_t *target = rrset_next(cname, NULL, &len);
	uint8_t *name = target ? pad_new(pad, len) : NULL;
	if (name)
		name_lower(name, target, len);
	return name;
}

int scrub_synthesise(
	struct rrset **out, const struct rrset *dname, const uint8_t *name, struct pad *pad)
{
	struct name target;
	uint16_t len;
	const uint8_t *tail = rrset_next(dname, NULL, &len);
	size_t head = name_len(name) - name_len(dname->owner);
	if (!tail)
		return 0;
	if (name_join(&target, name, head, tail) < 0)
		return -1;
	struct rrset *cname = pad_new(pad, sizeof *cname);
	uint8_t *record = pad_new(pad, 2u + target.len);
	if (!cname || !record)
		return 0;
	len = target.len;
	memcpy(record, &len, 2);
	memcpy(record + 2, target.bytes, len);
	*cname = (struct rrset){ .owner = name,
		.type = TYPE_CNAME,
		.class = dname->class,
		.section = SECTION_ANSWER,
		.ttl = dname->ttl,
		.n = 1,
		.size = 2u + len,
		.records = record };
	*out = cname;
	return 1;
}

/* The DNAME above name that the server may have. */
static const struct rrset *find_dname(
	const struct message *m, const struct scrub_ask *ask, const uint8_t *name)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct rrset *set = &m->sets[i];
		if (set->type == TYPE_DNAME && set->section == SECTION_ANSWER &&
			name_is_at_or_below(set->owner, ask->zone) &&
			name_is_at_or_below(name, set->owner) &&
			!name_is_equal(name, set->owner))
			return set;
	}
	return NULL;
}

/* ---- the answer section ---------------------------------------------------------------- */

static bool put(struct reply *reply, const struct rrset *set)
{
	if (reply->n == REPLY_SETS)
		return false;
	reply->set[reply->n++] = set;
	return true;
}

/* Every set of the name: for ANY, and for RRSIG, which has a set for every type covered. */
static bool put_all(
	struct reply *reply, const struct message *m, const uint8_t *name, uint16_t type)
{
	unsigned before = reply->n;
	for (size_t i = 0; i < m->n; i++)
		if (m->sets[i].section == SECTION_ANSWER &&
			(type == TYPE_ANY || m->sets[i].type == type) &&
			name_is_equal(m->sets[i].owner, name) && !put(reply, &m->sets[i]))
			break;
	return reply->n > before;
}

static bool put_answer(struct reply *reply, const struct message *m, uint16_t type)
{
	if (type == TYPE_ANY || type == TYPE_RRSIG)
		return put_all(reply, m, reply->name, type);
	const struct rrset *set = message_find(m, SECTION_ANSWER, reply->name, type);
	return set && put(reply, set);
}

/* One step of the chain: 1; 0: there is none; -1: it cannot be made, kind says why. */
static int follow(struct reply *reply, const struct message *m, const struct scrub_ask *ask,
	struct pad *pad)
{
	const struct rrset *cname = message_find(m, SECTION_ANSWER, reply->name, TYPE_CNAME);
	const struct rrset *dname = find_dname(m, ask, reply->name);
	if (dname) {
		struct rrset *made;
		int rc = scrub_synthesise(&made, dname, reply->name, pad);
		reply->kind = rc < 0 ? REPLY_TOO_LONG : REPLY_NO_MEMORY;
		if (!put(reply, dname) || rc != 1)
			return -1;
		reply->made |= UINT64_C(1) << reply->n;
		cname = made;
	}
	if (!cname)
		return 0;
	reply->kind = REPLY_NO_MEMORY;
	const uint8_t *target = scrub_target(cname, pad);
	if (!target || !put(reply, cname))
		return -1;
	reply->name = target;
	reply->aliases++;
	return 1;
}

/* Follows the chain as far as this server may speak of it. True: kind is known. */
static bool read_chain(struct reply *reply, const struct message *m,
	const struct scrub_ask *ask, struct pad *pad)
{
	for (;;) {
		if (put_answer(reply, m, ask->type)) {
			reply->kind = REPLY_ANSWER;
			return true;
		}
		int rc = ask->type == TYPE_CNAME || ask->type == TYPE_ANY
				 ? 0
				 : follow(reply, m, ask, pad);
		if (rc <= 0)
			return rc < 0;
		if (reply->aliases > ask->aliases ||
			!name_is_at_or_below(reply->name, ask->zone)) {
			reply->kind = REPLY_ALIAS;
			return true;
		}
	}
}

/* ---- the authority section ------------------------------------------------------------- */

static bool is_proof(const struct rrset *set)
{
	return set->type == TYPE_NSEC || set->type == TYPE_NSEC3;
}

static bool may_deny(const struct rrset *set, const struct scrub_ask *ask)
{
	return name_is_at_or_below(set->owner, ask->denier ? ask->denier : ask->zone);
}

static bool is_soa_of(const struct rrset *set, const struct scrub_ask *ask, const uint8_t *name)
{
	return set->type == TYPE_SOA && may_deny(set, ask) &&
	       name_is_at_or_below(name, set->owner);
}

/* Takes what may stand beside a denial; true when there is a SOA among it. */
static bool take_proofs(
	struct reply *reply, const struct message *m, const struct scrub_ask *ask)
{
	bool has_soa = false;
	for (size_t i = 0; i < m->n && reply->proofs_n < REPLY_PROOFS; i++) {
		const struct rrset *set = &m->sets[i];
		if (set->section != SECTION_AUTHORITY)
			continue;
		bool is_soa = !has_soa && is_soa_of(set, ask, reply->name);
		if (!is_soa && !(is_proof(set) && may_deny(set, ask)))
			continue;
		has_soa |= is_soa;
		reply->proof[reply->proofs_n++] = set;
	}
	return has_soa;
}

/* The deepest delegation on the way to the name; *is_odd: one that leads nowhere. */
static const struct rrset *find_referral(const struct reply *reply, const struct message *m,
	const struct scrub_ask *ask, bool *is_odd)
{
	const struct rrset *found = NULL;
	for (size_t i = 0; i < m->n; i++) {
		const struct rrset *set = &m->sets[i];
		if (set->type != TYPE_NS || set->section != SECTION_AUTHORITY)
			continue;
		bool is_below = name_is_at_or_below(set->owner, ask->zone) &&
				!name_is_equal(set->owner, ask->zone);
		if (!is_below || !name_is_at_or_below(reply->name, set->owner)) {
			/* Beside a denial without SOA its own servers may stand. */
			*is_odd |= !reply->is_authoritative ||
				   !name_is_equal(set->owner, ask->zone);
			continue;
		}
		if (!found || name_is_at_or_below(set->owner, found->owner))
			found = set;
	}
	return found;
}

static enum reply_kind judge_empty(
	struct reply *reply, const struct message *m, const struct scrub_ask *ask)
{
	bool has_soa = take_proofs(reply, m, ask), is_odd = false;
	/* A server that has the zone below as well refers to it only by not being it. */
	const struct rrset *ns = find_referral(reply, m, ask, &is_odd);
	if (reply->aliases && m->rcode == RCODE_NOERROR && !has_soa)
		return REPLY_ALIAS;
	if (m->rcode == RCODE_NXDOMAIN)
		return has_soa || reply->is_authoritative ? REPLY_NXDOMAIN : REPLY_LAME;
	if (ns && !has_soa) {
		reply->referral = ns;
		reply->signer = message_find(m, SECTION_AUTHORITY, ns->owner, TYPE_DS);
		return REPLY_REFERRAL;
	}
	if (has_soa)
		return REPLY_NODATA;
	return reply->is_authoritative && !is_odd ? REPLY_NODATA : REPLY_LAME;
}

void scrub_read(struct reply *reply, const struct message *m, const struct scrub_ask *ask,
	struct pad *pad)
{
	*reply = (struct reply){ .kind = REPLY_LAME,
		.name = ask->name,
		.is_authoritative = (m->flags & FLAG_AA) != 0 };
	if (!read_chain(reply, m, ask, pad))
		reply->kind = judge_empty(reply, m, ask);
	else if (reply->kind == REPLY_ANSWER)
		(void)take_proofs(reply, m, ask);
	reply->is_recursive =
		!reply->is_authoritative && m->flags & FLAG_RA && reply->kind != REPLY_REFERRAL;
}

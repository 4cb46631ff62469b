/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/derive.h"

#include "wire/rrtype.h"

enum {
	MADE_TTL = 60 /* of a SOA record that no entry has */
};

static bool has_records(const struct rpl_entry *entry, enum section section, uint16_t type)
{
	for (const struct rpl_record *r = entry->records; r; r = r->next)
		if (r->section == section && (!type || r->type == type))
			return true;
	return false;
}

/* Servers name their own zone in the authority section beside answers, others in referrals. */
static bool is_referral(const struct rpl_entry *entry)
{
	return entry->rcode == RCODE_NOERROR && !has_records(entry, SECTION_ANSWER, 0) &&
	       has_records(entry, SECTION_AUTHORITY, TYPE_NS) &&
	       !has_records(entry, SECTION_AUTHORITY, TYPE_SOA);
}

static bool is_apex_record(const struct rpl_entry *entry, const struct rpl_record *r)
{
	if (r->section == SECTION_ADDITIONAL)
		return false;
	if (r->type == TYPE_SOA)
		return true;
	return r->type == TYPE_NS &&
	       (r->section == SECTION_ANSWER ? entry->flags & FLAG_AA || !is_referral(entry)
					     : !is_referral(entry));
}

/* The deepest zone of the server's own that name lies in, or NULL. */
static const uint8_t *find_apex(const struct known *known, const uint8_t *name)
{
	const uint8_t *apex = NULL;
	for (size_t i = 0; i < known->n; i++)
		for (const struct rpl_record *r = known->entry[i]->records; r; r = r->next)
			if (is_apex_record(known->entry[i], r) &&
				name_is_at_or_below(name, r->owner) &&
				(!apex || name_is_at_or_below(r->owner, apex)))
				apex = r->owner;
	return apex;
}

/* ---- records ---- */

static bool put_matching(struct packet *reply, enum section into, const struct rpl_entry *entry,
	enum section section, const uint8_t *owner, uint16_t type)
{
	bool has_any = false;
	for (const struct rpl_record *r = entry->records; r; r = r->next)
		if (r->section == section && r->type == type &&
			name_is_equal(r->owner, owner)) {
			packet_put(reply, into, r);
			has_any = true;
		}
	return has_any;
}

static bool put_from(struct packet *reply, const struct known *known, enum section section,
	const uint8_t *owner, uint16_t type)
{
	for (size_t i = 0; i < known->n; i++)
		if (known->entry[i]->rcode == RCODE_NOERROR &&
			(section != SECTION_AUTHORITY || !is_referral(known->entry[i])) &&
			put_matching(
				reply, SECTION_ANSWER, known->entry[i], section, owner, type))
			return true;
	return false;
}

static bool answers(const struct known *known, const struct asked *asked, struct packet *reply)
{
	const uint8_t *name = asked->name.bytes;
	packet_start(reply, asked, FLAG_AA);
	if (put_from(reply, known, SECTION_ANSWER, name, asked->type) ||
		put_from(reply, known, SECTION_ANSWER, name, TYPE_CNAME))
		return true;
	return asked->type == TYPE_NS &&
	       put_from(reply, known, SECTION_AUTHORITY, name, TYPE_NS);
}

/* An address that is told beside other answers. */
static bool answers_by_glue(
	const struct known *known, const struct asked *asked, struct packet *reply)
{
	packet_start(reply, asked, FLAG_AA);
	return (asked->type == TYPE_A || asked->type == TYPE_AAAA) &&
	       put_from(reply, known, SECTION_ADDITIONAL, asked->name.bytes, asked->type);
}

/* ---- delegations ---- */

static bool refers(const struct known *known, const struct asked *asked, struct packet *reply)
{
	const struct rpl_entry *entry = NULL;
	const uint8_t *cut = NULL, *apex = find_apex(known, asked->name.bytes);
	for (size_t i = 0; i < known->n; i++) {
		if (!is_referral(known->entry[i]))
			continue;
		for (const struct rpl_record *r = known->entry[i]->records; r; r = r->next)
			if (r->section == SECTION_AUTHORITY && r->type == TYPE_NS &&
				name_is_at_or_below(asked->name.bytes, r->owner) &&
				(!cut || name_is_at_or_below(r->owner, cut))) {
				entry = known->entry[i];
				cut = r->owner;
			}
	}
	if (!cut || (apex && name_is_at_or_below(apex, cut)) ||
		(asked->type == TYPE_DS && name_is_equal(cut, asked->name.bytes)))
		return false;
	packet_start(reply, asked, 0);
	(void)put_matching(reply, SECTION_AUTHORITY, entry, SECTION_AUTHORITY, cut, TYPE_NS);
	for (const struct rpl_record *r = entry->records; r; r = r->next)
		if (r->section == SECTION_ADDITIONAL)
			packet_put(reply, SECTION_ADDITIONAL, r);
	return true;
}

/* ---- what there is not ---- */

static const struct rpl_entry *find_denial(const struct known *known, const struct asked *asked)
{
	for (size_t i = 0; i < known->n; i++) {
		const struct rpl_entry *entry = known->entry[i];
		if (entry->rcode == RCODE_NXDOMAIN && entry->qname &&
			entry->match & (RPL_QNAME | RPL_SUBDOMAIN) &&
			!has_records(entry, SECTION_ANSWER, 0) &&
			name_is_at_or_below(asked->name.bytes, entry->qname))
			return entry;
	}
	return NULL;
}

/* Something is known of the name or of one below it. */
static bool is_there(const struct known *known, const uint8_t *name)
{
	for (size_t i = 0; i < known->n; i++) {
		const struct rpl_entry *entry = known->entry[i];
		if (entry->rcode != RCODE_NOERROR)
			continue;
		if (entry->qname && entry->match & (RPL_QNAME | RPL_SUBDOMAIN) &&
			name_is_at_or_below(entry->qname, name))
			return true;
		for (const struct rpl_record *r = entry->records; r; r = r->next)
			if (name_is_at_or_below(r->owner, name))
				return true;
	}
	return false;
}

static void put_soa(const struct known *known, const struct asked *asked, struct packet *reply)
{
	static const uint8_t root[] = { 0 };
	/* names and a serial; the times are as short as the record's own */
	static const uint8_t rdata[22] = { 0, 0, 0, 0, 0, 1, [21] = MADE_TTL };
	const uint8_t *apex = find_apex(known, asked->name.bytes);
	for (size_t i = 0; i < known->n && apex; i++)
		if (put_matching(reply, SECTION_AUTHORITY, known->entry[i], SECTION_AUTHORITY,
			    apex, TYPE_SOA))
			return;
	struct rpl_record soa = { .owner = apex ? apex : root,
		.type = TYPE_SOA,
		.class = asked->class,
		.ttl = MADE_TTL,
		.rdata = rdata,
		.rdata_len = sizeof rdata };
	packet_put(reply, SECTION_AUTHORITY, &soa);
}

void known_answer(const struct known *known, const struct asked *asked, struct packet *reply)
{
	if (answers(known, asked, reply) || refers(known, asked, reply) ||
		answers_by_glue(known, asked, reply))
		return;
	const struct rpl_entry *denial = find_denial(known, asked);
	if (denial || is_there(known, asked->name.bytes)) {
		packet_start(reply, asked, FLAG_AA | (denial ? RCODE_NXDOMAIN : RCODE_NOERROR));
		put_soa(known, asked, reply);
		return;
	}
	packet_start(reply, asked, RCODE_SERVFAIL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer/recall.h"

#include "base/bytes.h"
#include "wire/edns.h"
#include "wire/reader.h"
#include "wire/rrtype.h"

enum {
	HEAD = 20,
	QUESTION_TAIL = 4
};

/* A kept reply begins with these numbers, each of two bytes. */
enum {
	AT_FLAGS = 0,
	AT_RCODE = 2,
	AT_EDE = 4,
	AT_TEXT = 6,
	AT_COUNTS = 8,
	AT_TTLS = 14,
	AT_BODY = 16,
	AT_ZERO = 18
};

static uint32_t bound(uint32_t ttl, uint32_t min, uint32_t max)
{
	ttl = ttl < min ? min : ttl;
	return ttl > max ? max : ttl;
}

/* How long a denial may be kept: RFC 2308 5. */
static uint32_t denial_ttl(const struct rrset *soa)
{
	uint16_t len;
	if (soa->size < 2 + 22)
		return 0;
	memcpy(&len, soa->records, 2);
	uint32_t minimum = get_u32(soa->records + 2 + len - 4);
	return soa->ttl < minimum ? soa->ttl : minimum;
}

static bool is_denial(const struct outcome *o)
{
	if (o->rcode == RCODE_NXDOMAIN)
		return true;
	for (unsigned i = 0; i < o->n; i++)
		if (o->set[i]->section == SECTION_AUTHORITY && o->set[i]->type == TYPE_SOA)
			return true;
	return false;
}

/* The bounds of every TTL in the reply. */
static struct recall_ttl bounds_of(const struct outcome *o, const struct recall_ttl *asked)
{
	struct recall_ttl b = *asked;
	if (!is_denial(o))
		return b;
	b.negative_max = b.negative_max < b.max ? b.negative_max : b.max;
	return b;
}

static uint32_t set_ttl(
	const struct rrset *set, const struct recall_ttl *bounds, bool is_negative)
{
	uint32_t ttl = set->ttl;
	if (is_negative && set->section == SECTION_AUTHORITY) {
		if (set->type == TYPE_SOA)
			ttl = denial_ttl(set);
		return bound(ttl, 0, bounds->negative_max);
	}
	return bound(ttl, bounds->min, bounds->max);
}

static bool write_sets(struct writer *w, const struct outcome *o, bool is_dnssec,
	const struct recall_ttl *bounds, uint32_t *least)
{
	bool is_negative = is_denial(o), has_soa = false;
	for (unsigned section = SECTION_ANSWER; section < SECTIONS; section++)
		for (unsigned i = 0; i < o->n; i++) {
			const struct rrset *set = o->set[i];
			if (set->section != section)
				continue;
			uint32_t ttl = set_ttl(set, bounds, is_negative);
			struct writer_owner owner = { set->owner, 0 };
			if (set->n && !writer_set(w, (enum section)section, &owner, set->type,
					      ttl, set->records, set->n))
				return false;
			if (is_dnssec && set->sigs &&
				!writer_set(w, (enum section)section, &owner, TYPE_RRSIG, ttl,
					set->sig_records, set->sigs))
				return false;
			*least = ttl < *least ? ttl : *least;
			has_soa |= set->type == TYPE_SOA;
		}
	/* A denial without its SOA is not kept (RFC 2308 5). */
	if ((is_negative || o->n == 0) && !has_soa)
		*least = 0;
	return true;
}

/* Notes where the TTLs of the message are, counted from `from`. */
static bool find_ttls(
	const uint8_t *msg, size_t len, size_t from, uint8_t *out, size_t room, uint16_t *n)
{
	struct reader r;
	struct reader_record record;
	struct name name;
	uint16_t type, class;
	int rc;
	if (!reader_open(&r, msg, len) || reader_question(&r, &name, &type, &class) != 1)
		return false;
	for (*n = 0; (rc = reader_record(&r, &record)) == 1; (*n)++) {
		if ((*n + 1u) * 2 > room)
			return false;
		put_u16(out + *n * 2u, (uint16_t)(record.rdata_at - 6 - from));
	}
	return rc == 0;
}

size_t recall_make(uint8_t *out, const struct outcome *o, const uint8_t *name, uint16_t type,
	uint16_t class, bool is_dnssec, const struct recall_ttl *asked, struct writer *w,
	uint8_t *work, uint32_t *ttl)
{
	uint8_t wire[NAME_MAX_LEN + QUESTION_TAIL];
	size_t name_n = name_len(name);
	memcpy(wire, name, name_n);
	put_u16(wire + name_n, type);
	put_u16(wire + name_n + 2, class);
	struct question q = { .type = type,
		.class = class,
		.wire = wire,
		.wire_len = (uint16_t)(name_n + QUESTION_TAIL) };
	struct recall_ttl bounds = bounds_of(o, asked);
	uint32_t least = bounds.max;
	writer_start(w, work, RECALL_MAX - HEAD - OUTCOME_TEXT, &q);
	size_t from = w->len;
	bool is_whole = write_sets(w, o, is_dnssec, &bounds, &least);
	writer_finish(w, 0, 0);
	size_t text_n = strnlen(o->ede_text, OUTCOME_TEXT - 1), body_n = w->len - from;
	uint8_t *at = out + HEAD + text_n;
	uint16_t ttls;
	if (!find_ttls(work, w->len, from, at, RECALL_MAX - HEAD - text_n - body_n, &ttls))
		return 0;
	put_u16(out + AT_FLAGS,
		(uint16_t)((o->is_authoritative ? FLAG_AA : 0) | (is_whole ? 0 : FLAG_TC) |
			   (o->is_authentic ? FLAG_AD : 0)));
	put_u16(out + AT_RCODE, (uint16_t)o->rcode);
	put_u16(out + AT_EDE, (uint16_t)o->ede);
	put_u16(out + AT_TEXT, (uint16_t)text_n);
	for (unsigned i = SECTION_ANSWER; i < SECTIONS; i++)
		put_u16(out + AT_COUNTS + 2 * (i - SECTION_ANSWER), w->count[i]);
	put_u16(out + AT_TTLS, ttls);
	put_u16(out + AT_BODY, (uint16_t)body_n);
	put_u16(out + AT_ZERO, 0);
	memcpy(out + HEAD, o->ede_text, text_n);
	memcpy(at + 2u * ttls, work + from, body_n);
	*ttl = is_whole ? least : 0;
	return HEAD + text_n + 2u * ttls + body_n;
}

bool recall_open(struct recall *r, const uint8_t *bytes, size_t n)
{
	if (n < HEAD)
		return false;
	*r = (struct recall){ .flags = get_u16(bytes + AT_FLAGS),
		.rcode = get_u16(bytes + AT_RCODE),
		.ede = (int16_t)get_u16(bytes + AT_EDE),
		.text_len = (uint8_t)get_u16(bytes + AT_TEXT),
		.ttls = get_u16(bytes + AT_TTLS),
		.body_len = get_u16(bytes + AT_BODY) };
	for (unsigned i = SECTION_ANSWER; i < SECTIONS; i++)
		r->count[i] = get_u16(bytes + AT_COUNTS + 2 * (i - SECTION_ANSWER));
	r->text = bytes + HEAD;
	r->ttl_at = r->text + r->text_len;
	r->body = r->ttl_at + 2u * r->ttls;
	return n == HEAD + (size_t)r->text_len + 2u * r->ttls + r->body_len;
}

bool recall_write(const struct recall *r, struct writer *w, uint32_t age, uint32_t stale_ttl)
{
	if (w->limit - w->len < r->body_len)
		return false;
	uint8_t *body = w->buf + w->len;
	memcpy(body, r->body, r->body_len);
	for (unsigned i = 0; i < r->ttls; i++) {
		uint8_t *p = body + get_u16(r->ttl_at + 2u * i);
		uint32_t ttl = get_u32(p);
		put_u32(p, stale_ttl ? stale_ttl : ttl > age ? ttl - age : 0);
	}
	w->len += r->body_len;
	for (unsigned i = SECTION_ANSWER; i < SECTIONS; i++)
		w->count[i] = r->count[i];
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/sets.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "wire/edns.h"
#include "wire/key.h"
#include "wire/rdata.h"
#include "wire/reader.h"
#include "wire/rrtype.h"

#include <errno.h>

enum {
	SETS_MAX = 1024,
	RECORDS_MAX = 256,      /* of a set (L16) */
	RECORD_MIN = 11,        /* bytes of a record in a message */
	RDATA_ROOM = 66 * 1024, /* uncompressed, two names longer than it was */
	PAD_SLACK = 8 * 1024,   /* beside four times the message */
	OWNERS_FACTOR = 8, /* bytes of owners that differ from the one before, for one of the
			    * message (hazard B14) */
	SIG_FIXED = 18
};

/* A record that is kept: what has to be known to read it again, in 8 bytes. */
struct ref {
	uint16_t set, rdata_at, rdata_len;
	bool is_sig;
};

struct parse {
	struct message *m;
	struct pad *pad;
	size_t pad_used, pad_most; /* bytes of pieces: what is lost at the end of chunks is not
				    * the message's doing */
	struct reader reader;
	struct hash_key key;
	struct name owner; /* of the record before, */
	uint64_t owner_hash;
	size_t owners_left; /* bytes of names that may be hashed */
	struct ref *refs;
	size_t refs_n, refs_max, sets_max;
	/* Open addressing, index + 1: sets by owner, type, section; refs by set, RDATA. */
	uint16_t *by_owner, *by_rdata;
	uint64_t *ref_hash;
	uint32_t mask;
	uint8_t rdata[RDATA_ROOM];
};

static void *take(struct parse *p, size_t n)
{
	p->pad_used += n;
	return p->pad_used > p->pad_most ? NULL : pad_new(p->pad, n);
}

static bool start(struct parse *p, size_t len)
{
	size_t records = 0;
	for (unsigned i = SECTION_ANSWER; i < SECTIONS; i++)
		records += p->reader.count[i];
	size_t most = (len - HEADER_LEN) / RECORD_MIN + 1;
	p->refs_max = records < most ? records : most;
	p->sets_max = p->refs_max < SETS_MAX ? p->refs_max : SETS_MAX;
	uint32_t size = 16;
	while (size < 2 * p->refs_max)
		size *= 2;
	p->mask = size - 1;
	p->refs = take(p, p->refs_max * sizeof *p->refs);
	p->ref_hash = take(p, p->refs_max * sizeof *p->ref_hash);
	p->by_owner = take(p, size * sizeof *p->by_owner);
	p->by_rdata = take(p, size * sizeof *p->by_rdata);
	p->m->sets = take(p, p->sets_max * sizeof *p->m->sets);
	if (!p->refs || !p->ref_hash || !p->by_owner || !p->by_rdata || !p->m->sets)
		return false;
	memset(p->by_owner, 0, size * sizeof *p->by_owner);
	memset(p->by_rdata, 0, size * sizeof *p->by_rdata);
	/* The names' secret keys this too: nobody outside can aim at one place. */
	p->key = (struct hash_key){ key_root(), key_step(key_root(), (const uint8_t *)"\1k") };
	return true;
}

/* p->owner_hash becomes the hash of the name, in any spelling. Neighbours mostly share their
 * owner; a message in which long names take turns is not worth its cost. */
static bool hash_owner(struct parse *p, const struct name *owner)
{
	uint8_t lower[NAME_MAX_LEN];
	if (p->owner.len == owner->len && memcmp(p->owner.bytes, owner->bytes, owner->len) == 0)
		return true;
	if (owner->len > p->owners_left)
		return false;
	p->owners_left -= owner->len;
	p->owner = *owner;
	name_lower(lower, owner->bytes, owner->len);
	p->owner_hash = key_hash(lower);
	return true;
}

/* The set a record belongs to, made when there is none: 1; 0: no room for one more, the record
 * is dropped; -EBADMSG. */
static int find_set(
	struct parse *p, const struct reader_record *r, uint16_t type, uint16_t *out)
{
	struct message *m = p->m;
	if (!hash_owner(p, &r->owner))
		return -EBADMSG;
	uint64_t hash = p->owner_hash + type * 0x9e3779b97f4a7c15u + r->section;
	uint32_t i = (uint32_t)(hash ^ hash >> 32) & p->mask;
	for (; p->by_owner[i]; i = (i + 1) & p->mask) {
		const struct rrset *set = &m->sets[p->by_owner[i] - 1];
		if (set->type == type && set->section == r->section &&
			name_is_equal(set->owner, r->owner.bytes)) {
			*out = (uint16_t)(p->by_owner[i] - 1);
			return 1;
		}
	}
	if (m->n == p->sets_max)
		return 0;
	/* Neighbours mostly share their owner. */
	const struct rrset *last = m->n ? &m->sets[m->n - 1] : NULL;
	const uint8_t *owner = NULL;
	if (last && name_len(last->owner) == r->owner.len &&
		memcmp(last->owner, r->owner.bytes, r->owner.len) == 0)
		owner = last->owner;
	if (!owner) {
		uint8_t *copy = take(p, r->owner.len);
		if (!copy)
			return -EBADMSG;
		memcpy(copy, r->owner.bytes, r->owner.len);
		owner = copy;
	}
	m->sets[m->n] = (struct rrset){ .owner = owner,
		.type = type,
		.class = m->class,
		.section = (uint8_t)r->section,
		.ttl = UINT32_MAX };
	*out = (uint16_t)m->n++;
	p->by_owner[i] = (uint16_t)m->n;
	return 1;
}

/* Whether the set has this record already; else it is noted. */
static bool is_double(
	struct parse *p, uint16_t set, bool is_sig, const uint8_t *rdata, size_t n)
{
	uint64_t hash = hash_sip(&p->key, rdata, n, 1, 3) ^
			((uint64_t)set * 2 + is_sig) * 0x9e3779b97f4a7c15u;
	uint32_t i = (uint32_t)(hash ^ hash >> 32) & p->mask;
	for (; p->by_rdata[i]; i = (i + 1) & p->mask) {
		size_t ref = p->by_rdata[i] - 1u;
		/* 64 keyed bits that agree are the same bytes. */
		if (p->ref_hash[ref] == hash && p->refs[ref].set == set &&
			p->refs[ref].is_sig == is_sig)
			return true;
	}
	p->ref_hash[p->refs_n] = hash;
	p->by_rdata[i] = (uint16_t)(p->refs_n + 1);
	return false;
}

static int take_opt(struct parse *p, const struct reader_record *r)
{
	struct message *m = p->m;
	if (m->has_opt)
		return -EBADMSG;
	m->has_opt = true;
	m->opt_size = r->class;
	m->rcode |= r->ttl >> 24 << 4;
	struct bytes b = { p->reader.msg + r->rdata_at, r->rdata_len, false };
	while (b.n) {
		uint16_t code = bytes_u16(&b), n = bytes_u16(&b);
		const uint8_t *data = bytes_take(&b, n);
		if (b.fail)
			return -EBADMSG;
		if (code == OPTION_EDE && n >= 2 && m->ede < 0) {
			m->ede = get_u16(data);
			m->ede_text = data + 2;
			m->ede_text_len = (uint16_t)(n - 2);
		} else if (code == OPTION_COOKIE && !m->cookie) {
			m->cookie = data;
			m->cookie_len = n;
		}
	}
	return 0;
}

static bool stands_alone(uint16_t type)
{
	const struct rrtype *row = rrtype_find(type);
	return row && (row->flags & RRTYPE_SINGLE);
}

/* Whether a record of this type can stand in a section at all. */
static bool is_data(uint16_t type)
{
	const struct rrtype *row = rrtype_find(type);
	return type && !(row && (row->flags & RRTYPE_META));
}

static int take_record(struct parse *p, const struct reader_record *r)
{
	struct message *m = p->m;
	if (r->type == TYPE_OPT && r->section == SECTION_ADDITIONAL)
		return take_opt(p, r);
	if (r->class != m->class || !is_data(r->type))
		return 0;
	int n = rdata_read(r->type, p->reader.msg, p->reader.len, r->rdata_at, r->rdata_len,
		p->rdata, sizeof p->rdata, &p->reader.steps);
	if (n < 0)
		return n;
	bool is_sig = r->type == TYPE_RRSIG;
	uint16_t index, type = is_sig ? get_u16(p->rdata) : r->type;
	int rc = find_set(p, r, type, &index);
	if (rc <= 0)
		return rc;
	struct rrset *set = &m->sets[index];
	uint16_t *count = is_sig ? &set->sigs : &set->n;
	if (*count == RECORDS_MAX || (!is_sig && *count && stands_alone(type)) ||
		is_double(p, index, is_sig, p->rdata, (size_t)n))
		return 0;
	uint32_t ttl = r->ttl >> 31 ? 0 : r->ttl;
	set->ttl = ttl < set->ttl ? ttl : set->ttl;
	++*count;
	*(is_sig ? &set->sigs_size : &set->size) += (uint32_t)n + 2;
	p->refs[p->refs_n++] =
		(struct ref){ index, (uint16_t)r->rdata_at, r->rdata_len, is_sig };
	return 0;
}

static int scan(struct parse *p)
{
	struct reader_record r;
	int rc;
	while ((rc = reader_record(&p->reader, &r)) == 1) {
		rc = take_record(p, &r);
		if (rc)
			return rc;
	}
	return rc;
}

/* The second look: RDATA goes where its set has it. */
static int fill(struct parse *p)
{
	struct message *m = p->m;
	uint8_t **at = take(p, 2 * m->n * sizeof *at);
	if (m->n && !at)
		return -EBADMSG;
	for (size_t i = 0; i < m->n; i++) {
		struct rrset *set = &m->sets[i];
		uint8_t *bytes = take(p, set->size + set->sigs_size);
		if (!bytes)
			return -EBADMSG;
		at[2 * i] = bytes;
		at[2 * i + 1] = bytes + set->size;
		set->records = set->n ? bytes : NULL;
		set->sig_records = set->sigs ? bytes + set->size : NULL;
	}
	for (size_t i = 0; i < p->refs_n; i++) {
		const struct ref *ref = &p->refs[i];
		const struct rrset *set = &m->sets[ref->set];
		uint16_t type = ref->is_sig ? TYPE_RRSIG : set->type;
		uint8_t **to = &at[2u * ref->set + ref->is_sig];
		unsigned steps = UINT16_MAX; /* they were counted by the first look */
		int n = rdata_read(type, p->reader.msg, p->reader.len, ref->rdata_at,
			ref->rdata_len, p->rdata, sizeof p->rdata, &steps);
		must(n >= 0);
		uint16_t len = (uint16_t)n;
		memcpy(*to, &len, 2);
		memcpy(*to + 2, p->rdata, len);
		*to += len + 2;
	}
	return 0;
}

/* Signatures that cover nothing in the message are a set of their own. */
static void free_sigs(struct message *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct rrset *set = &m->sets[i];
		if (set->n)
			continue;
		set->type = TYPE_RRSIG;
		set->n = set->sigs;
		set->size = set->sigs_size;
		set->records = set->sig_records;
		set->sigs = 0;
		set->sigs_size = 0;
		set->sig_records = NULL;
	}
}

int message_read(struct message *m, const uint8_t *msg, size_t len, struct pad *pad)
{
	*m = (struct message){ .ede = EDE_NONE, .class = CLASS_IN };
	struct parse p UNCLEARED;
	p.m = m;
	p.pad = pad;
	p.pad_used = 0;
	p.pad_most = 4 * len + PAD_SLACK;
	p.owner.len = 0;
	p.owners_left = OWNERS_FACTOR * len + PAD_SLACK;
	p.refs_n = 0;
	if (!reader_open(&p.reader, msg, len))
		return -EBADMSG;
	m->id = get_u16(msg);
	m->flags = get_u16(msg + 2);
	m->rcode = m->flags & 15;
	if (p.reader.count[SECTION_QUESTION] > 1)
		return -EBADMSG;
	int rc = reader_question(&p.reader, &m->name, &m->type, &m->class);
	if (rc < 0)
		return rc;
	m->has_question = rc == 1;
	if (!start(&p, len))
		return -EBADMSG;
	rc = scan(&p);
	if (rc < 0)
		return rc;
	rc = fill(&p);
	if (rc == 0)
		free_sigs(m);
	return rc;
}

const struct rrset *message_find(
	const struct message *m, enum section section, const uint8_t *owner, uint16_t type)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->sets[i].type == type && m->sets[i].section == section &&
			name_is_equal(m->sets[i].owner, owner))
			return &m->sets[i];
	return NULL;
}

struct rrset *rrset_copy(struct pad *pad, const struct rrset *set)
{
	struct rrset *copy = pad_copy(pad, set, sizeof *set);
	uint8_t *owner = pad_copy(pad, set->owner, name_len(set->owner));
	uint8_t *bytes = pad_new(pad, set->size + set->sigs_size);
	if (!copy || !owner || !bytes)
		return NULL;
	if (set->size)
		memcpy(bytes, set->records, set->size);
	if (set->sigs_size)
		memcpy(bytes + set->size, set->sig_records, set->sigs_size);
	copy->owner = owner;
	copy->records = set->n ? bytes : NULL;
	copy->sig_records = set->sigs ? bytes + set->size : NULL;
	return copy;
}

const uint8_t *rrset_next(const struct rrset *set, const uint8_t *at, uint16_t *len)
{
	if (at)
		at += *len;
	else
		at = set->records;
	if (!at || at >= set->records + set->size)
		return NULL;
	memcpy(len, at, 2);
	return at + 2;
}

size_t query_write(
	uint8_t *buf, const uint8_t *name, uint16_t type, const struct query_opts *opts)
{
	size_t n = name_len(name);
	memset(buf, 0, HEADER_LEN);
	put_u16(buf, opts->id);
	put_u16(buf + 2, (uint16_t)((opts->is_recursive ? FLAG_RD : 0) |
				    (opts->is_checking_disabled ? FLAG_CD : 0)));
	buf[5] = 1;
	memcpy(buf + HEADER_LEN, name, n);
	uint8_t *p = buf + HEADER_LEN + n;
	put_u16(p, type);
	put_u16(p + 2, CLASS_IN);
	p += 4;
	if (!opts->edns_size)
		return (size_t)(p - buf);
	buf[11] = 1;
	uint16_t options = opts->cookie_len ? (uint16_t)(4 + opts->cookie_len) : 0;
	*p = 0;
	put_u16(p + 1, TYPE_OPT);
	put_u16(p + 3, opts->edns_size);
	put_u32(p + 5, opts->is_dnssec ? 0x8000u : 0);
	put_u16(p + 9, options);
	p += EDNS_FIXED_LEN;
	if (options) {
		put_u16(p, OPTION_COOKIE);
		put_u16(p + 2, opts->cookie_len);
		memcpy(p + 4, opts->cookie, opts->cookie_len);
		p += options;
	}
	return (size_t)(p - buf);
}

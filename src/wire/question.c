/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/question.h"

#include "base/bytes.h"
#include "wire/reader.h"
#include "wire/rrtype.h"

/* A question's name is never compressed: nothing stands before it. Copies it in lower case with
 * its label offsets; returns its length or 0. */
static size_t read_name(struct key *key, const uint8_t *p, size_t n)
{
	size_t at = 0;
	unsigned labels = 0;
	if (n > NAME_MAX_LEN)
		n = NAME_MAX_LEN;
	while (at < n && p[at]) {
		if (p[at] > LABEL_MAX_LEN)
			return 0;
		key->at[labels++] = (uint8_t)at;
		at += p[at] + 1u;
	}
	if (at >= n)
		return 0;
	key->at[labels] = (uint8_t)at;
	key->labels = (uint8_t)labels;
	key->len = (uint8_t)(at + 1);
	name_lower(key->name, p, at + 1);
	return at + 1;
}

/* RFC 8945 4.2: algorithm name, time, fudge, MAC, original id, error, other data, nothing
 * behind. */
static bool tsig_is_well_formed(const struct reader *r, const struct reader_record *record)
{
	if (record->class != CLASS_ANY || record->ttl != 0)
		return false;
	const uint8_t *rdata = r->msg + record->rdata_at;
	size_t name = name_check(rdata, record->rdata_len);
	if (!name)
		return false;
	struct bytes b = { rdata + name, record->rdata_len - name, false };
	(void)bytes_take(&b, 8);
	(void)bytes_take(&b, bytes_u16(&b));
	(void)bytes_take(&b, 4);
	(void)bytes_take(&b, bytes_u16(&b));
	return !b.fail && b.n == 0;
}

/* What stands behind the question. Only the additional section may hold something. */
static enum verdict read_additional(struct question *q, struct reader *r)
{
	struct reader_record record;
	bool is_bad = false;
	for (;;) {
		size_t start = r->at;
		int got = reader_record(r, &record);
		if (got < 0)
			return VERDICT_FORMERR;
		if (got == 0)
			break;
		if (q->tsig) /* TSIG must be last */
			return VERDICT_FORMERR;
		if (record.section != SECTION_ADDITIONAL) {
			/* The SOA of an IXFR query is the one record that belongs there. */
			if (q->type != TYPE_IXFR || record.section != SECTION_AUTHORITY)
				return VERDICT_FORMERR;
		} else if (record.type == TYPE_OPT) {
			if (q->edns.is_present || record.owner.len != 1) {
				q->edns.is_present = false;
				return VERDICT_FORMERR;
			}
			is_bad = !edns_read(&q->edns, record.class, record.ttl,
				r->msg + record.rdata_at, record.rdata_len);
		} else if (record.type == TYPE_TSIG) {
			if (!tsig_is_well_formed(r, &record))
				return VERDICT_FORMERR;
			q->tsig = r->msg + start;
			q->tsig_len = (uint16_t)(r->at - start);
		} else if (record.type == TYPE_SIG) {
			return VERDICT_FORMERR;
		}
	}
	if (is_bad || r->at != r->len)
		return VERDICT_FORMERR;
	return VERDICT_ANSWER;
}

/* The OPT of a message that is refused for its opcode: a refusal answers it too (RFC 6891
 * 7). */
static void find_opt(struct question *q, const uint8_t *query, size_t len)
{
	struct reader r;
	struct reader_record record;
	struct name name;
	uint16_t type, class;
	struct edns edns = { 0 };
	int got;
	if (!reader_open(&r, query, len))
		return;
	while ((got = reader_question(&r, &name, &type, &class)) == 1)
		;
	while (got >= 0 && (got = reader_record(&r, &record)) == 1) {
		if (record.type != TYPE_OPT)
			continue;
		if (edns.is_present || record.section != SECTION_ADDITIONAL ||
			record.owner.len != 1 ||
			!edns_read(&edns, record.class, record.ttl, query + record.rdata_at,
				record.rdata_len))
			return;
	}
	if (got == 0)
		q->edns = edns;
}

/* Types and classes that cannot be asked for. */
static enum verdict judge_type(const struct question *q, bool is_stream)
{
	if (q->class == 0 || q->class == CLASS_ANY)
		return VERDICT_FORMERR;
	switch (q->type) {
	case 0:
	case TYPE_OPT:
	case TYPE_NXNAME:
	case TYPE_TKEY:
	case TYPE_TSIG:
		return VERDICT_FORMERR;
	case TYPE_AXFR:
	case TYPE_IXFR:
		return is_stream ? VERDICT_ANSWER : VERDICT_FORMERR;
	case TYPE_MAILA:
	case TYPE_MAILB:
		return VERDICT_NOTIMP;
	default:
		return VERDICT_ANSWER;
	}
}

static enum verdict judge_header(const struct question *q, const uint8_t *query)
{
	switch ((q->flags & FLAGS_OPCODE) >> OPCODE_SHIFT) {
	case OPCODE_QUERY:
		break;
	case OPCODE_NOTIFY:
		return VERDICT_REFUSED;
	default:
		return VERDICT_NOTIMP;
	}
	return get_u16(query + 4) == 1 ? VERDICT_ANSWER : VERDICT_FORMERR;
}

/* The OPT of nearly every query: right behind the question, nothing else. */
static bool read_plain_opt(struct question *q, const uint8_t *p, size_t n, bool *is_good)
{
	if (n < EDNS_FIXED_LEN || p[0] != 0 || get_u16(p + 1) != TYPE_OPT ||
		get_u16(p + 9) != n - EDNS_FIXED_LEN)
		return false;
	*is_good = edns_read(&q->edns, get_u16(p + 3), get_u32(p + 5), p + EDNS_FIXED_LEN,
		n - EDNS_FIXED_LEN);
	return true;
}

enum verdict question_read(struct question *q, const uint8_t *query, size_t len, bool is_stream)
{
	if (len < HEADER_LEN)
		return VERDICT_DROP;
	q->id = get_u16(query);
	q->flags = get_u16(query + 2);
	q->type = q->class = q->wire_len = q->tsig_len = 0;
	q->wire = q->tsig = NULL;
	q->edns = (struct edns){ 0 };
	if (q->flags & FLAG_QR)
		return VERDICT_DROP;
	enum verdict verdict = judge_header(q, query);
	if (verdict == VERDICT_NOTIMP || verdict == VERDICT_REFUSED)
		find_opt(q, query, len);
	if (verdict != VERDICT_ANSWER)
		return verdict;
	size_t name = read_name(&q->key, query + HEADER_LEN, len - HEADER_LEN);
	if (!name || len - HEADER_LEN - name < 4)
		return VERDICT_FORMERR;
	q->wire = query + HEADER_LEN;
	q->wire_len = (uint16_t)(name + 4);
	q->type = get_u16(q->wire + name);
	q->class = get_u16(q->wire + name + 2);
	size_t at = HEADER_LEN + q->wire_len;
	bool is_good = true;
	if (get_u32(query + 6) == 0 && get_u16(query + 10) == (at < len) &&
		(at == len || read_plain_opt(q, query + at, len - at, &is_good))) {
		verdict = is_good ? VERDICT_ANSWER : VERDICT_FORMERR;
	} else {
		struct reader r;
		must(reader_open(&r, query, len));
		r.at = at;
		verdict = read_additional(q, &r);
	}
	if (verdict != VERDICT_ANSWER)
		return verdict;
	if (q->edns.is_present && q->edns.version)
		return VERDICT_BADVERS;
	if (q->tsig)
		return VERDICT_NOTAUTH;
	verdict = judge_type(q, is_stream);
	if (verdict == VERDICT_ANSWER)
		key_finish(&q->key);
	return verdict;
}

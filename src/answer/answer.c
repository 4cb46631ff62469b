/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer/answer.h"

#include "answer/auth.h"
#include "answer/recall.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/cookie.h"
#include "wire/rrtype.h"

struct answerer {
	const struct answer_opts *opts;
	const struct zone_table *zones;
	struct hasher *hasher;
	struct hash_key secret;
	/* Of the reply being made: 0: not told. */
	uint8_t nsid_len, text_len;
	const uint8_t *text; /* that goes with the EDE */
	/* large, so not on the stack, where it would be cleared for every query */
	struct writer writer;
	struct reply reply;
};

enum {
	OPTION_HEAD = 4,
	EDE_LEN = OPTION_HEAD + 2,
	TSIG_FIXED = 10,
	ANY_TTL = 3600,
	PADDING_BLOCK = 468 /* RFC 8467 4.1 */
};

struct answerer *answerer_new(const struct hash_key *secret)
{
	struct answerer *a = mem_new(sizeof *a);
	a->secret = *secret;
	a->hasher = hasher_new();
	a->reply.hasher = a->hasher;
	return a;
}

void answerer_free(struct answerer **answerer)
{
	struct answerer *a = *answerer;
	*answerer = NULL;
	if (!a)
		return;
	hasher_free(&a->hasher);
	mem_free(a);
}

void answerer_set_world(
	struct answerer *a, const struct answer_opts *opts, const struct zone_table *zones)
{
	a->opts = opts;
	a->zones = zones;
}

/* ---- OPT ---------------------------------------------------------------------------- */

static uint8_t *put_option(uint8_t *p, uint16_t code, size_t n)
{
	put_u16(p, code);
	put_u16(p + 2, (uint16_t)n);
	return p + OPTION_HEAD;
}

/* Bytes kept free for the OPT record, an EDE among them. 0: the query had none, so the reply
 * has none. */
static uint32_t reserve_opt(
	struct answerer *a, const struct question *q, const struct answer_from *from)
{
	a->nsid_len = 0;
	if (!q->edns.is_present)
		return 0;
	uint32_t n = EDNS_FIXED_LEN + EDE_LEN + a->text_len;
	if (q->edns.cookie_len && a->opts->cookies)
		n += OPTION_HEAD + COOKIE_LEN;
	if (q->edns.want_keepalive && from->is_stream)
		n += OPTION_HEAD + 2;
	if (!q->edns.want_nsid || !a->opts->nsid)
		return n;
	/* A question of the longest name leaves no room for the longest NSID in 512 bytes: it
	 * goes untold. */
	size_t nsid = strlen(a->opts->nsid);
	if (!nsid || a->writer.len + n + OPTION_HEAD + nsid > a->writer.limit)
		return n;
	a->nsid_len = (uint8_t)nsid;
	return n + OPTION_HEAD + (uint32_t)nsid;
}

bool answer_has_cookie(
	const struct answerer *a, const struct question *q, const struct answer_from *from)
{
	uint8_t out[COOKIE_LEN];
	return q->edns.cookie_len && a->opts->cookies &&
	       cookie_answer(&a->secret, from->address, from->address_len, from->now_s,
		       q->edns.cookie, q->edns.cookie_len, out) == COOKIE_GOOD;
}

/* Makes the reply, of n bytes so far, a whole number of blocks, as far as there is room. */
static uint8_t *put_padding(uint8_t *p, uint32_t n, uint32_t limit)
{
	if (n + OPTION_HEAD > limit)
		return p;
	uint32_t whole = (n + OPTION_HEAD + PADDING_BLOCK - 1) / PADDING_BLOCK * PADDING_BLOCK;
	uint32_t pad = (whole < limit ? whole : limit) - n - OPTION_HEAD;
	p = put_option(p, OPTION_PADDING, pad);
	memset(p, 0, pad);
	return p + pad;
}

static void write_opt(struct answerer *a, const struct question *q,
	const struct answer_from *from, unsigned rcode)
{
	struct writer *w = &a->writer;
	uint8_t *start = w->buf + w->len, *p = start + EDNS_FIXED_LEN;
	start[0] = 0;
	put_u16(start + 1, TYPE_OPT);
	put_u16(start + 3, a->opts->edns_size);
	put_u32(start + 5, (uint32_t)(rcode >> 4) << 24 | (q->edns.is_do ? 0x8000u : 0));
	if (a->nsid_len) {
		p = put_option(p, OPTION_NSID, a->nsid_len);
		memcpy(p, a->opts->nsid, a->nsid_len);
		p += a->nsid_len;
	}
	if (q->edns.cookie_len && a->opts->cookies) {
		p = put_option(p, OPTION_COOKIE, COOKIE_LEN);
		cookie_answer(&a->secret, from->address, from->address_len, from->now_s,
			q->edns.cookie, q->edns.cookie_len, p);
		p += COOKIE_LEN;
	}
	if (q->edns.want_keepalive && from->is_stream) {
		p = put_option(p, OPTION_KEEPALIVE, 2);
		put_u16(p, a->opts->keepalive);
		p += 2;
	}
	if (a->reply.ede != EDE_NONE) {
		p = put_option(p, OPTION_EDE, 2u + a->text_len);
		put_u16(p, (uint16_t)a->reply.ede);
		if (a->text_len)
			memcpy(p + 2, a->text, a->text_len);
		p += 2 + a->text_len;
	}
	if (from->is_tls && q->edns.has_padding)
		p = put_padding(p, w->len + (uint32_t)(p - start), w->limit);
	put_u16(start + 9, (uint16_t)(p - start - EDNS_FIXED_LEN));
	w->len += (uint32_t)(p - start);
	w->count[SECTION_ADDITIONAL]++;
}

/* ---- TSIG of nobody we know ----------------------------------------------------------- */

/* RFC 8945 5.2: the key's name and algorithm, no MAC, error BADKEY. The last record of the
 * reply. */
static void write_badkey(struct answerer *a, const struct question *q)
{
	struct writer *w = &a->writer;
	const uint8_t *msg = q->wire - HEADER_LEN;
	size_t start = (size_t)(q->tsig - msg), len = start + q->tsig_len, at;
	unsigned steps = NAME_MAX_LABELS;
	struct name key;
	if (name_read(&key, msg, len, start, &at, &steps))
		return;
	at += 10;
	size_t algorithm = name_len(msg + at), need = key.len + 10u + algorithm + 16u;
	if (w->limit - w->len < need)
		return;
	uint8_t *p = w->buf + w->len;
	memcpy(p, key.bytes, key.len);
	p += key.len;
	memcpy(p, msg + at - 10, 8); /* type, class, ttl */
	put_u16(p + 8, (uint16_t)(algorithm + 16));
	p += 10;
	memcpy(p, msg + at, algorithm + 8); /* algorithm, time, fudge */
	p += algorithm + 8;
	put_u16(p, 0);
	put_u16(p + 2, q->id);
	put_u16(p + 4, RCODE_BADKEY);
	put_u16(p + 6, 0);
	w->len += (uint32_t)need;
	w->count[SECTION_ADDITIONAL]++;
}

/* ---- what we tell of ourselves ----------------------------------------------------------- */

static const char *chaos_text(const struct answer_opts *opts, const struct key *key)
{
	static const struct {
		uint8_t len;
		bool is_version;
		const char *name;
	} rows[] = {
		{ 11, false, "\2id\6server" },
		{ 15, false, "\10hostname\4bind" },
		{ 14, true, "\7version\4bind" },
		{ 16, true, "\7version\6server" },
	};
	for (size_t i = 0; i < array_len(rows); i++)
		if (key->len == rows[i].len &&
			memcmp(key->name, rows[i].name, rows[i].len) == 0)
			return rows[i].is_version ? opts->version : opts->identity;
	return NULL;
}

static void answer_chaos(struct answerer *a, const struct question *q)
{
	struct reply *r = &a->reply;
	const char *text = chaos_text(a->opts, &q->key);
	if (!text || !*text) {
		r->rcode = RCODE_REFUSED;
		return;
	}
	r->is_authoritative = true;
	if (q->type != TYPE_TXT && q->type != TYPE_ANY)
		return;
	uint8_t rdata[256];
	size_t n = strlen(text);
	must(n < sizeof rdata);
	rdata[0] = (uint8_t)n;
	memcpy(rdata + 1, text, n);
	struct writer_owner owner = { q->wire, HEADER_LEN };
	if (!writer_record(
		    &a->writer, SECTION_ANSWER, &owner, TYPE_TXT, 0, rdata, (uint16_t)(n + 1)))
		r->is_truncated = true;
}

static void answer_class(struct answerer *a, const struct question *q)
{
	struct reply *r = &a->reply;
	if (q->class == CLASS_CH) {
		answer_chaos(a, q);
	} else if (q->class != CLASS_IN || q->type == TYPE_AXFR || q->type == TYPE_IXFR) {
		r->rcode = RCODE_REFUSED;
	} else if (!auth_answer(a->zones, r)) {
		r->rcode = RCODE_REFUSED;
		r->ede = EDE_NOT_AUTHORITATIVE;
	}
}

/* ---- the frame
 * ----------------------------------------------------------------------------- */

static unsigned rcode_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_FORMERR:
		return RCODE_FORMERR;
	case VERDICT_NOTIMP:
		return RCODE_NOTIMP;
	case VERDICT_REFUSED:
		return RCODE_REFUSED;
	case VERDICT_BADVERS:
		return RCODE_BADVERS;
	case VERDICT_NOTAUTH:
		return RCODE_NOTAUTH;
	case VERDICT_ANSWER:
	case VERDICT_DROP:
		break;
	}
	return RCODE_NOERROR;
}

static uint32_t reply_limit(
	const struct answerer *a, const struct question *q, bool is_stream, uint32_t room)
{
	uint32_t limit = MESSAGE_MAX_LEN;
	if (!is_stream) {
		uint32_t asked = q->edns.is_present ? q->edns.size : EDNS_SIZE_MIN;
		limit = asked < a->opts->edns_size ? asked : a->opts->edns_size;
	}
	return limit < room ? limit : room;
}

/* Readies the frame; returns what is kept free for the OPT record. */
static uint32_t start(struct answerer *a, const struct question *q,
	const struct answer_from *from, uint8_t *buf, uint32_t room)
{
	writer_start(&a->writer, buf, reply_limit(a, q, from->is_stream, room), q);
	reply_start(&a->reply, q, &a->writer);
	return reserve_opt(a, q, from);
}

static int32_t finish(struct answerer *a, const struct question *q,
	const struct answer_from *from, uint32_t opt, unsigned flags, unsigned *rcode)
{
	struct reply *r = &a->reply;
	if (opt)
		write_opt(a, q, from, r->rcode);
	flags |= (r->is_authoritative ? FLAG_AA : 0) | (r->is_truncated ? FLAG_TC : 0);
	if (from->may_recurse)
		flags |= FLAG_RA | (q->flags & FLAG_CD);
	writer_finish(&a->writer, (uint16_t)flags, r->rcode);
	*rcode = r->rcode;
	return (int32_t)a->writer.len;
}

int32_t answer_question(struct answerer *a, const struct question *q, enum verdict verdict,
	const struct answer_from *from, uint8_t *buf, uint32_t room, unsigned *rcode)
{
	struct writer *w = &a->writer;
	struct reply *r = &a->reply;
	if (verdict == VERDICT_DROP)
		return 0;
	a->text_len = 0;
	uint32_t opt = start(a, q, from, buf, room);
	const struct writer_mark empty = writer_mark(w);
	r->rcode = rcode_of(verdict);
	if (verdict == VERDICT_ANSWER) {
		w->limit -= opt;
		answer_class(a, q);
		w->limit += opt;
		/* A reply that lacks something is not read any further: the client asks again
		 * over TCP. */
		if (r->is_truncated)
			writer_rollback(w, &empty);
	}
	if (verdict != VERDICT_NOTAUTH)
		return finish(a, q, from, opt, 0, rcode);
	if (opt)
		write_opt(a, q, from, r->rcode);
	write_badkey(a, q);
	return finish(a, q, from, 0, 0, rcode);
}

const struct key *answer_elsewhere(const struct answerer *a)
{
	return a->reply.elsewhere;
}

int32_t answer_recall(struct answerer *a, const struct question *q,
	const struct answer_from *from, const struct answer_kept *kept, uint8_t *buf,
	uint32_t room, unsigned *rcode)
{
	struct recall recall;
	if (!recall_open(&recall, kept->bytes, kept->n))
		return answer_refuse(a, q, from, RCODE_SERVFAIL, EDE_NONE, buf, room, rcode);
	struct writer *w = &a->writer;
	struct reply *r = &a->reply;
	a->text = recall.text;
	a->text_len = recall.text_len;
	uint32_t opt = start(a, q, from, buf, room);
	/* The longest name and the longest reason may be too much together. */
	if (a->text_len && w->len + opt > w->limit) {
		opt -= a->text_len;
		a->text_len = 0;
	}
	r->rcode = recall.rcode;
	r->ede = (enum ede)recall.ede;
	if (kept->stale_ttl)
		r->ede = recall.rcode == RCODE_NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE;
	r->is_authoritative = recall.flags & FLAG_AA;
	w->limit -= opt;
	r->is_truncated = (recall.flags & FLAG_TC) ||
			  !recall_write(&recall, w, kept->age, kept->stale_ttl);
	w->limit += opt;
	/* AD is for those who said that they understand it (RFC 6840 5.7). */
	bool wants_ad = q->edns.is_do || (q->flags & FLAG_AD);
	return finish(a, q, from, opt, wants_ad ? recall.flags & FLAG_AD : 0, rcode);
}

int32_t answer_refuse(struct answerer *a, const struct question *q,
	const struct answer_from *from, unsigned told, int ede, uint8_t *buf, uint32_t room,
	unsigned *rcode)
{
	a->text_len = 0;
	uint32_t opt = start(a, q, from, buf, room);
	a->reply.rcode = told;
	a->reply.ede = (enum ede)ede;
	return finish(a, q, from, opt, 0, rcode);
}

int32_t answer_any(struct answerer *a, const struct question *q, const struct answer_from *from,
	uint8_t *buf, uint32_t room, unsigned *rcode)
{
	static const uint8_t rdata[] = { 7, 'R', 'F', 'C', '8', '4', '8', '2', 0 };
	a->text_len = 0;
	uint32_t opt = start(a, q, from, buf, room);
	struct writer_owner owner = { q->wire, HEADER_LEN };
	a->writer.limit -= opt;
	if (!writer_record(&a->writer, SECTION_ANSWER, &owner, TYPE_HINFO, ANY_TTL, rdata,
		    sizeof rdata))
		a->reply.is_truncated = true;
	a->writer.limit += opt;
	return finish(a, q, from, opt, 0, rcode);
}

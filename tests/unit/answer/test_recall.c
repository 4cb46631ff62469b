/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer/answer.h"
#include "answer/recall.h"
#include "base/bytes.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/edns.h"
#include "wire/reader.h"
#include "wire/rrtype.h"

static const struct recall_ttl bounds = { .max = 86400, .negative_max = 3600 };

/* One record in the form sets have. */
struct one {
	struct name owner;
	uint8_t bytes[2 + 64];
	struct rrset set;
};

static const struct rrset *one_of(struct one *one, enum section section, const char *owner,
	uint16_t type, uint32_t ttl, const void *rdata, uint16_t len)
{
	one->owner = name_of(owner);
	memcpy(one->bytes, &len, 2);
	memcpy(one->bytes + 2, rdata, len);
	one->set = (struct rrset){ .owner = one->owner.bytes,
		.type = type,
		.class = CLASS_IN,
		.section = (uint8_t)section,
		.ttl = ttl,
		.n = 1,
		.size = 2u + len,
		.records = one->bytes };
	return &one->set;
}

static uint8_t kept[RECALL_MAX], work[MESSAGE_MAX_LEN], reply[MESSAGE_MAX_LEN];
static struct writer w;

static size_t make(const struct outcome *o, const char *name, uint16_t type, uint32_t *ttl)
{
	struct name n = name_of(name);
	return recall_make(kept, o, n.bytes, type, CLASS_IN, false, &bounds, &w, work, ttl);
}

/* The reply to a query for A of the name, spelt as here. */
static int32_t recall(const char *name, uint32_t age, bool is_stream, uint16_t size, size_t n,
	unsigned *rcode)
{
	uint8_t query[512] = { 0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0 };
	struct name spelt = name_of(name);
	memcpy(query + 12, spelt.bytes, spelt.len);
	uint8_t *p = query + 12 + spelt.len;
	put_u16(p, TYPE_A);
	put_u16(p + 2, CLASS_IN);
	p += 4;
	if (size) {
		query[11] = 1;
		memset(p, 0, EDNS_FIXED_LEN);
		put_u16(p + 1, TYPE_OPT);
		put_u16(p + 3, size);
		p += EDNS_FIXED_LEN;
	}
	struct question q;
	ck_assert_int_eq(
		question_read(&q, query, (size_t)(p - query), is_stream), VERDICT_ANSWER);
	struct hash_key secret = { 0 };
	struct answerer *a = answerer_new(&secret);
	struct answer_opts opts = { .edns_size = 1232 };
	answerer_set_world(a, &opts, NULL);
	struct answer_from from = { .address = (const uint8_t *)"\1\2\3\4",
		.address_len = 4,
		.is_stream = is_stream,
		.may_recurse = true };
	struct answer_kept k = { .bytes = kept, .n = n, .age = age };
	int32_t len = answer_recall(
		a, &q, &from, &k, reply, is_stream ? MESSAGE_MAX_LEN : 4096, rcode);
	answerer_free(&a);
	return len;
}

START_TEST(a_kept_reply_comes_back_aged_and_as_the_client_spelt_it)
{
	struct one alias, a;
	struct outcome o;
	unsigned rcode;
	uint32_t ttl;
	outcome_start(&o);
	ck_assert(outcome_add(&o, one_of(&alias, SECTION_ANSWER, "www.example.org.", TYPE_CNAME,
					  300, "\4host\7example\3org", 18)));
	ck_assert(outcome_add(&o,
		one_of(&a, SECTION_ANSWER, "host.example.org.", TYPE_A, 60, "\300\0\2\1", 4)));
	size_t n = make(&o, "www.example.org.", TYPE_A, &ttl);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_eq(ttl, 60);
	int32_t len = recall("wWw.eXample.ORG.", 25, false, 0, n, &rcode);
	ck_assert_int_gt(len, 0);
	ck_assert_uint_eq(rcode, 0);
	ck_assert_uint_eq(get_u16(reply + 2), FLAG_QR | FLAG_RD | FLAG_RA);
	ck_assert_mem_eq(reply + 12, "\3wWw\7eXample\3ORG", 17);
	struct reader r;
	struct reader_record record;
	struct name name;
	uint16_t type, class;
	ck_assert(reader_open(&r, reply, (size_t)len));
	ck_assert_int_eq(reader_question(&r, &name, &type, &class), 1);
	ck_assert_int_eq(reader_record(&r, &record), 1);
	ck_assert_uint_eq(record.ttl, 275);
	ck_assert_int_eq(reader_record(&r, &record), 1);
	ck_assert_uint_eq(record.ttl, 35);
	struct name host = name_of("host.example.org.");
	ck_assert(name_is_equal(record.owner.bytes, host.bytes));
	ck_assert_int_eq(reader_record(&r, &record), 0);
}
END_TEST

START_TEST(a_denial_is_kept_as_long_as_its_soa_says_and_no_longer_than_allowed)
{
	struct one soa;
	struct outcome o;
	uint32_t ttl;
	uint8_t rdata[22] = { 0, 0 };
	put_u32(rdata + 18, 900);
	outcome_start(&o);
	o.rcode = RCODE_NXDOMAIN;
	ck_assert(outcome_add(&o, one_of(&soa, SECTION_AUTHORITY, "example.org.", TYPE_SOA,
					  7200, rdata, sizeof rdata)));
	ck_assert_uint_gt(make(&o, "no.example.org.", TYPE_A, &ttl), 0);
	ck_assert_uint_eq(ttl, 900);
	put_u32(soa.bytes + 2 + 18, 90000);
	ck_assert_uint_gt(make(&o, "no.example.org.", TYPE_A, &ttl), 0);
	ck_assert_uint_eq(ttl, 3600);
	/* without its SOA it is told and not kept */
	o.n = 0;
	ck_assert_uint_gt(make(&o, "no.example.org.", TYPE_A, &ttl), 0);
	ck_assert_uint_eq(ttl, 0);
}
END_TEST

START_TEST(what_does_not_fit_a_datagram_is_left_to_tcp)
{
	static struct one one;
	static uint8_t records[200][2 + 16];
	struct outcome o;
	uint32_t ttl;
	unsigned rcode;
	(void)one_of(&one, SECTION_ANSWER, "big.example.org.", TYPE_AAAA, 60, "", 0);
	for (unsigned i = 0; i < 200; i++) {
		uint16_t len = 16;
		memcpy(records[i], &len, 2);
		records[i][2 + 15] = (uint8_t)i;
	}
	one.set.n = 200;
	one.set.size = sizeof records;
	one.set.records = records[0];
	outcome_start(&o);
	ck_assert(outcome_add(&o, &one.set));
	size_t n = make(&o, "big.example.org.", TYPE_A, &ttl);
	ck_assert_int_gt(recall("big.example.org.", 0, true, 1232, n, &rcode), 200 * 28);
	ck_assert_uint_eq(get_u16(reply + 6), 200);
	int32_t len = recall("big.example.org.", 0, false, 1232, n, &rcode);
	ck_assert_int_le(len, 1232);
	ck_assert_uint_ne(get_u16(reply + 2) & FLAG_TC, 0);
	ck_assert_uint_eq(get_u16(reply + 6), 0);
}
END_TEST

START_TEST(a_failure_tells_its_reason_to_those_who_speak_edns)
{
	struct outcome o;
	uint32_t ttl;
	unsigned rcode;
	outcome_start(&o);
	ck_assert(!outcome_fail(&o, EDE_NO_REACHABLE, "all %d servers are silent", 3));
	size_t n = make(&o, "x.example.org.", TYPE_A, &ttl);
	ck_assert_uint_eq(ttl, 0);
	int32_t len = recall("x.example.org.", 0, false, 1232, n, &rcode);
	ck_assert_uint_eq(rcode, RCODE_SERVFAIL);
	ck_assert_int_gt(len, 24);
	ck_assert_mem_eq(reply + len - 24, "all 3 servers are silent", 24);
	ck_assert_uint_eq(get_u16(reply + len - 26), EDE_NO_REACHABLE);
	len = recall("x.example.org.", 0, false, 0, n, &rcode);
	ck_assert_int_eq(len, 12 + 15 + 4);
}
END_TEST

START_TEST(bytes_that_are_no_kept_reply_are_refused)
{
	struct recall r;
	struct outcome o;
	uint32_t ttl;
	outcome_start(&o);
	(void)outcome_fail(&o, EDE_OTHER, "x");
	size_t n = make(&o, "x.example.org.", TYPE_A, &ttl);
	ck_assert(recall_open(&r, kept, n));
	ck_assert(!recall_open(&r, kept, n - 1));
	ck_assert(!recall_open(&r, kept, 3));
}
END_TEST

UNIT_MAIN("answer/recall", a_kept_reply_comes_back_aged_and_as_the_client_spelt_it,
	a_denial_is_kept_as_long_as_its_soa_says_and_no_longer_than_allowed,
	what_does_not_fit_a_datagram_is_left_to_tcp,
	a_failure_tells_its_reason_to_those_who_speak_edns,
	bytes_that_are_no_kept_reply_are_refused)

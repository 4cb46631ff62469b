/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "unit/unit.h"
#include "wire/question.h"
#include "wire/rrtype.h"

#include <string.h>

static struct question q;

struct packet {
	uint8_t bytes[1024];
	size_t n;
};

static void put(struct packet *p, const void *bytes, size_t n)
{
	memcpy(p->bytes + p->n, bytes, n);
	p->n += n;
}

static struct packet header(uint16_t flags, unsigned qd, unsigned an, unsigned ns, unsigned ar)
{
	struct packet p = { .n = HEADER_LEN };
	const unsigned counts[] = { qd, an, ns, ar };
	put_u16(p.bytes, 0x1234);
	put_u16(p.bytes + 2, flags);
	for (unsigned i = 0; i < 4; i++)
		put_u16(p.bytes + 4 + 2 * i, (uint16_t)counts[i]);
	return p;
}

static void put_question(struct packet *p, uint16_t type, uint16_t class)
{
	uint8_t fixed[4];
	put_u16(fixed, type);
	put_u16(fixed + 2, class);
	put(p, "\3wWw\7example\4test", 18);
	put(p, fixed, 4);
}

static void put_opt(struct packet *p, unsigned version, const void *options, size_t n)
{
	uint8_t opt[11] = { 0, 0, TYPE_OPT, 0x04, 0xd0, 0, (uint8_t)version, 0x80, 0, 0,
		(uint8_t)n };
	put(p, opt, sizeof opt);
	put(p, options, n);
}

static enum verdict judge(const struct packet *p, bool is_stream)
{
	return question_read(&q, p->bytes, p->n, is_stream);
}

START_TEST(a_plain_question_is_read)
{
	struct packet p = header(FLAG_RD, 1, 0, 0, 1);
	put_question(&p, TYPE_A, CLASS_IN);
	put_opt(&p, 0, "\0\3\0\0\0\12\0\10abcdefgh", 16);
	ck_assert_int_eq(judge(&p, false), VERDICT_ANSWER);
	ck_assert_uint_eq(q.id, 0x1234);
	ck_assert_uint_eq(q.type, TYPE_A);
	ck_assert_uint_eq(q.key.labels, 3);
	ck_assert_mem_eq(q.key.name, "\3www\7example\4test", 18);
	ck_assert_mem_eq(q.wire, "\3wWw", 4);
	ck_assert(q.edns.is_present && q.edns.is_do && q.edns.want_nsid);
	ck_assert_uint_eq(q.edns.size, 1232);
	ck_assert_uint_eq(q.edns.cookie_len, 8);
}
END_TEST

START_TEST(what_is_no_query_gets_no_reply)
{
	struct packet p = header(FLAG_QR, 1, 0, 0, 0);
	put_question(&p, TYPE_A, CLASS_IN);
	ck_assert_int_eq(judge(&p, false), VERDICT_DROP);
	p.n = 11;
	ck_assert_int_eq(judge(&p, false), VERDICT_DROP);
	p.n = 0;
	ck_assert_int_eq(judge(&p, false), VERDICT_DROP);
}
END_TEST

START_TEST(every_cut_of_a_query_is_a_format_error)
{
	struct packet p = header(0, 1, 0, 0, 1);
	put_question(&p, TYPE_A, CLASS_IN);
	put_opt(&p, 0, "\0\12\0\10abcdefgh", 12);
	for (size_t n = HEADER_LEN; n < p.n; n++) {
		/* A copy that ends where it ends: reading on would be seen. */
		uint8_t *cut = malloc(n);
		memcpy(cut, p.bytes, n);
		ck_assert_int_eq(question_read(&q, cut, n, false), VERDICT_FORMERR);
		free(cut);
	}
	p.n++;
	ck_assert_int_eq(judge(&p, false), VERDICT_FORMERR); /* a byte too many */
}
END_TEST

START_TEST(types_and_classes_that_cannot_be_asked_for)
{
	static const struct {
		uint16_t type, class;
		enum verdict udp, tcp;
	} rows[] = {
		{ 0, CLASS_IN, VERDICT_FORMERR, VERDICT_FORMERR },
		{ TYPE_OPT, CLASS_IN, VERDICT_FORMERR, VERDICT_FORMERR },
		{ TYPE_NXNAME, CLASS_IN, VERDICT_FORMERR, VERDICT_FORMERR },
		{ TYPE_TKEY, CLASS_IN, VERDICT_FORMERR, VERDICT_FORMERR },
		{ TYPE_TSIG, CLASS_IN, VERDICT_FORMERR, VERDICT_FORMERR },
		{ TYPE_AXFR, CLASS_IN, VERDICT_FORMERR, VERDICT_ANSWER },
		{ TYPE_IXFR, CLASS_IN, VERDICT_FORMERR, VERDICT_ANSWER },
		{ TYPE_MAILA, CLASS_IN, VERDICT_NOTIMP, VERDICT_NOTIMP },
		{ TYPE_MAILB, CLASS_IN, VERDICT_NOTIMP, VERDICT_NOTIMP },
		{ TYPE_ANY, CLASS_IN, VERDICT_ANSWER, VERDICT_ANSWER },
		{ 65535, CLASS_IN, VERDICT_ANSWER, VERDICT_ANSWER },
		{ TYPE_A, 0, VERDICT_FORMERR, VERDICT_FORMERR },
		{ TYPE_A, CLASS_ANY, VERDICT_FORMERR, VERDICT_FORMERR },
		{ TYPE_TXT, CLASS_CH, VERDICT_ANSWER, VERDICT_ANSWER },
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct packet p = header(0, 1, 0, 0, 0);
		put_question(&p, rows[i].type, rows[i].class);
		ck_assert_msg(judge(&p, false) == rows[i].udp, "row %zu over UDP", i);
		ck_assert_msg(judge(&p, true) == rows[i].tcp, "row %zu over TCP", i);
	}
}
END_TEST

START_TEST(opcodes_but_query_are_refused_with_the_opt_they_came_with)
{
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		struct packet p = header((uint16_t)(opcode << OPCODE_SHIFT), 1, 0, 0, 1);
		put_question(&p, TYPE_SOA, CLASS_IN);
		put_opt(&p, 0, "", 0);
		ck_assert_int_eq(judge(&p, false),
			opcode == OPCODE_NOTIFY ? VERDICT_REFUSED : VERDICT_NOTIMP);
		ck_assert(q.edns.is_present);
		ck_assert_uint_eq(q.wire_len, 0);
	}
}
END_TEST

START_TEST(the_counts_must_be_those_of_one_question)
{
	static const unsigned counts[][4] = { { 0, 0, 0, 0 }, { 2, 0, 0, 0 }, { 1, 1, 0, 0 },
		{ 1, 0, 1, 0 }, { 1, 0, 0, 1 }, { 1, 0, 0, 65535 }, { 65535, 0, 0, 0 } };
	for (size_t i = 0; i < array_len(counts); i++) {
		struct packet p =
			header(0, counts[i][0], counts[i][1], counts[i][2], counts[i][3]);
		put_question(&p, TYPE_A, CLASS_IN);
		ck_assert_msg(judge(&p, false) == VERDICT_FORMERR, "row %zu", i);
	}
}
END_TEST

START_TEST(edns_is_read_strictly)
{
	static const struct {
		const char *options;
		size_t n;
		enum verdict verdict;
	} rows[] = {
		{ "", 0, VERDICT_ANSWER },
		{ "\0\12\0\7abcdefg", 11, VERDICT_FORMERR },    /* cookie of 7 */
		{ "\0\12\0\11abcdefghi", 13, VERDICT_FORMERR }, /* of 9 */
		{ "\0\12\0\20abcdefghijklmnop", 20, VERDICT_ANSWER },
		{ "\0\12\0\10abcdefgh\0\12\0\10abcdefgh", 24, VERDICT_FORMERR }, /* twice */
		{ "\0\3\0\0\0\3\0\0", 8, VERDICT_FORMERR },           /* NSID twice */
		{ "\0\10\0\7\0\1\30\0\300\0\2", 11, VERDICT_ANSWER }, /* subnet of 24 bits */
		{ "\0\10\0\10\0\1\30\0\300\0\2\1", 12, VERDICT_FORMERR }, /* a byte too many */
		{ "\0\10\0\7\0\1\27\0\300\0\3", 11, VERDICT_FORMERR }, /* a bit beyond its 23 */
		{ "\0\13\0\1x", 5, VERDICT_FORMERR },                  /* keepalive of 1 byte */
		{ "\0\3\0\5a", 5, VERDICT_FORMERR }, /* leads out of the OPT */
		{ "\0\3\0", 3, VERDICT_FORMERR },
		{ "\0\144\0\1x\0\144\0\1x", 10, VERDICT_ANSWER }, /* unknown, twice */
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct packet p = header(0, 1, 0, 0, 1);
		put_question(&p, TYPE_A, CLASS_IN);
		put_opt(&p, 0, rows[i].options, rows[i].n);
		ck_assert_msg(judge(&p, false) == rows[i].verdict, "row %zu", i);
		ck_assert(q.edns.is_present);
	}
	struct packet p = header(0, 1, 0, 0, 2);
	put_question(&p, TYPE_A, CLASS_IN);
	put_opt(&p, 0, "", 0);
	put_opt(&p, 0, "", 0);
	ck_assert_int_eq(judge(&p, false), VERDICT_FORMERR);
	p = header(0, 1, 0, 0, 1);
	put_question(&p, TYPE_A, CLASS_IN);
	put_opt(&p, 1, "\0\3\0\5a", 5);
	ck_assert_int_eq(judge(&p, false), VERDICT_BADVERS);
}
END_TEST

START_TEST(a_name_is_bounded)
{
	/* 255 bytes: three labels of 63 and one of 61. */
	struct packet p = header(0, 1, 0, 0, 0);
	uint8_t name[300];
	memset(name, 'a', sizeof name);
	name[0] = name[64] = name[128] = 63;
	name[192] = 61;
	name[254] = 0;
	put(&p, name, 255);
	put(&p, "\0\1\0\1", 4);
	ck_assert_int_eq(judge(&p, false), VERDICT_ANSWER);
	ck_assert_uint_eq(q.key.len, 255);
	p.n = HEADER_LEN;
	name[192] = 62;
	name[254] = 'a';
	name[255] = 0;
	put(&p, name, 256);
	put(&p, "\0\1\0\1", 4);
	ck_assert_int_eq(judge(&p, false), VERDICT_FORMERR);
	static const uint8_t kinds[] = { 0x40, 0x80, 0xc0, 0xff };
	for (size_t i = 0; i < array_len(kinds); i++) {
		p = header(0, 1, 0, 0, 0);
		put(&p, &kinds[i], 1);
		put(&p, "\14\0\1\0\1", 5);
		ck_assert_int_eq(judge(&p, false), VERDICT_FORMERR);
	}
}
END_TEST

UNIT_MAIN("wire/question", a_plain_question_is_read, what_is_no_query_gets_no_reply,
	every_cut_of_a_query_is_a_format_error, types_and_classes_that_cannot_be_asked_for,
	opcodes_but_query_are_refused_with_the_opt_they_came_with,
	the_counts_must_be_those_of_one_question, edns_is_read_strictly, a_name_is_bounded)

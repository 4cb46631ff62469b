/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/scrub.h"

#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/rrtype.h"
#include "wire/writer.h"

#include <stdio.h>

/* A reply in text, one section after the other, and what is made of it. */
struct given {
	const char *zone, *name;
	uint16_t type, flags;
	unsigned rcode;
	const char *answer, *authority, *additional;
};

struct rig {
	struct pad pad;
	struct message m;
	struct reply reply;
	struct name zone, name;
	uint8_t buf[4096];
};

struct put {
	struct writer *w;
	enum section section;
};

static int put_record(void *user, const struct record *record, struct err *err)
{
	(void)err;
	const struct put *put = user;
	struct writer_owner owner = { record->owner, 0 };
	ck_assert(writer_record(put->w, put->section, &owner, record->type, record->ttl,
		record->rdata, record->rdata_len));
	return 0;
}

static void put_text(struct writer *w, enum section section, const char *text)
{
	static const uint8_t root[] = { 0 };
	struct complaints complaints = { 0 };
	struct put put = { w, section };
	if (text)
		ck_assert(zonefile_scan_text("test", text, strlen(text), root, put_record, &put,
				  &complaints) > 0);
	complaints_fini(&complaints);
}

static const struct reply *scrub(struct rig *r, const struct given *g)
{
	static struct writer w;
	struct name name = name_of(g->name);
	uint8_t wire[NAME_MAX_LEN + 4];
	memcpy(wire, name.bytes, name.len);
	wire[name.len] = (uint8_t)(g->type >> 8);
	wire[name.len + 1] = (uint8_t)g->type;
	wire[name.len + 2] = 0;
	wire[name.len + 3] = CLASS_IN;
	struct question q = { .wire = wire,
		.wire_len = (uint16_t)(name.len + 4),
		.type = g->type,
		.class = CLASS_IN };
	memset(r, 0, sizeof *r);
	pad_init(&r->pad, 1 << 20, NULL);
	writer_start(&w, r->buf, sizeof r->buf, &q);
	put_text(&w, SECTION_ANSWER, g->answer);
	put_text(&w, SECTION_AUTHORITY, g->authority);
	put_text(&w, SECTION_ADDITIONAL, g->additional);
	writer_finish(&w, (uint16_t)(FLAG_QR | g->flags), g->rcode);
	ck_assert_int_eq(message_read(&r->m, r->buf, w.len, &r->pad), 0);
	r->zone = name_of(g->zone);
	r->name = name;
	const struct scrub_ask ask = { .zone = r->zone.bytes,
		.name = r->name.bytes,
		.type = g->type,
		.aliases = BUDGET_ALIASES };
	scrub_read(&r->reply, &r->m, &ask, &r->pad);
	return &r->reply;
}

#define SOA "example.com. 60 IN SOA ns.example.com. h.example.com. 1 2 3 4 60\n"
#define ASK .zone = "example.com.", .name = "www.example.com.", .type = TYPE_A

static const struct {
	struct given given;
	enum reply_kind kind;
	bool is_recursive;
} cases[] = {
	/* answers */
	{ { ASK, .flags = FLAG_AA, .answer = "www.example.com. 60 IN A 1.2.3.4\n" },
		REPLY_ANSWER, false },
	{ { ASK, .answer = "www.example.com. 60 IN A 1.2.3.4\n" }, REPLY_ANSWER, false },
	{ { ASK, .flags = FLAG_RA, .answer = "www.example.com. 60 IN A 1.2.3.4\n" },
		REPLY_ANSWER, true },
	/* of another name, or in another section */
	{ { ASK, .flags = FLAG_AA, .answer = "ftp.example.com. 60 IN A 1.2.3.4\n" },
		REPLY_NODATA, false },
	{ { ASK, .answer = "ftp.example.com. 60 IN A 1.2.3.4\n" }, REPLY_LAME, false },
	{ { ASK, .additional = "www.example.com. 60 IN A 1.2.3.4\n" }, REPLY_LAME, false },
	/* denials */
	{ { ASK, .flags = FLAG_AA, .authority = SOA }, REPLY_NODATA, false },
	{ { ASK, .authority = SOA }, REPLY_NODATA, false },
	{ { ASK, .flags = FLAG_AA, .rcode = RCODE_NXDOMAIN, .authority = SOA }, REPLY_NXDOMAIN,
		false },
	{ { ASK, .flags = FLAG_AA, .rcode = RCODE_NXDOMAIN }, REPLY_NXDOMAIN, false },
	{ { ASK, .rcode = RCODE_NXDOMAIN }, REPLY_LAME, false },
	{ { ASK, .authority = "com. 60 IN SOA a. b. 1 2 3 4 5\n" }, REPLY_LAME, false },
	/* delegations: down, to the zone itself, up, aside */
	{ { ASK, .authority = "www.example.com. 60 IN NS ns.example.net.\n" }, REPLY_REFERRAL,
		false },
	{ { ASK, .flags = FLAG_AA, .authority = "www.example.com. 60 IN NS ns.example.net.\n" },
		REPLY_REFERRAL, false },
	{ { ASK, .authority = "example.com. 60 IN NS ns.example.net.\n" }, REPLY_LAME, false },
	{ { ASK, .flags = FLAG_AA, .authority = "example.com. 60 IN NS ns.example.net.\n" },
		REPLY_NODATA, false },
	{ { ASK, .flags = FLAG_AA, .authority = "com. 60 IN NS ns.example.net.\n" }, REPLY_LAME,
		false },
	{ { ASK, .authority = "com. 60 IN NS ns.example.net.\n" }, REPLY_LAME, false },
	{ { ASK, .authority = "sub.example.com. 60 IN NS ns.example.net.\n" }, REPLY_LAME,
		false },
	{ { ASK, .authority = "www.example.com. 60 IN NS ns.example.net.\n" SOA }, REPLY_NODATA,
		false },
	/* nothing */
	{ { ASK }, REPLY_LAME, false },
	{ { ASK, .flags = FLAG_AA }, REPLY_NODATA, false },
	/* aliases */
	{ { ASK, .flags = FLAG_AA,
		  .answer = "www.example.com. 60 IN CNAME www.example.net.\n" },
		REPLY_ALIAS, false },
	{ { ASK, .flags = FLAG_AA,
		  .answer = "www.example.com. 60 IN CNAME www.example.net.\n"
			    "www.example.net. 60 IN A 6.6.6.6\n" },
		REPLY_ALIAS, false },
	{ { ASK, .flags = FLAG_AA,
		  .answer = "www.example.com. 60 IN CNAME a.example.com.\n"
			    "a.example.com. 60 IN A 1.2.3.4\n" },
		REPLY_ANSWER, false },
	{ { ASK, .flags = FLAG_AA, .answer = "www.example.com. 60 IN CNAME a.example.com.\n" },
		REPLY_ALIAS, false },
	{ { ASK, .flags = FLAG_AA, .rcode = RCODE_NXDOMAIN,
		  .answer = "www.example.com. 60 IN CNAME a.example.com.\n", .authority = SOA },
		REPLY_NXDOMAIN, false },
	{ { ASK, .flags = FLAG_AA, .answer = "www.example.com. 60 IN CNAME a.example.com.\n",
		  .authority = SOA },
		REPLY_NODATA, false },
	{ { ASK, .flags = FLAG_AA, .rcode = RCODE_NXDOMAIN,
		  .answer = "www.example.com. 60 IN CNAME a.example.net.\n", .authority = SOA },
		REPLY_ALIAS, false },
	/* a loop within one reply */
	{ { ASK, .flags = FLAG_AA,
		  .answer = "www.example.com. 60 IN CNAME a.example.com.\n"
			    "a.example.com. 60 IN CNAME www.example.com.\n" },
		REPLY_ALIAS, false },
	/* DNAME: of the zone, of one above it, too long */
	{ { ASK, .flags = FLAG_AA, .answer = "example.com. 60 IN DNAME example.net.\n" },
		REPLY_ALIAS, false },
	{ { ASK, .flags = FLAG_AA, .answer = "com. 60 IN DNAME net.\n" }, REPLY_NODATA, false },
	{ { ASK, .answer = "com. 60 IN DNAME net.\n" }, REPLY_LAME, false },
};

START_TEST(a_reply_is_what_its_zone_may_say)
{
	struct rig *r = calloc(1, sizeof *r);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct reply *reply = scrub(r, &cases[i].given);
		ck_assert_msg(reply->kind == cases[i].kind, "case %zu is of kind %d", i,
			(int)reply->kind);
		ck_assert_int_eq(reply->is_recursive, cases[i].is_recursive);
		pad_clear(&r->pad);
	}
	free(r);
}
END_TEST

START_TEST(a_foreign_target_is_not_taken_from_the_reply)
{
	static const struct given given = { ASK, .flags = FLAG_AA,
		.answer = "www.example.com. 60 IN CNAME www.example.net.\n"
			  "www.example.net. 60 IN A 6.6.6.6\n" };
	struct rig *r = calloc(1, sizeof *r);
	struct name target = name_of("www.example.net.");
	const struct reply *reply = scrub(r, &given);
	ck_assert_uint_eq(reply->n, 1);
	ck_assert_uint_eq(reply->aliases, 1);
	ck_assert(name_is_equal(reply->name, target.bytes));
	pad_clear(&r->pad);
	free(r);
}
END_TEST

START_TEST(a_dname_makes_its_alias_whatever_the_server_says)
{
	static const struct given given = { ASK, .flags = FLAG_AA,
		.answer = "example.com. 77 IN DNAME example.net.\n"
			  "www.example.com. 0 IN CNAME www.evil.net.\n" };
	struct rig *r = calloc(1, sizeof *r);
	struct name target = name_of("www.example.net.");
	const struct reply *reply = scrub(r, &given);
	ck_assert_int_eq(reply->kind, REPLY_ALIAS);
	ck_assert_uint_eq(reply->n, 2);
	ck_assert_uint_eq(reply->set[0]->type, TYPE_DNAME);
	ck_assert_uint_eq(reply->set[1]->type, TYPE_CNAME);
	ck_assert_uint_eq(reply->set[1]->ttl, 77);
	ck_assert_uint_eq(reply->made, 2);
	ck_assert(name_is_equal(reply->name, target.bytes));
	pad_clear(&r->pad);
	free(r);
}
END_TEST

START_TEST(a_name_that_gets_too_long_is_told)
{
	char name[256], answer[512];
	(void)snprintf(name, sizeof name, "%060d.%060d.%060d.example.com.", 0, 0, 0);
	(void)snprintf(
		answer, sizeof answer, "example.com. 60 IN DNAME %060d.example.net.\n", 0);
	const struct given given = { .zone = "example.com.",
		.name = name,
		.type = TYPE_A,
		.flags = FLAG_AA,
		.rcode = RCODE_YXDOMAIN,
		.answer = answer };
	struct rig *r = calloc(1, sizeof *r);
	const struct reply *reply = scrub(r, &given);
	ck_assert_int_eq(reply->kind, REPLY_TOO_LONG);
	ck_assert_uint_eq(reply->n, 1);
	pad_clear(&r->pad);
	free(r);
}
END_TEST

START_TEST(proofs_of_other_zones_are_left_out)
{
	static const struct given given = { ASK, .flags = FLAG_AA, .rcode = RCODE_NXDOMAIN,
		.authority = SOA "a.example.com. 60 IN NSEC z.example.com. A\n"
				 "com. 60 IN NSEC net. A\n"
				 "example.com. 60 IN NS ns.evil.net.\n"
				 "com. 60 IN SOA a. b. 1 2 3 4 5\n" };
	struct rig *r = calloc(1, sizeof *r);
	const struct reply *reply = scrub(r, &given);
	ck_assert_int_eq(reply->kind, REPLY_NXDOMAIN);
	ck_assert_uint_eq(reply->proofs_n, 2);
	for (unsigned i = 0; i < reply->proofs_n; i++)
		ck_assert(name_is_at_or_below(reply->proof[i]->owner, r->zone.bytes));
	pad_clear(&r->pad);
	free(r);
}
END_TEST

UNIT_MAIN("resolve/scrub", a_reply_is_what_its_zone_may_say,
	a_foreign_target_is_not_taken_from_the_reply,
	a_dname_makes_its_alias_whatever_the_server_says, a_name_that_gets_too_long_is_told,
	proofs_of_other_zones_are_left_out)

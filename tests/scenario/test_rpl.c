/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/derive.h"
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#define HEAD "stub-addr: 192.0.2.53\nCONFIG_END\nSCENARIO_BEGIN a title\n"

static int read_text(struct rpl *rpl, const char *text, struct err *err)
{
	*rpl = (struct rpl){ 0 };
	return rpl_read_text(rpl, "x.rpl", text, strlen(text), err);
}

static void refused(const char *text, const char *why)
{
	struct rpl rpl;
	struct err err;
	ck_assert_int_lt(read_text(&rpl, text, &err), 0);
	ck_assert_msg(strstr(err.text, why), "'%s' instead of '%s'", err.text, why);
	rpl_fini(&rpl);
}

START_TEST(a_scenario_is_read_whole)
{
	struct rpl rpl;
	struct err err;
	const char *text =
		"server: ; a remark\n harden-glue: \"no\" # another\nstub-zone: name: \".\" "
		"stub-addr: 192.0.2.53\naccess-control: 127.0.0.1 allow\nCONFIG_END\n"
		"SCENARIO_BEGIN a title\nRANGE_BEGIN 0 100\n ADDRESS 192.0.2.1\n ADDRESS "
		"2001:db8::1\nENTRY_BEGIN\nMATCH opcode qname\nADJUST copy_id sleep=1.5\n"
		"REPLY QR AA NXDOMAIN\nSECTION QUESTION\nA.test. IN ANY\nSECTION ANSWER\n"
		"a.test 5 IN TXT \"x;y\" ; a remark\na.test IN DS 1 2 3 ( ab\r\n cd "
		")\nENTRY_END\n"
		"RANGE_END\nSTEP 1 QUERY ADDRESS 127.0.0.9\nENTRY_BEGIN\nREPLY RD DO\nSECTION "
		"QUESTION\na.test. A\nENTRY_END\nSTEP 2 TIME_PASSES ELAPSE 0.3\nSTEP 10 "
		"CHECK_ANSWER\nENTRY_BEGIN\nMATCH all ttl ede=22\nENTRY_END\nSCENARIO_END";
	int rc = read_text(&rpl, text, &err);
	ck_assert_msg(rc == 0, "%s", err.text);
	ck_assert_str_eq(rpl.title, "a title");
	ck_assert_str_eq(rpl.config->key, "harden-glue");
	ck_assert_str_eq(rpl.config->value, "no");
	const struct rpl_config *stub = rpl.config->next->next;
	ck_assert_str_eq(stub->in, "stub-zone");
	ck_assert_str_eq(stub->value, "192.0.2.53");
	ck_assert_uint_eq(stub->clause, rpl.config->next->clause);
	ck_assert_str_eq(stub->next->value, "127.0.0.1 allow");
	ck_assert_uint_eq(rpl.ranges->n, 2);
	const struct rpl_entry *entry = rpl.ranges->entries;
	ck_assert_uint_eq(entry->match, RPL_OPCODE | RPL_QNAME);
	ck_assert_uint_eq(entry->flags, FLAG_QR | FLAG_AA);
	ck_assert_uint_eq(entry->rcode, RCODE_NXDOMAIN);
	ck_assert_uint_eq(entry->delay_ms, 1500);
	ck_assert_uint_eq(entry->qtype, 255);
	ck_assert_uint_eq(entry->records->ttl, 5);
	ck_assert_uint_eq(entry->records->rdata_len, 4);
	ck_assert_uint_eq(entry->records->next->ttl, 3600);
	ck_assert_uint_eq(entry->records->next->rdata_len, 6);
	const struct rpl_step *step = rpl.steps;
	ck_assert(step->has_address && step->entry->is_do && step->entry->qtype == 1);
	ck_assert_uint_eq(step->next->elapse_ms, 300);
	ck_assert_int_eq(step->next->next->entry->ede, 22);
	rpl_fini(&rpl);
}
END_TEST

START_TEST(faults_are_told_with_their_line)
{
	refused("a: b\n", "x.rpl:1: CONFIG_END is missing");
	refused("b\nCONFIG_END\n", "x.rpl:1: 'b' stands behind no key");
	refused(HEAD "STEP 1 JUMP\n", "x.rpl:4: 'JUMP' is no step");
	refused(HEAD "STEP 2 NOTHING\nSTEP 1 NOTHING\n", "x.rpl:5: step 1 comes after");
	refused(HEAD "STEP 1 QUERY\nENTRY_BEGIN\nMATCH soul\n", "x.rpl:6: 'soul'");
	refused(HEAD "STEP 1 QUERY\nENTRY_BEGIN\nREPLY RD MAYBE\n", "x.rpl:6: 'MAYBE'");
	refused(HEAD "STEP 1 QUERY\nENTRY_BEGIN\nSECTION ANSWER\na. IN A x\n", "x.rpl:7: ");
	refused(HEAD "RANGE_BEGIN 0 1\nADDRESS nowhere\n", "x.rpl:5: 'nowhere'");
	refused(HEAD "RANGE_BEGIN 0 1\n", "RANGE_END is missing");
	refused(HEAD "STEP 1 NOTHING\n", "SCENARIO_END is missing");
}
END_TEST

/* What the server at the first range says to a question. */
struct said {
	struct rpl rpl;
	struct packet ask, reply;
};

static void say(struct said *said, const char *question)
{
	char text[4096];
	struct err err;
	struct asked asked;
	struct known known = { 0 };
	(void)snprintf(text, sizeof text,
		HEAD "RANGE_BEGIN 0 9\nADDRESS 192.0.2.1\n"
		     "ENTRY_BEGIN\nMATCH qname qtype\nREPLY QR\nSECTION QUESTION\n"
		     "www.sub.test. IN A\nSECTION AUTHORITY\nsub.test. IN NS ns.sub.test.\n"
		     "SECTION ADDITIONAL\nns.sub.test. IN A 192.0.2.2\nENTRY_END\n"
		     "ENTRY_BEGIN\nMATCH qname qtype\nREPLY QR AA\nSECTION QUESTION\n"
		     "a.deep.test. IN A\nSECTION ANSWER\na.deep.test. IN A 192.0.2.3\n"
		     "SECTION AUTHORITY\ntest. IN NS ns.test.\nSECTION ADDITIONAL\n"
		     "ns.test. IN A 192.0.2.1\nENTRY_END\n"
		     "ENTRY_BEGIN\nMATCH qname\nREPLY QR AA NXDOMAIN\nSECTION QUESTION\n"
		     "no.test. IN A\nENTRY_END\nRANGE_END\nSTEP 1 QUERY\nENTRY_BEGIN\n"
		     "SECTION QUESTION\n%s\nENTRY_END\nSCENARIO_END\n",
		question);
	ck_assert_int_eq(read_text(&said->rpl, text, &err), 0);
	for (const struct rpl_entry *e = said->rpl.ranges->entries; e; e = e->next)
		known.entry[known.n++] = e;
	packet_ask(&said->ask, said->rpl.steps->entry, 7);
	ck_assert(asked_read(&asked, said->ask.bytes, said->ask.len, false));
	known_answer(&known, &asked, &said->reply);
}

static void says(const char *question, const char *part, const char *other)
{
	static char text[4096];
	struct said *said = calloc(1, sizeof *said);
	say(said, question);
	packet_print(text, sizeof text, said->reply.bytes, said->reply.len);
	ck_assert_msg(strstr(text, part) && strstr(text, other), "%s: %s", question, text);
	rpl_fini(&said->rpl);
	free(said);
}

START_TEST(what_nobody_foresaw_is_derived_from_what_is_known)
{
	says("sub.test. IN A", "flags 8000 rcode 0", "authority: sub.test.");
	says("x.sub.test. IN AAAA", "flags 8000 rcode 0", "additional: ns.sub.test.");
	says("deep.test. IN A", "flags 8400 rcode 0", "authority: test. 60 IN SOA");
	says("ns.test. IN A", "flags 8400 rcode 0", "answer: ns.test.");
	says("ns.test. IN AAAA", "flags 8400 rcode 0", "SOA");
	says("test. IN NS", "flags 8400 rcode 0", "answer: test. 3600 IN NS");
	says("below.no.test. IN A", "flags 8403 rcode 3", "SOA");
	says("other.test. IN A", "flags 8002 rcode 2", "other.test.");
}
END_TEST

UNIT_MAIN("scenario/rpl", a_scenario_is_read_whole, faults_are_told_with_their_line,
	what_nobody_foresaw_is_derived_from_what_is_known)

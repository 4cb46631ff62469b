/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_message.c -- any bytes are a query
 *
 * What     The first byte says how it came. What is answered must be a well-formed message,
 *          with the query's id and its question, within the limits the client gave. The
 *          same bytes are read as a message of any kind as well, record by record.
 */
#include "answer/answer.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "text/zonefile.h"
#include "wire/rdata.h"
#include "wire/reader.h"
#include "wire/rrtype.h"
#include "zone/build.h"
#include "zone/table.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char zone_text[] =
	"@ 60 IN SOA ns hostmaster 1 2 3 4 5\n"
	"@ 60 NS ns\n@ 60 NS ns.out.test.\n@ 60 MX 1 mail\nns 60 A 192.0.2.1\nns 60 AAAA ::1\n"
	"mail 60 A 192.0.2.2\n*.wild 60 TXT \"any\"\na.b.c 60 A 192.0.2.3\n"
	"alias 60 CNAME alias2\nalias2 60 CNAME x.wild\nloop 60 CNAME loop2\nloop2 60 CNAME "
	"loop\n"
	"away 60 CNAME elsewhere.test.\ntree 60 DNAME other\nother 60 DNAME d.other2\n"
	"grow 60 DNAME x.grow\nchild 60 NS ns.child\nns.child 60 A 192.0.2.4\n"
	"_dns._udp 60 SRV 1 2 53 ns\nsvc 60 HTTPS 1 . alpn=h2\nsvc 60 A 192.0.2.5\n"
	"svc2 60 SVCB 0 svc\nbig 60 TXT "
	"0123456789012345678901234567890123456789012345678901234567890123456789\n"
	"$GENERATE 1-60 big 60 A 192.0.2.$\n";
static const char signed_text[] =
	"@ 60 IN SOA ns hostmaster 1 2 3 4 5\n@ 60 NS ns.out.test.\n"
	"@ 60 RRSIG SOA 13 1 60 20360101000000 20260101000000 1 @ AAAA\n"
	"@ 60 NSEC a SOA NS RRSIG NSEC\na 60 A 192.0.2.1\na 60 NSEC *.w A RRSIG NSEC\n"
	"a 60 RRSIG A 13 2 60 20360101000000 20260101000000 1 @ AAAA\n"
	"*.w 60 A 192.0.2.1\n*.w 60 NSEC @ A RRSIG NSEC\ncut 60 NS ns.cut\n"
	"cut 60 NSEC @ NS RRSIG NSEC\n";

/* The hashes are not those of the names: enough for every way through the proofs. */
static const char hashed_text[] =
	"@ 60 IN SOA ns hostmaster 1 2 3 4 5\n@ 60 NS ns.out.test.\n"
	"@ 60 NSEC3PARAM 1 0 3 AABB\na.b 60 A 192.0.2.1\n*.w 60 TXT \"any\"\n"
	"cut 60 NS ns.cut\n"
	"00000000000000000000000000000000 60 NSEC3 1 1 3 AABB 80000000000000000000000000000000 "
	"A\n"
	"80000000000000000000000000000000 60 NSEC3 1 0 3 AABB g0000000000000000000000000000000 "
	"A\n"
	"g0000000000000000000000000000000 60 NSEC3 1 1 3 AABB 00000000000000000000000000000000 "
	"A\n";

static struct zone_table *zones;
static struct answerer *answerer;

static int on_record(void *user, const struct record *record, struct err *err)
{
	return zone_build_add(user, record, err);
}

static void on_issue(void *user, const struct zone_issue *issue)
{
	(void)user;
	must(!issue->is_error);
}

static struct zone *make_zone(const uint8_t *origin, const char *text)
{
	struct complaints complaints = { 0 };
	struct zone_build *build = zone_build_new(origin, 0);
	must(zonefile_scan_text(
		     "fuzz", text, strlen(text), origin, on_record, build, &complaints) > 0);
	complaints_fini(&complaints);
	struct zone *zone = zone_build_finish(&build, on_issue, NULL);
	must(zone);
	return zone;
}

static void start(void)
{
	static const struct answer_opts opts = { .edns_size = 1232,
		.keepalive = 100,
		.cookies = true,
		.version = "version",
		.identity = "identity",
		.nsid = "nsid" };
	static const struct hash_key secret;
	struct zone *list[] = { make_zone((const uint8_t *)"\4test", zone_text),
		make_zone((const uint8_t *)"\6signed", signed_text),
		make_zone((const uint8_t *)"\6hashed", hashed_text),
		make_zone((const uint8_t *)"\6other2\4test", zone_text) };
	zones = zone_table_new(list, array_len(list));
	answerer = answerer_new(&secret);
	answerer_set_world(answerer, &opts, zones);
}

/* Every record of a message; false: it is malformed. */
static bool read_message(const uint8_t *msg, size_t len)
{
	static uint8_t rdata[MESSAGE_MAX_LEN + 1];
	struct reader r;
	struct reader_record record;
	struct name name;
	uint16_t type, class;
	int got;
	if (!reader_open(&r, msg, len))
		return false;
	while ((got = reader_question(&r, &name, &type, &class)) == 1)
		must(name_check(name.bytes, name.len) == name.len);
	while (got >= 0 && (got = reader_record(&r, &record)) == 1) {
		must(name_check(record.owner.bytes, record.owner.len) == record.owner.len);
		must(record.rdata_at + record.rdata_len <= len);
		int n = rdata_read(record.type, msg, len, record.rdata_at, record.rdata_len,
			rdata, sizeof rdata, &r.steps);
		must(n <= (int)sizeof rdata);
		if (n < 0 && record.type != TYPE_OPT && record.type != TYPE_TSIG)
			return false;
	}
	return got == 0 && r.at == len;
}

static void ask(const uint8_t *query, size_t n, bool is_stream)
{
	static const uint8_t address[4] = { 192, 0, 2, 1 };
	static uint8_t reply[MESSAGE_MAX_LEN];
	static struct question q;
	const struct answer_from from = { .address = address,
		.address_len = sizeof address,
		.is_stream = is_stream,
		.is_tls = is_stream,
		.now_s = 1000000 };
	uint32_t room = is_stream ? sizeof reply : 4096;
	unsigned rcode = 99;
	enum verdict verdict = question_read(&q, query, n, is_stream);
	int32_t len = answer_question(answerer, &q, verdict, &from, reply, room, &rcode);
	must((verdict == VERDICT_DROP) == (len == 0));
	if (!len)
		return;
	must(len >= HEADER_LEN && (uint32_t)len <= room && rcode != 99);
	must(is_stream || len <= 1232);
	must(is_stream || q.edns.is_present || len <= 512);
	must(get_u16(reply) == get_u16(query) && reply[2] & 0x80);
	must(read_message(reply, (size_t)len));
	must(get_u16(reply + 4) == (q.wire_len ? 1 : 0));
	must(!q.wire_len || memcmp(reply + HEADER_LEN, q.wire, q.wire_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!zones)
		start();
	if (n < 1 || n > MESSAGE_MAX_LEN)
		return 0;
	/* A copy without a byte to spare: reading past its end is seen. */
	uint8_t *query = mem_new(n);
	memcpy(query, data + 1, n - 1);
	query = mem_grow(query, n > 1 ? n - 1 : 1);
	ask(query, n - 1, data[0] & 1);
	(void)read_message(query, n - 1);
	mem_free(query);
	return 0;
}

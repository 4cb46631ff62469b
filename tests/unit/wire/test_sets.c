/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "base/clock.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/edns.h"
#include "wire/key.h"
#include "wire/rrtype.h"
#include "wire/sets.h"

#include <errno.h>
#include <stdio.h>

static uint8_t msg[65536];
static size_t len;
static struct pad pad;

static void begin(const char *qname, uint16_t type, uint16_t flags)
{
	memset(msg, 0, HEADER_LEN);
	put_u16(msg, 0x4242);
	put_u16(msg + 2, (uint16_t)(FLAG_QR | flags));
	len = HEADER_LEN;
	msg[5] = 1;
	struct name n = name_of(qname);
	memcpy(msg + len, n.bytes, n.len);
	len += n.len;
	put_u16(msg + len, type);
	put_u16(msg + len + 2, CLASS_IN);
	len += 4;
	pad_clear(&pad);
	pad_init(&pad, 2 << 20, NULL);
}

static void put(enum section section, const char *owner, uint16_t type, uint32_t ttl,
	const void *rdata, size_t n)
{
	struct name name = name_of(owner);
	memcpy(msg + len, name.bytes, name.len);
	len += name.len;
	put_u16(msg + len, type);
	put_u16(msg + len + 2, CLASS_IN);
	put_u32(msg + len + 4, ttl);
	put_u16(msg + len + 8, (uint16_t)n);
	memcpy(msg + len + 10, rdata, n);
	len += 10 + n;
	put_u16(msg + 4 + 2 * section, (uint16_t)(get_u16(msg + 4 + 2 * section) + 1));
}

static void put_sig(enum section section, const char *owner, uint16_t covered)
{
	uint8_t rdata[18 + 1 + 4] = { 0 };
	put_u16(rdata, covered);
	put(section, owner, TYPE_RRSIG, 60, rdata, sizeof rdata);
}

START_TEST(records_become_sets_and_signatures_stand_with_what_they_cover)
{
	struct message m;
	begin("www.example.org.", TYPE_A, FLAG_AA);
	put_sig(SECTION_ANSWER, "www.example.org.", TYPE_A);
	put(SECTION_ANSWER, "www.example.org.", TYPE_A, 60, "\1\2\3\4", 4);
	put(SECTION_ANSWER, "WWW.example.org.", TYPE_A, 30, "\1\2\3\5", 4);
	put(SECTION_ANSWER, "www.example.org.", TYPE_A, 60, "\1\2\3\4", 4);
	put(SECTION_AUTHORITY, "example.org.", TYPE_NS, 0x80000001, "\2ns\xc0\x10", 5);
	put_sig(SECTION_AUTHORITY, "example.org.", TYPE_MX);
	ck_assert_int_eq(message_read(&m, msg, len, &pad), 0);
	ck_assert_uint_eq(m.n, 3);
	ck_assert_uint_eq(m.id, 0x4242);
	ck_assert(!m.has_opt);
	struct name www = name_of("www.example.org."), zone = name_of("example.org.");
	const struct rrset *a = message_find(&m, SECTION_ANSWER, www.bytes, TYPE_A);
	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(a->n, 2); /* the double is gone */
	ck_assert_uint_eq(a->sigs, 1);
	ck_assert_uint_eq(a->ttl, 30);
	uint16_t n;
	const uint8_t *p = rrset_next(a, NULL, &n);
	ck_assert_uint_eq(n, 4);
	ck_assert_mem_eq(p, "\1\2\3\4", 4);
	p = rrset_next(a, p, &n);
	ck_assert_mem_eq(p, "\1\2\3\5", 4);
	ck_assert_ptr_null(rrset_next(a, p, &n));
	const struct rrset *ns = message_find(&m, SECTION_AUTHORITY, zone.bytes, TYPE_NS);
	ck_assert_ptr_nonnull(ns);
	ck_assert_uint_eq(ns->ttl, 0);
	p = rrset_next(ns, NULL, &n);
	ck_assert_uint_eq(n, 16);
	ck_assert_mem_eq(p, "\2ns\7example\3org", 16);
	const struct rrset *lone = message_find(&m, SECTION_AUTHORITY, zone.bytes, TYPE_RRSIG);
	ck_assert_ptr_nonnull(lone);
	ck_assert_uint_eq(lone->n, 1);
	struct rrset *copy = rrset_copy(&pad, a);
	ck_assert_ptr_nonnull(copy);
	ck_assert_mem_eq(copy->records, a->records, a->size);
}
END_TEST

START_TEST(opt_is_taken_out_and_told)
{
	struct message m;
	begin("x.", TYPE_A, RCODE_NOERROR);
	uint8_t opt[EDNS_FIXED_LEN + 8 + 12] = { 0, 0, TYPE_OPT, 0x04, 0xd0, 1, 0, 0, 0, 0, 20,
		0, OPTION_EDE, 0, 4, 0, 22, 'o', 'h', 0, OPTION_COOKIE, 0, 8, 1, 2, 3, 4, 5, 6,
		7, 8 };
	memcpy(msg + len, opt, sizeof opt);
	len += sizeof opt;
	msg[11] = 1;
	ck_assert_int_eq(message_read(&m, msg, len, &pad), 0);
	ck_assert_uint_eq(m.n, 0);
	ck_assert(m.has_opt);
	ck_assert_uint_eq(m.opt_size, 1232);
	ck_assert_uint_eq(m.rcode, 16);
	ck_assert_int_eq(m.ede, 22);
	ck_assert_uint_eq(m.ede_text_len, 2);
	ck_assert_uint_eq(m.cookie_len, 8);
	/* another one is none of a message */
	memcpy(msg + len, opt, sizeof opt);
	msg[11] = 2;
	ck_assert_int_eq(message_read(&m, msg, len + sizeof opt, &pad), -EBADMSG);
}
END_TEST

START_TEST(what_stands_alone_is_kept_once_and_foreign_classes_not_at_all)
{
	struct message m;
	begin("a.", TYPE_A, 0);
	put(SECTION_ANSWER, "a.", TYPE_CNAME, 60, "\1b", 3);
	put(SECTION_ANSWER, "a.", TYPE_CNAME, 60, "\1c", 3);
	put(SECTION_ANSWER, "b.", TYPE_A, 60, "\1\2\3\4", 4);
	msg[len - 11] = CLASS_CH;
	ck_assert_int_eq(message_read(&m, msg, len, &pad), 0);
	ck_assert_uint_eq(m.n, 1);
	ck_assert_uint_eq(m.sets[0].n, 1);
	ck_assert_mem_eq(m.sets[0].records + 2, "\1b", 3);
}
END_TEST

START_TEST(bad_rdata_and_every_cut_make_no_message_or_a_shorter_one)
{
	struct message m;
	begin("www.example.org.", TYPE_A, 0);
	put(SECTION_ANSWER, "www.example.org.", TYPE_A, 60, "\1\2\3", 3);
	ck_assert_int_eq(message_read(&m, msg, len, &pad), -EBADMSG);
	begin("www.example.org.", TYPE_A, 0);
	put(SECTION_ANSWER, "www.example.org.", TYPE_A, 60, "\1\2\3\4", 4);
	for (size_t n = 0; n < len; n++)
		ck_assert_int_eq(message_read(&m, msg, n, &pad), -EBADMSG);
	msg[5] = 2;
	ck_assert_int_eq(message_read(&m, msg, len, &pad), -EBADMSG);
}
END_TEST

static void costs(const char *what)
{
	struct message m;
	uint64_t best = UINT64_MAX;
	size_t taken = 0;
	for (int i = 0; i < 5; i++) {
		pad_clear(&pad);
		uint64_t start = clock_mono_us();
		int rc = message_read(&m, msg, len, &pad);
		ck_assert(rc == 0 || rc == -EBADMSG);
		uint64_t took = clock_mono_us() - start;
		best = took < best ? took : best;
		taken = pad.taken;
	}
	printf("%s: %zu bytes, %zu sets: %llu us, %zu KiB\n", what, len, m.n,
		(unsigned long long)best, taken / 1024);
	ck_assert_uint_le(taken, 4 * 65536 + 16384);
#ifndef __SANITIZE_ADDRESS__
	ck_assert_uint_le(best, 2000 * 4); /* 2 ms (B14), and a loaded machine */
#endif
}

/* Hazard B14. */
START_TEST(long_hostile_messages_cost_little)
{
	begin("q.", TYPE_A, 0);
	for (unsigned i = 0; len + 40 < 65536; i++) {
		char owner[32];
		(void)snprintf(owner, sizeof owner, "n%u.q.", i);
		put(SECTION_ANSWER, owner, TYPE_A, 60, &i, 4);
	}
	costs("an owner for every record");
	begin("q.", TYPE_A, 0);
	for (unsigned i = 0; len + 40 < 65536; i++)
		put(SECTION_ANSWER, "q.", TYPE_A, 60, &i, 4);
	costs("one set of thousands");
	begin("q.", TYPE_A, 0);
	unsigned n = 0;
	/* every owner is a label in front of the one before */
	for (size_t before = HEADER_LEN; len + 20 < 16384; n++) {
		size_t at = len;
		msg[len] = 1;
		msg[len + 1] = 'x';
		put_u16(msg + len + 2, (uint16_t)(0xc000 | before));
		put_u16(msg + len + 4, TYPE_A);
		put_u16(msg + len + 6, CLASS_IN);
		put_u32(msg + len + 8, 60);
		put_u16(msg + len + 12, 4);
		len += 18;
		before = n % 100 == 99 ? HEADER_LEN : at;
	}
	put_u16(msg + 6, (uint16_t)n);
	costs("chains of pointers");
	pad_clear(&pad);
}
END_TEST

/* A name of 250 bytes in front of which each owner of these has a label more, all by pointers;
 * turns: how many of them take turns. */
static void put_long_owners(unsigned turns)
{
	char name[256] = "";
	unsigned n = turns;
	size_t at[8];
	for (unsigned i = 0; i < 24; i++)
		strcat(name, "nine-and-");
	for (unsigned i = 62; i < 216; i += 62)
		name[i] = '.';
	strcat(name, ".q.");
	begin("q.", TYPE_A, 0);
	for (unsigned i = 0; i < turns; i++) {
		name[0] = (char)('a' + i);
		at[i] = len;
		put(SECTION_ANSWER, name, TYPE_A, 60, &i, 4);
	}
	for (; len + 16 < 65536; n++) {
		put_u16(msg + len, (uint16_t)(0xc000 | at[n % turns]));
		put_u16(msg + len + 2, TYPE_A);
		put_u16(msg + len + 4, CLASS_IN);
		put_u32(msg + len + 6, 60);
		put_u16(msg + len + 10, 4);
		put_u32(msg + len + 12, n);
		len += 16;
	}
	put_u16(msg + 6, (uint16_t)n);
}

START_TEST(an_owner_that_stays_is_cheap_and_long_ones_that_change_are_refused)
{
	struct message m;
	put_long_owners(1);
	costs("a long owner");
	ck_assert_int_eq(message_read(&m, msg, len, &pad), 0);
	ck_assert(m.n == 1 && m.sets[0].n == 256);
	pad_clear(&pad);
	put_long_owners(5);
	costs("long owners that take turns");
	ck_assert_int_eq(message_read(&m, msg, len, &pad), -EBADMSG);
	pad_clear(&pad);
}
END_TEST

START_TEST(a_question_is_written_as_it_is_read)
{
	struct message m;
	uint8_t buf[320];
	struct name name = name_of("WwW.example.org.");
	const struct query_opts opts = { .id = 7,
		.edns_size = 1232,
		.is_dnssec = true,
		.is_recursive = true,
		.cookie = (const uint8_t *)"12345678",
		.cookie_len = 8 };
	size_t n = query_write(buf, name.bytes, TYPE_MX, &opts);
	pad_init(&pad, 65536, NULL);
	ck_assert_int_eq(message_read(&m, buf, n, &pad), 0);
	ck_assert_uint_eq(m.id, 7);
	ck_assert_uint_eq(m.type, TYPE_MX);
	ck_assert_mem_eq(m.name.bytes, name.bytes, name.len);
	ck_assert_uint_eq(m.opt_size, 1232);
	ck_assert_uint_eq(m.cookie_len, 8);
	ck_assert_uint_eq(m.flags, FLAG_RD);
	const struct query_opts plain = { 0 };
	n = query_write(buf, name.bytes, TYPE_MX, &plain);
	ck_assert_uint_eq(n, HEADER_LEN + name.len + 4u);
	pad_clear(&pad);
}
END_TEST

UNIT_MAIN("wire/sets", records_become_sets_and_signatures_stand_with_what_they_cover,
	opt_is_taken_out_and_told,
	what_stands_alone_is_kept_once_and_foreign_classes_not_at_all,
	bad_rdata_and_every_cut_make_no_message_or_a_shorter_one,
	long_hostile_messages_cost_little,
	an_owner_that_stays_is_cheap_and_long_ones_that_change_are_refused,
	an_owner_that_stays_is_cheap_and_long_ones_that_change_are_refused,
	a_question_is_written_as_it_is_read)

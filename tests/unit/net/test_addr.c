/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/addr.h"
#include "unit/unit.h"

#include <string.h>

static void reads_as(const char *text, const char *printed)
{
	struct addr a;
	struct err err = { "" };
	char out[ADDR_TEXT_MAX];
	ck_assert_msg(addr_parse(&a, text, 53, &err) == 0, "%s: %s", text, err.text);
	ck_assert_str_eq(addr_print(out, &a), printed);
}

static void refused_with(const char *text, const char *why)
{
	struct addr a, before;
	struct err err = { "" };
	memset(&before, 7, sizeof before);
	a = before;
	ck_assert_int_lt(addr_parse(&a, text, 53, &err), 0);
	ck_assert_str_eq(err.text, why);
	ck_assert_mem_eq(&a, &before, sizeof a);
}

START_TEST(every_spelling_of_an_address_is_read)
{
	reads_as("127.0.0.1", "127.0.0.1@53");
	reads_as("127.0.0.1@5300", "127.0.0.1@5300");
	reads_as("127.0.0.1:5300", "127.0.0.1@5300");
	reads_as("0.0.0.0@65535", "0.0.0.0@65535");
	reads_as("::1", "::1@53");
	reads_as("::1@5300", "::1@5300");
	reads_as("[::1]", "::1@53");
	reads_as("[::1]:5300", "::1@5300");
	reads_as("[::1]@5300", "::1@5300");
	reads_as("2001:DB8:0:0::1@0", "2001:db8::1@0");
	reads_as("::ffff:192.0.2.1", "::ffff:192.0.2.1@53");
	reads_as("fe80::1%lo@53", "fe80::1%lo@53");
}
END_TEST

START_TEST(a_refusal_names_what_is_wrong)
{
	refused_with("", "an address is missing");
	refused_with("127.0.0.1@99999", "127.0.0.1@99999: port 99999 is over 65535");
	refused_with("127.0.0.1@65536", "127.0.0.1@65536: port 65536 is over 65535");
	refused_with(
		"127.0.0.1@4294967349", "127.0.0.1@4294967349: port 4294967349 is over 65535");
	refused_with("127.0.0.1@", "127.0.0.1@: the port is missing");
	refused_with("127.0.0.1@5x", "127.0.0.1@5x: port 5x is not a number");
	refused_with("127.0.0.1@-1", "127.0.0.1@-1: port -1 is not a number");
	refused_with("@53", "@53: the address is missing");
	refused_with("[::1@53", "[::1@53: ] is missing");
	refused_with("[::1]53", "[::1]53: after ] only :port may follow");
	refused_with("localhost", "localhost: localhost is neither an IPv4 nor an IPv6 address "
				  "(names are not looked up)");
	refused_with("127.0.0.256@53", "127.0.0.256@53: 127.0.0.256 is neither an IPv4 nor an "
				       "IPv6 address (names are not looked up)");
	refused_with("fe80::1%nothing0@53",
		"fe80::1%nothing0@53: this host has no interface nothing0");
	char lengthy[200];
	memset(lengthy, 'a', sizeof lengthy - 1);
	lengthy[sizeof lengthy - 1] = '\0';
	struct addr a;
	struct err err;
	ck_assert_int_lt(addr_parse(&a, lengthy, 53, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "too long"));
}
END_TEST

START_TEST(equality_looks_at_family_address_and_port)
{
	struct addr a, b;
	ck_assert_int_eq(addr_parse(&a, "192.0.2.1@53", 0, NULL), 0);
	ck_assert_int_eq(addr_parse(&b, "192.0.2.1:53", 0, NULL), 0);
	ck_assert(addr_is_equal(&a, &b));
	ck_assert_int_eq(addr_parse(&b, "192.0.2.1@54", 0, NULL), 0);
	ck_assert(!addr_is_equal(&a, &b));
	ck_assert_int_eq(addr_parse(&b, "::ffff:192.0.2.1@53", 0, NULL), 0);
	ck_assert(!addr_is_equal(&a, &b));
}
END_TEST

START_TEST(a_mapped_address_has_the_bytes_of_the_ipv4_one)
{
	struct addr a;
	size_t n;
	ck_assert_int_eq(addr_parse(&a, "::ffff:192.0.2.1", 53, NULL), 0);
	ck_assert_mem_eq(addr_bytes(&a, &n), "\xc0\x00\x02\x01", 4);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(addr_parse(&a, "192.0.2.1", 53, NULL), 0);
	ck_assert_mem_eq(addr_bytes(&a, &n), "\xc0\x00\x02\x01", 4);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(addr_parse(&a, "2001:db8::1", 53, NULL), 0);
	ck_assert_int_eq(addr_bytes(&a, &n)[3], 0xb8);
	ck_assert_uint_eq(n, 16);
}
END_TEST

START_TEST(only_the_unspecified_addresses_are_wildcards)
{
	static const struct {
		const char *text;
		bool is_wildcard;
	} rows[] = { { "0.0.0.0", true }, { "::", true }, { "127.0.0.1", false },
		{ "::1", false } };
	for (size_t i = 0; i < array_len(rows); i++) {
		struct addr a;
		ck_assert_int_eq(addr_parse(&a, rows[i].text, 53, NULL), 0);
		ck_assert_int_eq(addr_is_wildcard(&a), rows[i].is_wildcard);
	}
}
END_TEST

START_TEST(an_address_comes_back_from_its_bytes)
{
	static const char *const texts[] = { "192.0.2.1@53", "2001:db8::1@5300" };
	for (size_t i = 0; i < array_len(texts); i++) {
		struct addr a, b;
		ck_assert_int_eq(addr_parse(&a, texts[i], 0, NULL), 0);
		struct endpoint e = addr_endpoint(&a);
		addr_from_endpoint(&b, &e);
		ck_assert(addr_is_equal(&a, &b));
	}
	struct addr v4, v6;
	ck_assert_int_eq(addr_parse(&v4, "192.0.2.1@53", 0, NULL), 0);
	ck_assert_int_eq(addr_parse(&v6, "::ffff:192.0.2.1@53", 0, NULL), 0);
	struct endpoint a = addr_endpoint(&v4), b = addr_endpoint(&v6);
	ck_assert_mem_eq(a.address, b.address, 16);
}
END_TEST

UNIT_MAIN("net/addr", an_address_comes_back_from_its_bytes,
	every_spelling_of_an_address_is_read, a_refusal_names_what_is_wrong,
	equality_looks_at_family_address_and_port,
	a_mapped_address_has_the_bytes_of_the_ipv4_one,
	only_the_unspecified_addresses_are_wildcards)

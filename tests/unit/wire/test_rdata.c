/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/rdata.h"
#include "wire/name.h"
#include "wire/rrtype.h"
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

struct sample {
	uint16_t type;
	const char *hex;
	bool is_good;
};

enum {
	SAMPLE_MAX = 256
};

static size_t from_hex(uint8_t *out, const char *hex)
{
	size_t n = 0;
	for (; *hex; hex++) {
		unsigned x;
		if (*hex == ' ')
			continue;
		ck_assert_int_eq(sscanf(hex++, "%2x", &x), 1);
		ck_assert_uint_lt(n, SAMPLE_MAX);
		out[n++] = (uint8_t)x;
	}
	return n;
}

/* The check over a copy that ends where its memory does, so that a sanitizer sees a step
 * behind. */
static bool check(uint16_t type, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, p, n);
	bool is_good = rdata_check(type, n ? copy : copy + 1, n);
	free(copy);
	return is_good;
}

/* Names: 01 61 00 is "a."; c00c would be a compression pointer. */
static const struct sample samples[] = {
	{ 1, "c0000201", true },
	{ 2, "016100", true },
	{ 2, "00", true },
	{ 2, "c00c", false },
	{ 2, "0161", false },
	{ 2, "016100 00", false },
	{ 2, "4061", false },
	{ 3, "016100", true },
	{ 4, "016100", true },
	{ 5, "016100", true },
	{ 6, "00 00 00000001 00000002 00000003 00000004 00000005", true },
	{ 7, "016100", true },
	{ 8, "016100", true },
	{ 9, "016100", true },
	{ 10, "", true },
	{ 10, "00", true },
	{ 11, "c0000201 06", true },
	{ 11, "c0000201 06 0000000040", true },
	{ 11, "c0000201", false },
	{ 12, "016100", true },
	{ 13, "0178 00", true },
	{ 13, "0178 0179 00", false },
	{ 14, "00 016100", true },
	{ 15, "000a 016100", true },
	{ 15, "000a", false },
	{ 16, "00", true },
	{ 16, "0178 026162", true },
	{ 16, "", false },
	{ 16, "0178 0261", false },
	{ 17, "00 00", true },
	{ 18, "0001 00", true },
	{ 19, "0431323334", true },
	{ 20, "0131", true },
	{ 20, "0131 0132", true },
	{ 20, "0131 0132 0133", false },
	{ 21, "0001 00", true },
	{ 22, "47", true },
	{ 22, "", false },
	{ 23, "00", true },
	{ 24, "0001 05 02 00000e10 00000000 00000000 0001 00 aa", true },
	{ 25, "c000 03 05", true },
	{ 25, "0100 03 05 aa", true },
	{ 25, "c000 03", false },
	{ 26, "0001 00 00", true },
	{ 27, "0131 0132 0133", true },
	{ 27, "0131 0132", false },
	{ 28, "20010db8000000000000000000000001", true },
	{ 29, "00 12 16 13 80000000 80000000 00989680", true },
	{ 29, "00 a2 16 13 80000000 80000000 00989680", false },
	{ 29, "00 12 1a 13 80000000 80000000 00989680", false },
	{ 29, "00 12 16 13 934fd901 80000000 00989680", false },
	{ 29, "00 12 16 13 934fd900 80000000 00989680", true },
	{ 29, "00 12 16 13 80000000 a69fb201 00989680", false },
	{ 29, "01", true },
	{ 29, "", false },
	{ 30, "00 62000080 02", true },
	{ 30, "00 80", false },
	{ 30, "00 6200", false },
	{ 31, "aa", true },
	{ 32, "aa", true },
	{ 33, "0000 0000 0050 016100", true },
	{ 34, "01 31", true },
	{ 34, "01", false },
	{ 35, "0001 0002 0173 00 00 00", true },
	{ 35, "0001 0002 0173 00 00", false },
	{ 36, "0001 00", true },
	{ 37, "0001 0000 00 aa", true },
	{ 37, "0001 0000 00", false },
	{ 38, "00 20010db8000000000000000000000001", true },
	{ 38, "40 0000000000000001 00", true },
	{ 38, "40 0000000000000001", false },
	{ 38, "80 00", true },
	{ 38, "81 00", false },
	{ 39, "016100", true },
	{ 40, "", true },
	{ 42, "", true },
	{ 42, "0001 18 03 c00002", true },
	{ 42, "0001 18 03 c00000", false },
	{ 42, "0001 21 01 c0", false },
	{ 42, "0001 18 05 0102030405", false },
	{ 42, "0002 80 90 20010db8000000000000000000000001", true },
	{ 42, "0002 81 00", false },
	{ 42, "0001 18 04 c00002", false },
	{ 42, "0001 18", false },
	{ 43, "0001 08 02 aa", true },
	{ 43, "0001 08 02", false },
	{ 44, "01 01 aa", true },
	{ 45, "0a 00 02 aa", true },
	{ 45, "0a 00 00", true },
	{ 45, "0a 01 02 c0000201 aa", true },
	{ 45, "0a 01 02 c00002", false },
	{ 45, "0a 02 02 20010db8000000000000000000000001 aa", true },
	{ 45, "0a 02 02 20010db8", false },
	{ 45, "0a 03 02 016100 aa", true },
	{ 45, "0a 03 02 0161", false },
	{ 45, "0a", false },
	{ 46, "0001 05 02 00000e10 00000000 00000000 0001 00 aa", true },
	{ 46, "0001 05 02 00000e10 00000000 00000000 0001 00", false },
	{ 47, "00 0001 40", true },
	{ 47, "00", true },
	{ 47, "00 000140 000140", false },
	{ 47, "00 010140 000140", false },
	{ 47, "00 000140 010140", true },
	{ 47, "00 0000", false },
	{ 47, "00 00024000", false },
	{ 47, "00 000240", false },
	{ 47, "00 00", false },
	{ 47, "00 0020 0000000000000000000000000000000000000000000000000000000000000001",
		true },
	{ 47, "00 0021 000000000000000000000000000000000000000000000000000000000000000001",
		false },
	{ 48, "0100 03 08 aa", true },
	{ 48, "0100 03 08", false },
	{ 49, "000201", true },
	{ 50, "01 00 000a 00 14 0102030405060708090a0b0c0d0e0f1011121314 000140", true },
	{ 50, "01 00 000a 02aabb 01aa", true },
	{ 50, "01 00 000a 00 00", false },
	{ 50, "01 00 000a 02aa", false },
	{ 51, "01 00 000a 00", true },
	{ 51, "01 00 000a 02aabb", true },
	{ 51, "01 00 000a 02aabb00", false },
	{ 52, "03 01 01 aa", true },
	{ 53, "03 01 01 aa", true },
	{ 55, "01 02 0001 aa bb", true },
	{ 55, "01 02 0001 aa bb 016100 00", true },
	{ 55, "01 02 0001 aa bb 0161", false },
	{ 55, "00 02 0001 bb", false },
	{ 55, "01 02 0000 aa", false },
	{ 55, "01 02 0002 aa bb", false },
	{ 56, "00", true },
	{ 57, "0000 01 01 aa", true },
	{ 58, "00 00", true },
	{ 59, "0000 00 00 00", true },
	{ 60, "0000 03 00 00", true },
	{ 61, "aa", true },
	{ 62, "00000001 0003 000140", true },
	{ 63, "00000001 01 01 0102030405060708090a0b0c", true },
	{ 63, "00000001 01 01 0102030405060708090a0b", false },
	{ 64, "0001 00", true },
	{ 64, "0000 016100", true },
	{ 65, "0001 00 0001 0003 026832", true },
	{ 65, "0001 00 0001 0003 0268", false },
	{ 65, "0001 00 0001 0003 036832", false },
	{ 65, "0001 00 0001 0000", false },
	{ 65, "0001 00 0001 0001 00", false },
	{ 65, "0001 00 0003 0002 01bb", true },
	{ 65, "0001 00 0003 0001 bb", false },
	{ 65, "0001 00 0002 0000", false },
	{ 65, "0001 00 0001 0003 026832 0002 0000", true },
	{ 65, "0001 00 0002 0000 0001 0003 026832", false },
	{ 65, "0001 00 0003 0002 01bb 0003 0002 01bb", false },
	{ 65, "0001 00 0004 0004 c0000201", true },
	{ 65, "0001 00 0004 0003 c00002", false },
	{ 65, "0001 00 0006 0010 20010db8000000000000000000000001", true },
	{ 65, "0001 00 0006 0004 20010db8", false },
	{ 65, "0001 00 0005 0000", false },
	{ 65, "0001 00 0008 0000", true },
	{ 65, "0001 00 0008 0001 00", false },
	{ 65, "0001 00 0000 0002 0003 0003 0002 01bb", true },
	{ 65, "0001 00 0000 0002 0004 0003 0002 01bb", false },
	{ 65, "0001 00 0000 0002 0000 0003 0002 01bb", false },
	{ 65, "0001 00 0000 0000 0003 0002 01bb", false },
	{ 65, "0001 00 0000 0001 00 0003 0002 01bb", false },
	{ 65, "0001 00 0000 0004 00040003 0003 0002 01bb 0004 0004 c0000201", false },
	{ 65, "0001 00 029b 0000", true },
	{ 65, "0001 00 029b ffff 00", false },
	{ 65, "0001 00 029b", false },
	{ 65, "0001", false },
	{ 66, "003b 01 14e7 00", true },
	{ 67, "aa", true },
	{ 68, "aa", true },
	{ 99, "00", true },
	{ 100, "aa", true },
	{ 101, "aa", true },
	{ 102, "aa", true },
	{ 103, "aa", true },
	{ 104, "000a 00144fffff20ee64", true },
	{ 104, "000a 00144fffff20ee", false },
	{ 105, "000a c0000201", true },
	{ 106, "000a 20010db811402000", true },
	{ 107, "000a 00", true },
	{ 108, "00005e00532a", true },
	{ 109, "00005eef1000002a", true },
	{ 109, "00005eef100000", false },
	{ 256, "0001 0001 78", true },
	{ 256, "0001 0001", false },
	{ 257, "00 05 6973737565", true },
	{ 257, "00 05 6973737565 78", true },
	{ 257, "00 00 78", false },
	{ 257, "00 05 69737375 2d", false },
	{ 257, "00 05 697373", false },
	{ 258, "00", true },
	{ 259, "00000000 00000001 02 00", true },
	{ 259, "00000000 00000001 02", false },
	{ 260, "0a 00", true },
	{ 260, "0a 80", true },
	{ 260, "0a 81 c0000201", true },
	{ 260, "0a 01 c0000201 00", false },
	{ 260, "0a 02 c0000201", false },
	{ 260, "0a 03 016100", true },
	{ 260, "0a 03 c00c", false },
	{ 260, "0a", false },
	{ 261, "00", true },
	{ 262, "00", true },
	{ 263, "00", true },
	{ 264, "0000000000000001", true },
	{ 264, "00000000000001", false },
	{ 32768, "0001 08 02 aa", true },
	{ 32769, "0001 08 02 aa", true },
	{ 65280, "", true },
	{ 65280, "c00c", true },
};

START_TEST(rdata_has_exactly_the_form_of_its_type)
{
	for (size_t i = 0; i < array_len(samples); i++) {
		uint8_t p[SAMPLE_MAX];
		size_t n = from_hex(p, samples[i].hex);
		ck_assert_msg(check(samples[i].type, p, n) == samples[i].is_good, "type %u: %s",
			samples[i].type, samples[i].hex);
	}
}
END_TEST

/* Fields that take whatever is left, so that one byte more is no error. */
static bool is_open_ended(const struct rrtype *row)
{
	static const uint8_t open[] = { FIELD_BASE64, FIELD_BASE64_MAYBE, FIELD_BASE64_DASH,
		FIELD_HEX, FIELD_TEXT_REST, FIELD_NSAP, FIELD_ATMA, FIELD_OPAQUE, FIELD_WKS,
		FIELD_TYPES_NXT };
	unsigned last = 0;
	while (row->fields[last + 1] != FIELD_END)
		last++;
	return memchr(open, row->fields[last], sizeof open) != NULL;
}

START_TEST(every_type_has_a_good_sample_and_none_that_is_cut_or_grown_passes_wrongly)
{
	for (unsigned type = 1; type <= UINT16_MAX; type++) {
		const struct rrtype *row = rrtype_find((uint16_t)type);
		if (!row || row->flags & RRTYPE_META)
			continue;
		size_t good = 0;
		for (size_t i = 0; i < array_len(samples); i++) {
			if (samples[i].type != type || !samples[i].is_good)
				continue;
			uint8_t p[SAMPLE_MAX + 1] = { 0 };
			size_t n = from_hex(p, samples[i].hex);
			good++;
			for (size_t cut = 0; cut < n; cut++)
				(void)check((uint16_t)type, p, cut);
			p[n] = 0xc0; /* never a name, a string, a bitmap or a parameter */
			bool is_v1_loc = type == 29 && p[0] != 0;
			ck_assert_msg(check((uint16_t)type, p, n + 1) ==
					      (is_open_ended(row) || is_v1_loc),
				"%s %s and a byte", row->name, samples[i].hex);
		}
		ck_assert_msg(good > 0, "%s has no sample", row->name);
	}
}
END_TEST

START_TEST(short_rdata_of_every_type_does_no_harm)
{
	for (unsigned type = 0; type <= UINT16_MAX; type += type < 300 ? 1 : 7)
		for (unsigned fill = 0; fill < 256; fill += 5)
			for (size_t n = 0; n < 24; n++) {
				uint8_t p[24];
				memset(p, (int)fill, sizeof p);
				/* An assertion each would take longer than all the rest. */
				if (check((uint16_t)type, p, n) &&
					rdata_compare((uint16_t)type, p, n, p, n) != 0)
					ck_abort_msg("type %u, %zu bytes of %u", type, n, fill);
			}
}
END_TEST

START_TEST(a_name_in_rdata_is_unpacked_where_its_type_allows_it)
{
	/* "a.b." at 12, then RDATA at 17 */
	uint8_t msg[64] = { [12] = 1, 'a', 1, 'b', 0, 0, 10, 1, 'x', 0xc0, 14 }, out[64];
	unsigned steps = 10;
	ck_assert_int_eq(rdata_read(TYPE_MX, msg, 23, 17, 6, out, sizeof out, &steps), 7);
	ck_assert_mem_eq(out, "\0\12\1x\1b", 7);
	ck_assert_uint_eq(steps, 9);
	/* AFSDB may, LP (RFC 6742) may not */
	ck_assert_int_eq(rdata_read(18, msg, 23, 17, 6, out, sizeof out, &steps), 7);
	ck_assert_int_lt(rdata_read(107, msg, 23, 17, 6, out, sizeof out, &steps), 0);
	/* what is too large for out, ends in the name, or goes on behind it */
	ck_assert_int_lt(rdata_read(TYPE_MX, msg, 23, 17, 6, out, 6, &steps), 0);
	ck_assert_int_lt(rdata_read(TYPE_MX, msg, 23, 17, 5, out, sizeof out, &steps), 0);
	ck_assert_int_lt(rdata_read(TYPE_MX, msg, 24, 17, 7, out, sizeof out, &steps), 0);
	ck_assert_int_lt(rdata_read(TYPE_MX, msg, 23, 17, 7, out, sizeof out, &steps), 0);
	ck_assert_int_lt(rdata_read(TYPE_MX, msg, 23, 24, 0, out, sizeof out, &steps), 0);
	steps = 0;
	ck_assert_int_lt(rdata_read(TYPE_MX, msg, 23, 17, 6, out, sizeof out, &steps), 0);
}
END_TEST

START_TEST(rdata_without_names_is_copied_when_it_is_good)
{
	uint8_t msg[16] = { [12] = 192, 0, 2, 1 }, out[4];
	unsigned steps = 0;
	ck_assert_int_eq(rdata_read(TYPE_A, msg, 16, 12, 4, out, 4, &steps), 4);
	ck_assert_mem_eq(out, msg + 12, 4);
	ck_assert_int_lt(rdata_read(TYPE_A, msg, 16, 12, 3, out, 4, &steps), 0);
	ck_assert_int_lt(rdata_read(TYPE_A, msg, 16, 13, 4, out, 4, &steps), 0);
	ck_assert_int_lt(rdata_read(TYPE_A, msg, 16, 12, 4, out, 3, &steps), 0);
	ck_assert_int_eq(rdata_read(65280, msg, 16, 12, 0, out, 4, &steps), 0);
}
END_TEST

static int order(uint16_t type, const char *a, const char *b)
{
	uint8_t a_bytes[SAMPLE_MAX], b_bytes[SAMPLE_MAX];
	size_t an = from_hex(a_bytes, a), bn = from_hex(b_bytes, b);
	int d = rdata_compare(type, a_bytes, an, b_bytes, bn);
	ck_assert_int_eq(d > 0, rdata_compare(type, b_bytes, bn, a_bytes, an) < 0);
	return d;
}

START_TEST(canonical_order_lowers_the_names_of_the_old_types_only)
{
	ck_assert_int_eq(order(TYPE_NS, "014100", "016100"), 0);
	ck_assert_int_lt(order(TYPE_NS, "014100", "016200"), 0);
	ck_assert_int_eq(order(TYPE_MX, "000a 014100", "000a 016100"), 0);
	ck_assert_int_ne(order(TYPE_MX, "0041 014100", "0061 014100"), 0);
	ck_assert_int_eq(
		order(TYPE_NAPTR, "00010002 0141 00 00 014200", "00010002 0141 00 00 016200"),
		0);
	ck_assert_int_ne(
		order(TYPE_NAPTR, "00010002 0141 00 00 014200", "00010002 0161 00 00 014200"),
		0);
	ck_assert_int_eq(order(14, "014100 014200", "016100 016200"), 0);
	ck_assert_int_eq(order(38, "78 41 014100", "78 41 016100"), 0);
	ck_assert_int_ne(order(38, "78 41 014100", "78 61 014100"), 0);
	ck_assert_int_ne(order(TYPE_NSEC, "014100", "016100"), 0);
	ck_assert_int_ne(order(TYPE_SVCB, "0001 014100", "0001 016100"), 0);
	ck_assert_int_ne(order(TYPE_TXT, "0141", "0161"), 0);
	ck_assert_int_lt(order(TYPE_TXT, "0141", "0141 00"), 0);
	ck_assert_int_lt(order(TYPE_A, "01000000", "c0000000"), 0);
	ck_assert_int_eq(order(10, "", ""), 0);
}
END_TEST

static int target(uint16_t type, const char *hex)
{
	uint8_t p[SAMPLE_MAX];
	size_t n = from_hex(p, hex);
	return rdata_target(type, p, n);
}

START_TEST(additional_data_is_looked_for_at_the_name_in_rdata)
{
	ck_assert_int_eq(target(TYPE_NS, "016100"), 0);
	ck_assert_int_eq(target(TYPE_MX, "000a 016100"), 2);
	ck_assert_int_eq(target(TYPE_SRV, "000000000050 016100"), 6);
	ck_assert_int_eq(target(TYPE_HTTPS, "0001 016100 0003000201bb"), 2);
	ck_assert_int_eq(target(36, "000a 016100"), 2);
	ck_assert_int_eq(target(TYPE_CNAME, "016100"), -1);
	ck_assert_int_eq(target(TYPE_A, "c0000201"), -1);
	ck_assert_int_eq(target(TYPE_MX, "0000 00"), -1);
	ck_assert_int_eq(target(TYPE_MX, "00"), -1);
	ck_assert_int_eq(target(65280, "016100"), -1);
}
END_TEST

START_TEST(a_bitmap_has_its_types_and_no_others)
{
	static const uint8_t bitmap[] = { 0, 2, 0x40, 0x01, 1, 1, 0x40 }; /* A MX CAA */
	for (unsigned type = 0; type <= UINT16_MAX; type++)
		ck_assert_msg(rdata_bitmap_has(bitmap, sizeof bitmap, (uint16_t)type) ==
				      (type == TYPE_A || type == TYPE_MX || type == 257),
			"%u", type);
	ck_assert(!rdata_bitmap_has(bitmap, 0, TYPE_A));
	ck_assert(!rdata_bitmap_has(bitmap, 2, TYPE_A));
	ck_assert(!rdata_bitmap_has(bitmap, 3, TYPE_MX));
}
END_TEST

UNIT_MAIN("wire/rdata", rdata_has_exactly_the_form_of_its_type,
	every_type_has_a_good_sample_and_none_that_is_cut_or_grown_passes_wrongly,
	short_rdata_of_every_type_does_no_harm,
	a_name_in_rdata_is_unpacked_where_its_type_allows_it,
	rdata_without_names_is_copied_when_it_is_good,
	canonical_order_lowers_the_names_of_the_old_types_only,
	additional_data_is_looked_for_at_the_name_in_rdata,
	a_bitmap_has_its_types_and_no_others)

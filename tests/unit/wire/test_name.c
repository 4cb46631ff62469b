/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/name.h"
#include "unit/unit.h"

#include <string.h>

static const uint8_t origin[] = "\7example\4test";

static const char *round_trip(const char *text)
{
	static char out[NAME_TEXT_MAX];
	struct name name;
	struct err err;
	if (name_from_text(&name, text, strlen(text), origin, &err))
		return "refused";
	ck_assert_uint_eq(name.len, name_len(name.bytes));
	ck_assert_uint_eq(name.len, name_check(name.bytes, name.len));
	name_print(out, name.bytes);
	return out;
}

START_TEST(text_becomes_a_name_and_text_again)
{
	ck_assert_str_eq(round_trip("www"), "www.example.test.");
	ck_assert_str_eq(round_trip("@"), "example.test.");
	ck_assert_str_eq(round_trip("."), ".");
	ck_assert_str_eq(round_trip("a.b."), "a.b.");
	ck_assert_str_eq(round_trip("a\\.b."), "a\\.b.");
	ck_assert_str_eq(round_trip("a\\000\\255."), "a\\000\\255.");
	ck_assert_str_eq(round_trip("\\097."), "a.");
	ck_assert_str_eq(round_trip("\\@."), "\\@.");
	ck_assert_str_eq(round_trip("a..b"), "refused");
	ck_assert_str_eq(round_trip(".a"), "refused");
	ck_assert_str_eq(round_trip("a\\256"), "refused");
	ck_assert_str_eq(round_trip("a\\25"), "refused");
	ck_assert_str_eq(round_trip("a\\"), "refused");
	ck_assert_str_eq(round_trip(""), "refused");
}
END_TEST

START_TEST(lengths_of_63_and_255_pass_and_64_and_256_do_not)
{
	char text[300];
	memset(text, 'a', sizeof text);
	text[63] = '.', text[64] = 0;
	ck_assert_str_ne(round_trip(text), "refused");
	text[63] = 'a', text[64] = '.', text[65] = 0;
	ck_assert_str_eq(round_trip(text), "refused");
	memset(text, 'a', sizeof text);
	text[63] = text[127] = text[191] = '.';
	text[253] = '.', text[254] = 0; /* 64 + 64 + 64 + 62 + 1 = 255 on the wire */
	ck_assert_str_ne(round_trip(text), "refused");
	text[253] = 'a', text[254] = '.', text[255] = 0;
	ck_assert_str_eq(round_trip(text), "refused");
}
END_TEST

START_TEST(canonical_order_is_that_of_rfc_4034)
{
	static const char *const order[] = { "example.", "a.example.", "yljkjljk.a.example.",
		"Z.a.example.", "zABC.a.EXAMPLE.", "z.example.", "\\001.z.example.",
		"*.z.example.", "\\200.z.example." };
	struct name names[array_len(order)];
	for (size_t i = 0; i < array_len(order); i++)
		ck_assert_int_eq(
			name_from_text(&names[i], order[i], strlen(order[i]), NULL, NULL), 0);
	for (size_t i = 0; i < array_len(order); i++)
		for (size_t j = 0; j < array_len(order); j++) {
			int c = name_compare(names[i].bytes, names[j].bytes);
			ck_assert_int_eq((c > 0) - (c < 0), (i > j) - (i < j));
		}
}
END_TEST

START_TEST(pointers_go_strictly_backwards_and_cost_a_step)
{
	uint8_t msg[64] = { 0 };
	struct name name;
	size_t end = 0;
	unsigned steps = 3;
	memcpy(msg + 12, "\1a\0", 3);
	memcpy(msg + 20, "\1b\xc0\x0c", 4);
	ck_assert_int_eq(name_read(&name, msg, sizeof msg, 20, &end, &steps), 0);
	ck_assert_uint_eq(end, 24);
	ck_assert_uint_eq(steps, 2);
	ck_assert_mem_eq(name.bytes, "\1b\1a\0", 5);
	memcpy(msg + 30, "\xc0\x1e", 2); /* itself */
	ck_assert_int_lt(name_read(&name, msg, sizeof msg, 30, &end, &steps), 0);
	memcpy(msg + 30, "\xc0\x20", 2); /* forwards */
	ck_assert_int_lt(name_read(&name, msg, sizeof msg, 30, &end, &steps), 0);
	memcpy(msg + 30, "\xc0\x04", 2); /* into the header */
	ck_assert_int_lt(name_read(&name, msg, sizeof msg, 30, &end, &steps), 0);
	memcpy(msg + 30, "\1x\xc0\x1e", 4); /* a label before it, then back to that label */
	ck_assert_int_lt(name_read(&name, msg, sizeof msg, 30, &end, &steps), 0);
	steps = 0;
	ck_assert_int_lt(name_read(&name, msg, sizeof msg, 20, &end, &steps), 0);
	ck_assert_int_lt(name_read(&name, msg, 23, 20, &end, &steps), 0);
}
END_TEST

START_TEST(names_are_compared_as_counted_bytes)
{
	ck_assert(name_is_equal((const uint8_t *)"\2Ww\0", (const uint8_t *)"\2wW\0"));
	ck_assert(!name_is_equal((const uint8_t *)"\3w\0w\0", (const uint8_t *)"\3w\0x\0"));
	ck_assert(name_is_at_or_below((const uint8_t *)"\1a\1B\0", (const uint8_t *)"\1b\0"));
	ck_assert(!name_is_at_or_below((const uint8_t *)"\2ab\0", (const uint8_t *)"\1b\0"));
	ck_assert(name_is_at_or_below((const uint8_t *)"\2ab\0", (const uint8_t *)"\0"));
}
END_TEST

UNIT_MAIN("wire/name", text_becomes_a_name_and_text_again,
	lengths_of_63_and_255_pass_and_64_and_256_do_not, canonical_order_is_that_of_rfc_4034,
	pointers_go_strictly_backwards_and_cost_a_step, names_are_compared_as_counted_bytes)

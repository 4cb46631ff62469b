/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/generate.h"
#include "unit/unit.h"

#include <string.h>

static struct err err;

static void expect(const char *template, uint32_t value, const char *text)
{
	char out[GENERATE_TEXT_MAX];
	int n = generate_print(out, template, strlen(template), value, &err);
	if (!text) {
		ck_assert_int_lt(n, 0);
		return;
	}
	ck_assert_int_eq(n, (int)strlen(text));
	ck_assert_mem_eq(out, text, strlen(text));
}

START_TEST(a_dollar_is_the_counter_and_a_protected_one_stays)
{
	expect("h$", 7, "h7");
	expect("$.$", 10, "10.10");
	expect("a\\$b", 7, "a\\$b");
	expect("a$$b", 7, "a$b");
	expect("plain", 7, "plain");
}
END_TEST

START_TEST(offset_width_and_base_shape_the_number)
{
	expect("${0}", 9, "9");
	expect("${-3}", 9, "6");
	expect("${+3,4}", 9, "0012");
	expect("${0,4,x}", 171, "00ab");
	expect("${0,0,X}", 171, "AB");
	expect("${1,3,o}", 7, "010");
	expect("${0,0,d}x", 12, "12x");
}
END_TEST

START_TEST(nibbles_come_in_reverse_with_dots_counted_in_the_width)
{
	expect("${0,0,n}", 0xab, "b.a");
	expect("${0,3,n}", 0xab, "b.a");
	expect("${0,7,n}.x", 0xab, "b.a.0.0.x");
	expect("${0,8,N}x", 0xab, "B.A.0.0.x");
	expect("${0,1,n}", 0, "0");
}
END_TEST

START_TEST(a_bad_form_or_a_number_out_of_range_is_refused)
{
	expect("${", 1, NULL);
	expect("${}", 1, NULL);
	expect("${1", 1, NULL);
	expect("${1,2,q}", 1, NULL);
	expect("${1,999}", 1, NULL);
	expect("${1,2,d,}", 1, NULL);
	expect("${-2}", 1, NULL);
	expect("${2147483647}", 1, NULL);
	expect("${99999999999}", 1, NULL);
}
END_TEST

START_TEST(a_text_that_grows_beyond_its_limit_is_refused)
{
	char out[GENERATE_TEXT_MAX], template[2000];
	for (size_t i = 0; i < sizeof template; i++)
		template[i] = '$';
	for (size_t i = 1; i < sizeof template; i += 2)
		template[i] = '.';
	ck_assert_int_eq(generate_print(out, template, sizeof template, 1, &err), 2000);
	ck_assert_int_lt(generate_print(out, template, sizeof template, 1000000, &err), 0);
}
END_TEST

START_TEST(ranges_are_start_stop_and_step)
{
	struct generate r;
	ck_assert_int_eq(generate_read_range(&r, "1-10", 4, &err), 0);
	ck_assert(r.start == 1 && r.stop == 10 && r.step == 1);
	ck_assert_int_eq(generate_read_range(&r, "0-65535", 7, &err), 0);
	ck_assert_int_eq(generate_read_range(&r, "0-131070/2", 10, &err), 0);
	ck_assert_uint_eq(r.step, 2);
	static const char *const bad[] = { "", "1", "1-", "-1", "1-2-3", "2-1", "1-2/0", "1-2/",
		"1-2/x", "0-65536", "0-99999999999", "a-b", "1-2147483648" };
	for (size_t i = 0; i < array_len(bad); i++)
		ck_assert_msg(generate_read_range(&r, bad[i], strlen(bad[i]), &err) < 0, "%s",
			bad[i]);
}
END_TEST

UNIT_MAIN("text/generate", a_dollar_is_the_counter_and_a_protected_one_stays,
	offset_width_and_base_shape_the_number,
	nibbles_come_in_reverse_with_dots_counted_in_the_width,
	a_bad_form_or_a_number_out_of_range_is_refused,
	a_text_that_grows_beyond_its_limit_is_refused, ranges_are_start_stop_and_step)

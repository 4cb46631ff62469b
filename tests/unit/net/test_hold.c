/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/hold.h"
#include "unit/unit.h"

#include <errno.h>
#include <string.h>

static uint8_t pattern[100000];

START_TEST(bytes_come_out_as_they_went_in)
{
	struct holds holds;
	struct hold *hold = NULL;
	size_t in = 0, out = 0;
	holds_init(&holds, 1 << 20);
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 >> 3);
	for (size_t step = 1; in < 60000; step = step * 7 % 1009) {
		ck_assert_int_eq(hold_put(&holds, &hold, &holds, pattern + in, step), 0);
		in += step;
		size_t take = hold_len(hold) < step / 2 ? hold_len(hold) : step / 2;
		ck_assert_mem_eq(hold->bytes + hold->at, pattern + out, hold_len(hold));
		hold_skip(&holds, &hold, take);
		out += take;
		ck_assert_uint_eq(hold_len(hold), in - out);
	}
	ck_assert_uint_gt(holds.bytes, in - out);
	hold_skip(&holds, &hold, hold_len(hold));
	ck_assert_ptr_null(hold);
	ck_assert_uint_eq(holds.bytes, 0);
}
END_TEST

START_TEST(the_limit_is_never_passed_and_a_refusal_changes_nothing)
{
	struct holds holds;
	struct hold *a = NULL, *b = NULL;
	holds_init(&holds, 10000);
	ck_assert_int_eq(hold_put(&holds, &a, &a, pattern, 100), 0);
	ck_assert_int_eq(hold_put(&holds, &b, &b, pattern, 10000), -ENOBUFS);
	ck_assert_ptr_null(b);
	ck_assert_int_eq(hold_put(&holds, &a, &a, pattern, 10000), -ENOBUFS);
	ck_assert_uint_eq(hold_len(a), 100);
	for (int i = 0; i < 100; i++) {
		int e = hold_put(&holds, &b, &b, pattern, 300);
		ck_assert(e == 0 || e == -ENOBUFS);
		ck_assert_uint_le(holds.bytes, 10000);
	}
	ck_assert_uint_gt(hold_len(b), 4000);
	hold_free(&holds, &a);
	hold_free(&holds, &b);
	ck_assert_uint_eq(holds.bytes, 0);
	ck_assert_ptr_null(holds_largest(&holds));
}
END_TEST

START_TEST(the_largest_holder_is_known)
{
	struct holds holds;
	struct hold *holds_of[3] = { NULL, NULL, NULL };
	holds_init(&holds, 1 << 20);
	ck_assert_int_eq(hold_put(&holds, &holds_of[0], &holds_of[0], pattern, 10), 0);
	ck_assert_int_eq(hold_put(&holds, &holds_of[1], &holds_of[1], pattern, 50000), 0);
	ck_assert_int_eq(hold_put(&holds, &holds_of[2], &holds_of[2], pattern, 5000), 0);
	ck_assert_ptr_eq(holds_largest(&holds), &holds_of[1]);
	hold_free(&holds, &holds_of[1]);
	ck_assert_ptr_eq(holds_largest(&holds), &holds_of[2]);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(
			hold_put(&holds, &holds_of[0], &holds_of[0], pattern, 9000), 0);
	ck_assert_ptr_eq(holds_largest(&holds), &holds_of[0]);
	hold_free(&holds, &holds_of[0]);
	hold_free(&holds, &holds_of[2]);
}
END_TEST

UNIT_MAIN("net/hold", bytes_come_out_as_they_went_in,
	the_limit_is_never_passed_and_a_refusal_changes_nothing, the_largest_holder_is_known)

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/near.h"
#include "unit/unit.h"

START_TEST(a_swap_of_neighbours_is_one_edit)
{
	ck_assert_uint_eq(near_distance("lisetn", "listen"), 1);
	ck_assert_uint_eq(near_distance("listen", "listen"), 0);
	ck_assert_uint_eq(near_distance("", "abc"), 3);
	ck_assert_uint_eq(near_distance("Zone", "zones"), 1);
}
END_TEST

START_TEST(the_nearest_word_is_suggested_and_a_far_one_is_not)
{
	static const char *const words[] = { "listen", "workers", "control" };
	ck_assert_str_eq(near_find("worker", words, 3), "workers");
	ck_assert_ptr_null(near_find("banana", words, 3));
	ck_assert_ptr_null(near_find("", words, 3));
}
END_TEST

UNIT_MAIN("base/near", a_swap_of_neighbours_is_one_edit,
	the_nearest_word_is_suggested_and_a_far_one_is_not)

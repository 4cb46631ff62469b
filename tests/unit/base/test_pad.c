/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pad.h"
#include "unit/unit.h"

#include <string.h>

START_TEST(pieces_are_aligned_apart_and_counted)
{
	struct pad_store store = { 0 };
	struct pad pad;
	pad_init(&pad, 64 * 1024, &store);
	uint8_t *last = NULL;
	for (unsigned i = 1; i < 100; i++) {
		uint8_t *p = pad_new(&pad, i);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % 8, 0);
		memset(p, (int)i, i);
		if (last)
			ck_assert_uint_eq(last[0], i - 1);
		last = p;
	}
	ck_assert_uint_ge(pad.taken, 99 * 100 / 2);
	ck_assert_uint_eq(store.bytes, pad.taken);
	pad_clear(&pad);
	ck_assert_uint_eq(store.bytes, 0);
	ck_assert_uint_eq(pad.taken, 0);
	pad_store_fini(&store);
}
END_TEST

START_TEST(nothing_is_given_beyond_the_limit)
{
	struct pad pad;
	pad_init(&pad, 10000, NULL);
	ck_assert_ptr_null(pad_new(&pad, 10001));
	ck_assert_ptr_null(pad_new(&pad, SIZE_MAX));
	ck_assert_ptr_nonnull(pad_new(&pad, 6000));
	ck_assert_ptr_null(pad_new(&pad, 6000));
	/* what is left can still be had, though less than a chunk */
	ck_assert_ptr_nonnull(pad_new(&pad, 3000));
	ck_assert_uint_le(pad.taken, 10000);
	pad_clear(&pad);
	ck_assert_ptr_nonnull(pad_copy(&pad, "abc", 3));
	pad_clear(&pad);
}
END_TEST

START_TEST(pads_of_a_store_share_what_none_of_them_uses)
{
	struct pad_store store = { 0 };
	static struct pad pad[2 * PAD_SPARES];
	for (unsigned turn = 0; turn < 3; turn++) {
		for (size_t i = 0; i < array_len(pad); i++) {
			pad_init(&pad[i], 64 * 1024, &store);
			uint8_t *p = pad_new(&pad[i], 100);
			ck_assert_ptr_nonnull(p);
			memset(p, (int)i, 100);
			ck_assert_ptr_nonnull(pad_new(&pad[i], 3 * PAD_CHUNK));
			ck_assert_ptr_nonnull(pad_new(&pad[i], 2000));
		}
		ck_assert_uint_ge(store.bytes, array_len(pad) * 4 * PAD_CHUNK);
		for (size_t i = 0; i < array_len(pad); i++)
			pad_clear(&pad[i]);
		ck_assert_uint_eq(store.bytes, 0);
		ck_assert_uint_le(store.spares, PAD_SPARES);
	}
	pad_store_fini(&store);
	ck_assert_ptr_null(store.spare);
}
END_TEST

UNIT_MAIN("base/pad", pieces_are_aligned_apart_and_counted, nothing_is_given_beyond_the_limit,
	pads_of_a_store_share_what_none_of_them_uses)

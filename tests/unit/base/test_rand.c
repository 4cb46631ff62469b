/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rand.h"
#include "unit/unit.h"

#include <pthread.h>
#include <string.h>

enum {
	N = 4096
};

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void *draw_all(void *out)
{
	uint64_t *number = out;
	for (size_t i = 0; i < N; i++)
		rand_fill(&number[i], sizeof number[i]);
	return NULL;
}

START_TEST(no_bytes_are_given_out_twice_not_even_to_other_threads)
{
	static uint64_t number[2 * N];
	pthread_t other;
	ck_assert_int_eq(pthread_create(&other, NULL, draw_all, number + N), 0);
	draw_all(number);
	ck_assert_int_eq(pthread_join(other, NULL), 0);
	qsort(number, 2 * N, sizeof number[0], compare);
	for (size_t i = 1; i < 2 * N; i++)
		ck_assert(number[i] != number[i - 1]);
}
END_TEST

/* Every bit of a number is set about half of the time: 6 sigma of 4,096 draws. */
START_TEST(every_bit_is_set_as_often_as_not)
{
	unsigned set[16] = { 0 };
	for (unsigned i = 0; i < N; i++) {
		uint16_t x = rand_u16();
		for (unsigned bit = 0; bit < 16; bit++)
			set[bit] += x >> bit & 1;
	}
	for (unsigned bit = 0; bit < 16; bit++)
		ck_assert(set[bit] > N / 2 - 192 && set[bit] < N / 2 + 192);
}
END_TEST

START_TEST(exactly_what_was_asked_for_is_filled)
{
	uint8_t bytes[1024];
	for (size_t n = 0; n <= 700; n++) {
		memset(bytes, 0, sizeof bytes);
		rand_fill(bytes, n);
		for (size_t i = n; i < sizeof bytes; i++)
			ck_assert_uint_eq(bytes[i], 0);
		size_t zeros = 0;
		for (size_t i = 0; i < n; i++)
			zeros += bytes[i] == 0;
		ck_assert(n < 32 || zeros < n / 2);
	}
}
END_TEST

START_TEST(below_a_bound_every_number_comes)
{
	unsigned seen[7] = { 0 };
	for (unsigned i = 0; i < 7000; i++)
		seen[rand_below(7)]++;
	for (unsigned i = 0; i < 7; i++)
		ck_assert(seen[i] > 800 && seen[i] < 1200);
	ck_assert_uint_eq(rand_below(1), 0);
}
END_TEST

UNIT_MAIN("base/rand", no_bytes_are_given_out_twice_not_even_to_other_threads,
	every_bit_is_set_as_often_as_not, exactly_what_was_asked_for_is_filled,
	below_a_bound_every_number_comes)

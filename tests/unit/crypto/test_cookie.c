/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/cookie.h"
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

static size_t from_hex(uint8_t *out, const char *hex)
{
	size_t n = 0;
	unsigned x;
	for (; sscanf(hex, "%2x", &x) == 1; hex += 2)
		out[n++] = (uint8_t)x;
	return n;
}

static struct hash_key key_of(const char *hex)
{
	struct hash_key key;
	uint8_t bytes[16];
	ck_assert_uint_eq(from_hex(bytes, hex), 16);
	memcpy(&key.k0, bytes, 8);
	memcpy(&key.k1, bytes + 8, 8);
	return key;
}

static const uint8_t address[4] = { 198, 51, 100, 100 };

/* RFC 9018, appendix A.1 and A.2. */
START_TEST(cookies_are_those_of_the_rfc)
{
	struct hash_key key = key_of("e5e973e5a6b2a43f48e7dc849e37bfcf");
	uint8_t in[40], out[COOKIE_LEN], want[COOKIE_LEN];
	size_t n = from_hex(in, "2464c4abcf10c957");
	ck_assert_int_eq(
		cookie_answer(&key, address, 4, 1559731985, in, n, out), COOKIE_CLIENT);
	from_hex(want, "2464c4abcf10c957010000005cf79f111f8130c3eee29480");
	ck_assert_mem_eq(out, want, COOKIE_LEN);
	memcpy(in, out, COOKIE_LEN);
	ck_assert_int_eq(
		cookie_answer(&key, address, 4, 1559734385, in, COOKIE_LEN, out), COOKIE_GOOD);
	from_hex(want, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
	ck_assert_mem_eq(out, want, COOKIE_LEN);
}
END_TEST

START_TEST(a_cookie_is_good_for_its_client_its_secret_and_an_hour)
{
	struct hash_key key = key_of("e5e973e5a6b2a43f48e7dc849e37bfcf"), other = key;
	const uint8_t elsewhere[4] = { 198, 51, 100, 101 };
	uint8_t made[COOKIE_LEN], out[COOKIE_LEN];
	const uint32_t now = 4294967290u; /* the clock's 32 bits end meanwhile */
	other.k1++;
	cookie_answer(&key, address, 4, now, (const uint8_t *)"abcdefgh", 8, made);
	static const struct {
		int64_t age;
		bool is_good, is_kept;
	} rows[] = { { 0, true, true }, { 1799, true, true }, { 1800, true, false },
		{ 3600, true, false }, { 3601, false, false }, { -300, true, true },
		{ -301, false, false } };
	for (size_t i = 0; i < array_len(rows); i++) {
		enum cookie worth = cookie_answer(
			&key, address, 4, (uint64_t)(now + rows[i].age), made, COOKIE_LEN, out);
		ck_assert_msg((worth == COOKIE_GOOD) == rows[i].is_good, "row %zu", i);
		ck_assert_msg(
			(memcmp(out, made, COOKIE_LEN) == 0) == rows[i].is_kept, "row %zu", i);
	}
	ck_assert_int_eq(
		cookie_answer(&other, address, 4, now, made, COOKIE_LEN, out), COOKIE_CLIENT);
	ck_assert_int_eq(
		cookie_answer(&key, elsewhere, 4, now, made, COOKIE_LEN, out), COOKIE_CLIENT);
	for (unsigned i = 0; i < COOKIE_LEN; i++) {
		made[i] ^= 1;
		ck_assert_int_eq(cookie_answer(&key, address, 4, now, made, COOKIE_LEN, out),
			COOKIE_CLIENT);
		made[i] ^= 1;
	}
}
END_TEST

UNIT_MAIN("crypto/cookie", cookies_are_those_of_the_rfc,
	a_cookie_is_good_for_its_client_its_secret_and_an_hour)

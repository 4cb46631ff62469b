/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/cookie.h"

#include "base/bytes.h"

enum {
	CLIENT_LEN = 8,
	SIGNED_LEN = 16, /* client cookie, version, reserved, time */
	VERSION = 1,
	RENEW_S = 1800,
	MAX_AGE_S = 3600,
	MAX_AHEAD_S = 300,
};

static uint64_t sign(
	const struct hash_key *secret, const uint8_t *cookie, const uint8_t *address, size_t n)
{
	uint8_t input[SIGNED_LEN + 16];
	memcpy(input, cookie, SIGNED_LEN);
	memcpy(input + SIGNED_LEN, address, n);
	return hash_sip(secret, input, SIGNED_LEN + n, 2, 4);
}

enum cookie cookie_answer(const struct hash_key *secret, const uint8_t *address,
	size_t address_len, uint64_t now_s, const uint8_t *option, size_t n, uint8_t *out)
{
	must(address_len <= 16);
	enum cookie worth = COOKIE_CLIENT;
	if (n == COOKIE_LEN && option[CLIENT_LEN] == VERSION) {
		uint64_t hash = sign(secret, option, address, address_len);
		uint8_t diff = 0; /* every byte is looked at: the time taken tells nothing */
		for (unsigned i = 0; i < 8; i++)
			diff |= (uint8_t)(option[SIGNED_LEN + i] ^ (uint8_t)(hash >> 8 * i));
		/* Serial arithmetic: right past 2106. */
		int32_t age = (int32_t)((uint32_t)now_s - get_u32(option + 12));
		if (diff == 0 && age <= MAX_AGE_S && age >= -MAX_AHEAD_S)
			worth = COOKIE_GOOD;
		if (worth == COOKIE_GOOD && age < RENEW_S) {
			memcpy(out, option, COOKIE_LEN);
			return worth;
		}
	}
	memcpy(out, option, CLIENT_LEN);
	out[CLIENT_LEN] = VERSION;
	memset(out + CLIENT_LEN + 1, 0, 3);
	put_u32(out + 12, (uint32_t)now_s);
	uint64_t hash = sign(secret, out, address, address_len);
	for (unsigned i = 0; i < 8; i++)
		out[SIGNED_LEN + i] = (uint8_t)(hash >> 8 * i);
	return worth;
}

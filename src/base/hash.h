/* SPDX-License-Identifier: BSD-2-Clause */
/* hash.h -- SipHash with its rounds as parameter
 *
 * What     1-3 for tables, 2-4 for what leaves the process (cookies).
 * Threads  Pure. The table key is drawn once, before the first thread starts.
 */
#pragma once

#include "base/def.h"

#include <string.h>

struct hash_key {
	uint64_t k0, k1;
};

static inline uint64_t hash_rotate(uint64_t x, unsigned b)
{
	return (x << b) | (x >> (64 - b));
}

static inline void hash_rounds(uint64_t v[4], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		v[0] += v[1];
		v[1] = hash_rotate(v[1], 13) ^ v[0];
		v[0] = hash_rotate(v[0], 32);
		v[2] += v[3];
		v[3] = hash_rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = hash_rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = hash_rotate(v[1], 17) ^ v[2];
		v[2] = hash_rotate(v[2], 32);
	}
}

/* c and d are the rounds per block and at the end; constants at every call, so they unroll. */
static inline uint64_t hash_sip(
	const struct hash_key *key, const void *data, size_t n, unsigned c, unsigned d)
{
	uint64_t v[4] = { key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u };
	const uint8_t *p = data;
	uint64_t last = (uint64_t)n << 56;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t m;
		memcpy(&m, p, 8);
		v[3] ^= m;
		hash_rounds(v, c);
		v[0] ^= m;
	}
	for (size_t i = 0; i < n; i++)
		last |= (uint64_t)p[i] << (8 * i);
	v[3] ^= last;
	hash_rounds(v, c);
	v[0] ^= last;
	v[2] ^= 0xff;
	hash_rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

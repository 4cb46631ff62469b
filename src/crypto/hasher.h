/* SPDX-License-Identifier: BSD-2-Clause */
/* hasher.h -- the hash of NSEC3 names
 *
 * What     SHA-1, salted and iterated (RFC 5155 5), by OpenSSL.
 * Threads  One hasher a thread: it holds the state that would else be allocated a query.
 * Limits   The caller bounds iterations: each costs about 0.2 us.
 */
#pragma once

#include "base/def.h"

enum {
	HASHER_LEN = 20
};

struct hasher;
struct hasher *hasher_new(void);
void hasher_free(struct hasher **hasher);
/* name: lower-case wire form. False when OpenSSL refuses SHA-1 (a policy of the system). */
bool hasher_nsec3(struct hasher *hasher, const uint8_t *name, size_t name_len,
	const uint8_t *salt, size_t salt_len, unsigned iterations,
	uint8_t out[HASHER_LEN]) CHECKED;

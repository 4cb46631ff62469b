/* SPDX-License-Identifier: BSD-2-Clause */
/* cookie.h -- DNS server cookies that every server of a farm could make
 *
 * What     Version 1 of RFC 9018: client cookie, version, reserved, time, SipHash-2-4 of
 *          these and the client's address.
 * Threads  Pure; the secret is drawn once a process.
 * Read     RFC 7873, 9018 4.
 */
#pragma once

#include "base/def.h"
#include "base/hash.h"

enum {
	COOKIE_LEN = 24
}; /* client's 8 and ours 16 */

/* What a query's COOKIE option is worth. */
enum cookie {
	COOKIE_CLIENT, /* no server part, or one that is not ours or too old */
	COOKIE_GOOD,   /* ours, and the client is where it says it is */
};

/* address: 4 or 16 bytes. now_s: wall clock. out[COOKIE_LEN] gets the cookie to answer with:
 * the given one while it is younger than half an hour, else a new one. option: of 8 or 16..40
 * bytes. */
enum cookie cookie_answer(const struct hash_key *secret, const uint8_t *address,
	size_t address_len, uint64_t now_s, const uint8_t *option, size_t n, uint8_t *out);

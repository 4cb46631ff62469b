/* SPDX-License-Identifier: BSD-2-Clause */
/* endpoint.h -- an address and a port as bytes: a key, not a socket's affair */
#pragma once

#include "base/def.h"

#include <string.h>

struct endpoint { /* open; all zero: none */
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;       /* host order */
};

/* Whether the first bits of both are the same; only bytes that have some of them are read. */
static inline bool address_has_prefix(
	const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
	size_t whole = bits / 8, rest = bits % 8;
	if (memcmp(address, prefix, whole) != 0)
		return false;
	return !rest || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

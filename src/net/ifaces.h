/* SPDX-License-Identifier: BSD-2-Clause */
/* ifaces.h -- the addresses this host has now, with their prefixes
 *
 * Threads  Any.
 * Limits   IFACES_MAX addresses; what is beyond is left out.
 * Read     RFC 1918, 3927, 4193, 6598.
 */
#pragma once

#include "net/addr.h"

enum {
	IFACES_MAX = 256
};

struct iface_prefix { /* open */
	struct addr addr;
	struct endpoint prefix; /* what lies behind the first bits is zero */
	uint8_t bits;           /* of the 128; an IPv4 /8 has 104 */
	bool is_loopback;
	bool is_private; /* private, shared or link-local space */
};

/* Into out[size]; returns how many. Interfaces that are down have none. */
size_t ifaces_list(struct iface_prefix *out, size_t size);

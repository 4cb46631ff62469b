/* SPDX-License-Identifier: BSD-2-Clause */
/* access.h -- who may ask for what we do not serve ourselves
 *
 * What     Prefixes that may and prefixes that may not; the latter win, whatever their order.
 *          Nobody may by default: a resolver is never open by accident.
 * Threads  Constant data.
 */
#pragma once

#include "net/addr.h"

enum {
	ACCESS_RULES = 256
};

struct access_rule { /* open */
	struct endpoint prefix;
	uint8_t bits; /* of the 128; an IPv4 /8 has 104 */
	bool is_denied;
};

struct access { /* open: plain values, filled by ctl/ */
	size_t n;
	struct access_rule rule[ACCESS_RULES];
};

bool access_may(const struct access *access, const struct addr *peer);

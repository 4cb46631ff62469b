/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/access.h"

#include <string.h>

static bool lies_in(const uint8_t *address, const struct access_rule *rule)
{
	size_t whole = rule->bits / 8, rest = rule->bits % 8;
	if (memcmp(address, rule->prefix.address, whole) != 0)
		return false;
	return !rest || (address[whole] ^ rule->prefix.address[whole]) >> (8 - rest) == 0;
}

bool access_may(const struct access *access, const struct addr *peer)
{
	struct endpoint endpoint = addr_endpoint(peer);
	bool may = false;
	for (size_t i = 0; i < access->n; i++)
		if (lies_in(endpoint.address, &access->rule[i])) {
			if (access->rule[i].is_denied)
				return false;
			may = true;
		}
	return may;
}

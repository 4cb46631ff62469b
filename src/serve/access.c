/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/access.h"

bool access_may(const struct access *access, const struct addr *peer)
{
	struct endpoint endpoint = addr_endpoint(peer);
	bool may = false;
	for (size_t i = 0; i < access->n; i++) {
		const struct access_rule *rule = &access->rule[i];
		if (!address_has_prefix(endpoint.address, rule->prefix.address, rule->bits))
			continue;
		if (rule->is_denied)
			return false;
		may = true;
	}
	return may;
}

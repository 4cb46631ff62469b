/* SPDX-License-Identifier: BSD-2-Clause */
/* derive.h -- what a server of a scenario would say to a question nobody foresaw
 *
 * What     Resolvers differ in what they ask: they prime or not, minimise names or not, look
 *          up addresses of servers or believe glue. A scenario's entries tell what each server
 *          knows: records, delegations, names that are there or not. From that an answer is
 *          made, and SERVFAIL where they say nothing.
 */
#pragma once

#include "scenario/packet.h"

enum {
	KNOWN_MAX = 256
};

struct known { /* open: the entries of one server at one step */
	size_t n;
	const struct rpl_entry *entry[KNOWN_MAX];
};

void known_answer(const struct known *known, const struct asked *asked, struct packet *reply);

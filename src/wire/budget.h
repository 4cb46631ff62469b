/* SPDX-License-Identifier: BSD-2-Clause */
/* budget.h -- what one client's question may cost, in all
 *
 * What     Handed by reference to every link, sub-question, restart and retry. It only ever
 *          decreases; nothing resets it (limits L1, L2, L5, L6, L7).
 * Threads  One worker.
 */
#pragma once

#include "base/def.h"

struct budget {               /* open */
	uint64_t deadline_ms; /* clock_mono_ms() */
	uint32_t bytes;       /* of replies: 256 KiB */
	uint16_t queries;     /* to other servers: 100 */
	uint8_t aliases;      /* to follow: 11 */
	uint8_t no_address;   /* servers' names found to have no address: 5 */
};

enum {
	BUDGET_QUERIES = 100,
	BUDGET_BYTES = 256 * 1024,
	BUDGET_ALIASES = 11,
	BUDGET_NO_ADDRESS = 5,
	BUDGET_MS = 5000,
	BUDGET_DEPTH = 7, /* of sub-questions within sub-questions (L3) */
};

static inline struct budget budget_new(uint64_t now_ms)
{
	return (struct budget){ .deadline_ms = now_ms + BUDGET_MS,
		.bytes = BUDGET_BYTES,
		.queries = BUDGET_QUERIES,
		.aliases = BUDGET_ALIASES,
		.no_address = BUDGET_NO_ADDRESS };
}

/* Takes one query; false: none left or the time is over. */
static inline bool budget_query(struct budget *b, uint64_t now_ms)
{
	if (b->queries == 0 || now_ms >= b->deadline_ms)
		return false;
	b->queries--;
	return true;
}

static inline bool budget_bytes(struct budget *b, size_t n)
{
	if (n > b->bytes) {
		b->bytes = 0;
		return false;
	}
	b->bytes -= (uint32_t)n;
	return true;
}

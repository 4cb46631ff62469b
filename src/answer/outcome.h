/* SPDX-License-Identifier: BSD-2-Clause */
/* outcome.h -- what the chain found out, before it is a message
 *
 * What     Record sets by section, the code, the reason, and where it came from. Links fill it,
 *          the chain keeps it and writes it once; every client that waits gets a copy.
 * Threads  One worker.
 * Memory   Sets lie in the pad of the question they answer.
 */
#pragma once

#include "base/pad.h"
#include "cache/cache.h"
#include "wire/sets.h"

enum {
	OUTCOME_SETS = 64,
	OUTCOME_TEXT = 96
};

struct outcome { /* open: zero, with ede EDE_NONE, to start: outcome_start() */
	unsigned rcode;
	int ede;                     /* enum ede, EDE_NONE */
	char ede_text[OUTCOME_TEXT]; /* "" or a sentence */
	bool is_authentic;           /* AD: all of it was validated */
	bool is_authoritative;       /* AA: local data of ours */
	bool is_stale;
	bool is_uncachable; /* what hosts own is never kept */
	struct cache_from from;
	/* Not NULL: an alias leads here, to a name somebody else is to be asked about. */
	const uint8_t *restart;
	unsigned n;
	const struct rrset *set[OUTCOME_SETS]; /* in order; section: set->section */
};

void outcome_start(struct outcome *o);
/* Puts a set (which must outlive the outcome) at the end. False: no place is left. */
bool outcome_add(struct outcome *o, const struct rrset *set);
/* SERVFAIL with a reason; sets are gone. Returns false, so that a refusal is one line. */
bool outcome_fail(struct outcome *o, int ede, const char *fmt, ...) PRINTF(3, 4);

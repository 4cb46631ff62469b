/* SPDX-License-Identifier: BSD-2-Clause */
/* ask.h -- a question on its way through the chain, as links inside the daemon see it
 *
 * What     What link.h hides from plugins: the pad, the budget, the outcome, the trace.
 * Threads  The worker it was asked on.
 */
#pragma once

#include "answer/outcome.h"
#include "base/list.h"
#include "chain/link.h"
#include "chain/shared.h"
#include "chain/trace.h"
#include "wire/budget.h"

struct chain;

struct link_ask { /* open: to links inside the daemon, down to the line */
	struct link_question question;
	uint64_t hash;       /* key_hash() of the name */
	uint32_t generation; /* of the link being asked, and */
	uint8_t link;        /* its place: both for provenance */
	struct pad pad;
	struct budget budget;
	struct trace trace;
	struct outcome outcome;
	/* ---- the chain's own, see inside.h ---- */
	struct chain *chain;
	struct chain_run *run; /* the links it is asked of */
	unsigned at;           /* the link being asked */
	uint32_t links;        /* those the name is a matter of, a bit each */
	int kept_source; /* the link that told what is kept, once nearer ones passed; -1 */
	uint8_t bits, partition;
	bool is_in_call, is_waiting, has_failed, is_stale_told;
	bool is_jostler;   /* came when half of all places were taken */
	bool is_elsewhere; /* another chain asks the same, and will tell when it is done */
	struct shared_row shared;
	bool is_uncachable; /* a part of the answer is not to be kept */
	unsigned before_n;  /* sets of the names before the last restart */
	const struct rrset *before[OUTCOME_SETS];
	int failed_ede; /* why the last link that failed did */
	char failed_text[OUTCOME_TEXT];
	void *state;        /* the link's */
	uint64_t since_ms;  /* at the link being asked */
	struct list list;   /* of all asks, oldest first */
	struct list jostle; /* of those that may have to make room, oldest first */
	struct list bucket; /* of those with like hashes */
	struct list queue;  /* at the link being asked, those asked first in front */
	struct list stale;  /* of those that would rather tell something old, oldest first */
	struct list waits;  /* of struct chain_wait */
	struct list sends;  /* of what a plugin waits for */
	uint8_t name[NAME_MAX_LEN];
};

/* What a link inside the daemon waited for has come: event() is called, and the chain goes on
 * with its verdict. From the loop only, never from within ask() or event(); the ask may be gone
 * afterwards. */
void ask_event(struct link_ask *ask, const struct link_event *event);

/* Puts the reason into the outcome. Returns LINK_FAIL. */
enum link_verdict ask_fail(struct link_ask *ask, int ede, const char *fmt, ...) PRINTF(3, 4);

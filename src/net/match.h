/* SPDX-License-Identifier: BSD-2-Clause */
/* match.h -- whether a message is the reply to a question of ours
 *
 * What     A response with the id, the one question and its spelling when that matters; when
 *          it does not, a refusal (FORMERR, SERVFAIL, NOTIMP, REFUSED) without a question,
 *          answer and authority will do.
 * Threads  Pure.
 * Read     RFC 5452 9.1.
 */
#pragma once

#include "base/def.h"

/* query[0..query_len-1]: a whole message of ours, of one question. */
bool match_reply(const uint8_t *query, size_t query_len, bool is_case_exact, const uint8_t *msg,
	size_t len) PURE;

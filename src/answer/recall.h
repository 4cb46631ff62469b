/* SPDX-License-Identifier: BSD-2-Clause */
/* recall.h -- a finished reply in the form that is kept, and back
 *
 * What     An outcome is written once, as the message behind its question: names point where
 *          they will in every reply to that question, for a client's spelling has the same
 *          length. Beside it stand the code, the reason, and where the TTLs are, so that a
 *          reply to a client is a copy with a few places patched.
 * Threads  Pure.
 * Memory   The caller's. The bytes are the cache's entry, in this host's order.
 * Limits   A whole message of 65,535 bytes; sets that do not fit are left out at the end and
 *          the reply says it is truncated.
 */
#pragma once

#include "answer/outcome.h"
#include "wire/writer.h"

enum {
	RECALL_MAX = 65535 /* of a kept reply: what the cache takes */
};

struct recall {         /* open: a view of a kept reply */
	uint16_t flags; /* of the header: AA, TC, AD */
	uint16_t rcode;
	int16_t ede; /* enum ede, EDE_NONE */
	uint8_t text_len;
	uint16_t count[SECTIONS];
	uint16_t ttls, body_len;
	const uint8_t *text, *ttl_at, *body; /* ttl_at: 2 bytes each, offsets in body */
};

struct recall_ttl { /* open: bounds in seconds */
	uint32_t min, max, negative_max;
};

/* Writes the outcome of the question (lower-case name, type, class) into out (RECALL_MAX
 * bytes). The TTLs are brought within the bounds; *ttl gets how long the whole may be kept, 0:
 * not at all. Signatures are written when is_dnssec. work: scratch of MESSAGE_MAX_LEN bytes.
 * Returns the length, 0 when it cannot be kept in that form. */
size_t recall_make(uint8_t *out, const struct outcome *outcome, const uint8_t *name,
	uint16_t type, uint16_t class, bool is_dnssec, const struct recall_ttl *bounds,
	struct writer *w, uint8_t *work, uint32_t *ttl);

/* False when the bytes are none of ours. */
bool recall_open(struct recall *r, const uint8_t *bytes, size_t n) CHECKED;

/* Appends the body to a writer that writer_start() has readied for the same question, TTLs less
 * age seconds (0 at least), or stale_ttl when that is not 0. False when it does not fit. */
bool recall_write(
	const struct recall *r, struct writer *w, uint32_t age, uint32_t stale_ttl) CHECKED;

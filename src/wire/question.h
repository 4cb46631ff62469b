/* SPDX-License-Identifier: BSD-2-Clause */
/* question.h -- the hot parse: a query becomes a question or a refusal
 *
 * What     Judges everything about a query that needs no data: header, counts, the
 *          one question, EDNS, TSIG's form. Strict: what is malformed is told so.
 * Threads  Pure.
 * Read     RFC 1035 4.1, 6891, 8945 5.2, 8906.
 */
#pragma once

#include "base/def.h"
#include "wire/edns.h"
#include "wire/key.h"
#include "wire/message.h"

struct question { /* open: the hot path */
	uint16_t id, flags, type, class;
	/* the question section in the query, the name as the client spelt it */
	const uint8_t *wire;
	uint16_t wire_len; /* of name, type and class; 0: none that could be echoed */
	struct edns edns;
	/* a well-formed TSIG record in the query (we have no keys), or NULL */
	const uint8_t *tsig;
	uint16_t tsig_len;
	struct key key;
};

enum verdict {
	VERDICT_ANSWER, /* a well-formed question of opcode QUERY */
	VERDICT_DROP,   /* no reply: too short, or a response */
	VERDICT_FORMERR,
	VERDICT_NOTIMP,
	VERDICT_REFUSED, /* NOTIFY: nobody may */
	VERDICT_BADVERS,
	VERDICT_NOTAUTH, /* TSIG with a key we do not have */
};

/* is_stream: zone transfers are a format error over UDP and refused by later code over TCP. q
 * may be looked at after any verdict but DROP. */
enum verdict question_read(
	struct question *q, const uint8_t *query, size_t len, bool is_stream);

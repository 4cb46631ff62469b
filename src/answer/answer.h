/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.h -- a question, judged, to the bytes of its reply
 *
 * What     The frame every reply has: header bits, OPT with its options, truncation, the
 *          refusals; what stands inside comes from auth.h.
 * Threads  One answerer a worker.
 * Memory   Nothing is allocated after answerer_new().
 * Read     RFC 1035 4.1, 2181 9, 4035 3.1.6, 5001, 6891, 7828, 7873, 8914, 8945 5.2, 9018.
 */
#pragma once

#include "base/hash.h"
#include "wire/question.h"

struct zone_table;

struct answer_opts {        /* open: plain values, the same for all answerers of a world */
	uint16_t edns_size; /* the most sent and advertised over UDP */
	uint16_t keepalive; /* in units of 100 ms */
	bool cookies;
	const char *version, *identity, *nsid; /* NULL or empty: not told; at most 255 bytes */
};

struct answer_from {            /* who asks, and how: for one batch or one query */
	const uint8_t *address; /* 4 or 16 bytes */
	size_t address_len;
	bool is_stream;
	bool is_tls;      /* who asked for padding gets it (RFC 7830, 8467) */
	bool may_recurse; /* RA is told */
	uint64_t now_s;   /* wall clock */
};

struct answer_kept { /* what the chain has told of the question, see recall.h */
	const uint8_t *bytes;
	size_t n;
	uint32_t age;       /* seconds since it was learned */
	uint32_t stale_ttl; /* not 0: it is past its time, and this is told for every TTL */
};

struct answerer;
/* secret: for cookies; the same for all workers. */
struct answerer *answerer_new(const struct hash_key *secret);
void answerer_free(struct answerer **answerer);
/* The client was told our cookie before: it is where it says it is (RFC 7873). */
bool answer_has_cookie(const struct answerer *a, const struct question *q,
	const struct answer_from *from) CHECKED;
/* What to answer from, from now on; both must stay until the next call. */
void answerer_set_world(
	struct answerer *a, const struct answer_opts *opts, const struct zone_table *zones);

/* Writes the reply to q, which question_read() judged, into buf. room: at least 512 bytes over
 * UDP, 65535 on a stream. Returns its length, 0 for no reply; *rcode gets what was told. */
int32_t answer_question(struct answerer *a, const struct question *q, enum verdict verdict,
	const struct answer_from *from, uint8_t *buf, uint32_t room, unsigned *rcode);
/* The name that the reply made last ends at because it is not ours: an alias leads there, or it
 * lies below a delegation. NULL: the reply is whole. It stands until the next reply. */
const struct key *answer_elsewhere(const struct answerer *a) PURE;
/* The same for a question (VERDICT_ANSWER) that the chain has answered. What does not fit over
 * UDP is left to TCP. */
int32_t answer_recall(struct answerer *a, const struct question *q,
	const struct answer_from *from, const struct answer_kept *kept, uint8_t *buf,
	uint32_t room, unsigned *rcode);
/* The same to a question for ANY of what we do not serve: RFC 8482 4.2. */
int32_t answer_any(struct answerer *a, const struct question *q, const struct answer_from *from,
	uint8_t *buf, uint32_t room, unsigned *rcode);
/* The same with nothing in it but a code and the reason (enum ede). */
int32_t answer_refuse(struct answerer *a, const struct question *q,
	const struct answer_from *from, unsigned told, int ede, uint8_t *buf, uint32_t room,
	unsigned *rcode);

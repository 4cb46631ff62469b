/* SPDX-License-Identifier: BSD-2-Clause */
/* trace.h -- what was done for one question, step by step
 *
 * What     A fixed number of steps in the ask; a step costs a few stores. rootctl explain and
 *          why read them.
 * Threads  One worker.
 * Limits   32 steps; what comes after is counted, and the last stands.
 */
#pragma once

#include "base/endpoint.h"

enum {
	TRACE_STEPS = 32
};

enum trace_kind {
	TRACE_LINK,    /* a link was asked; link says which, result its verdict */
	TRACE_SENT,    /* a question went to server */
	TRACE_REPLY,   /* its reply: result is enum trace_result */
	TRACE_CACHED,  /* name and type were known */
	TRACE_RESTART, /* an alias is followed */
};
enum trace_result {
	TRACE_ANSWER,
	TRACE_NODATA,
	TRACE_NXDOMAIN,
	TRACE_REFERRAL, /* zone: the one referred to */
	TRACE_ALIAS,
	TRACE_LAME,
	TRACE_TRUNCATED,
	TRACE_TIMEOUT,
	TRACE_UNREACHABLE,
	TRACE_SPOOFED,
	TRACE_ERROR, /* rcode says which */
	TRACE_MALFORMED,
	TRACE_PASS,
	TRACE_FAIL,
	TRACE_WAIT,
};

struct trace_step {       /* open */
	uint32_t at_ms;   /* since the question came */
	uint32_t took_us; /* of a reply */
	uint8_t kind, result, rcode, transport, link;
	uint16_t type;
	struct endpoint server;
	const uint8_t *name; /* asked; in the ask's pad, or NULL */
	const uint8_t *zone; /* the server's; in the ask's pad, or NULL */
};

struct trace { /* open */
	uint64_t start_ms;
	uint32_t n, lost;
	struct trace_step step[TRACE_STEPS];
};

/* A trace that outlives its question: names lie in one small area; those that find no room in
 * it are left out. */
enum {
	TRACE_NAMES = 1536
};
struct trace_copy { /* open */
	uint32_t n, lost;
	struct trace_step step[TRACE_STEPS]; /* name and zone: NULL, or within names */
	uint16_t used;
	uint8_t names[TRACE_NAMES];
};
/* copy must not be moved afterwards but by trace_move(). */
void trace_keep(struct trace_copy *copy, const struct trace *trace);
void trace_move(struct trace_copy *to, const struct trace_copy *from);

/* The next step, zeroed, with at_ms set; the last one again when all are taken. */
struct trace_step *trace_next(struct trace *trace, uint64_t now_ms);

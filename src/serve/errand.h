/* SPDX-License-Identifier: BSD-2-Clause */
/* errand.h -- what control wants to know of a worker, and what came of it
 *
 * What     Control fills the first part and sends it; a worker fills the second and sends it
 *          back. In between it belongs to the worker.
 * Memory   Made by errand_new(), freed by errand_free(), both on control's thread.
 * Limits   ERRAND_FAILURES failures of a worker.
 */
#pragma once

#include "chain/look.h"
#include "net/addr.h"
#include "wire/name.h"

enum {
	ERRAND_FAILURES = 16
};

enum errand_kind {
	ERRAND_EXPLAIN, /* how would name and type be answered */
	ERRAND_WHY      /* what failed lately at or below name */
};

struct errand {              /* open */
	struct errand *next; /* of a list, whoever has it */
	enum errand_kind kind;
	/* ---- what is wanted */
	struct name name; /* lower case */
	uint16_t type;
	bool is_dnssec, is_live;
	bool has_client; /* as it would be told */
	struct addr client;
	/* ---- what came of it */
	bool is_told; /* false: the worker ended before */
	bool has_way; /* there is a chain */
	bool may_recurse;
	bool has_zone, is_special; /* a zone of ours answers: its name */
	struct name zone;
	struct look look;
	bool was_asked; /* the links were asked: trace, took_ms */
	uint32_t took_ms;
	bool has_trace;
	struct trace_copy trace;
	bool is_kept, is_stale; /* the reply comes from what is kept */
	uint32_t age;
	struct cache_from from; /* of the reply */
	int32_t reply_len;      /* 0: none was made */
	uint8_t *reply;         /* a message, of MESSAGE_MAX_LEN bytes */
	size_t failures_n;
	struct chain_failure *failures; /* newest first */
	/* ---- whoever sent it */
	void (*done)(struct errand *errand); /* on control's thread */
	void *user;
};

struct errand *errand_new(enum errand_kind kind) CHECKED;
void errand_free(struct errand **errand);

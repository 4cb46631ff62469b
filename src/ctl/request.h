/* SPDX-License-Identifier: BSD-2-Clause */
/* request.h -- what rootctl may ask the daemon, one row per verb
 *
 * What     A request is one JSON object: { "verb": "reload", "zone": "example.test." }. It ends
 *          with its last bracket, however its bytes arrive. A verb says what else it takes.
 * Threads  Pure.
 * Limits   64 KiB, 8 deep (hazard C14), both before anything is built from it.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "net/addr.h"
#include "wire/name.h"

enum {
	REQUEST_MAX = 65536,
	REQUEST_DEPTH_MAX = 8
};

enum verb {
	VERB_STATUS,
	VERB_RELOAD,
	VERB_STOP,
	VERB_EXPLAIN,
	VERB_WHY,
	VERB_CACHE_SHOW,
	VERB_CACHE_FLUSH,
	VERB_CACHE_DUMP,
	VERB_N
};
enum { /* what a request may have beside its verb */
	TAKES_ZONE = 1,
	TAKES_NAME = 2,
	TAKES_TYPE = 4,
	TAKES_CLIENT = 8,
	TAKES_LIVE = 16,
	TAKES_TREE = 32
};
struct verb_row { /* open */
	const char *name;
	unsigned takes;
	const char *help;
};
extern const struct verb_row verb_rows[VERB_N];

struct request_scan { /* open: zero-initialise; one a connection */
	size_t seen;
	unsigned depth;
	bool in_text, is_escaped, has_begun, has_ended;
};
/* The next bytes of a request. 1: it ends at *end of them (only blanks follow); 0: more must
 * come; -EINVAL or -E2BIG with the reason. */
int request_scan(struct request_scan *scan, const char *bytes, size_t n, size_t *end,
	struct err *err) CHECKED;

struct request { /* open */
	enum verb verb;
	bool has_zone, has_name, has_type, has_client, is_live, is_tree;
	struct name zone, name; /* lower case */
	uint16_t type;
	struct addr client;
};
int request_read(struct request *out, const char *text, size_t n, struct err *err) CHECKED;

/* SPDX-License-Identifier: BSD-2-Clause */
/* subject.h -- the resolver that scenarios are played to, queries in and replies out
 *
 * What     A chain of links as the daemon would have it, with the answerer around it, on the
 *          fake network. Replies come from within subject_ask() or from the loop.
 */
#pragma once

#include "resolve/resolver.h"

enum {
	SUBJECT_HINTS = 32,
	SUBJECT_STUBS = 8,
	SUBJECT_FORWARDS = 8
};

struct subject_forward { /* open */
	struct name zone;
	bool is_first; /* when all of them fail, go the common way */
	size_t n;
	struct addr to[RESOLVE_SERVERS_MAX];
};

struct subject_opts {                /* open */
	struct resolve_opts resolve; /* hints and stubs: those below */
	struct resolve_hint hints[SUBJECT_HINTS];
	struct resolve_stub stubs[SUBJECT_STUBS];
	size_t forwards_n;
	struct subject_forward forwards[SUBJECT_FORWARDS];
	uint32_t stale_s; /* see struct chain_opts */
	uint32_t asks;
};

struct subject;
typedef void subject_fn(void *user, const uint8_t *reply, size_t len);
struct subject *subject_new(
	struct loop *loop, const struct subject_opts *opts, subject_fn *on_reply);
void subject_free(struct subject **subject);
/* query must stay until it is answered: on_reply(user) is called once, with len 0 when there is
 * no reply to be had. */
void subject_ask(
	struct subject *subject, const uint8_t *query, size_t len, bool is_tcp, void *user);

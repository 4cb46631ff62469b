/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver.h -- recursion: from the root, or the nearest delegation known, to an answer
 *
 * What     One resolution is a machine of steps (iter.h) that sends questions through net/,
 *          takes and leaves record sets and facts in cache/, and fills an outcome.
 * Threads  One resolver per worker; cache and facts are shared by all.
 * Memory   A resolution and its sub-questions live in the pad of the question they serve.
 * Limits   The budget of the question (wire/budget.h); L3, L4, L5, L8, L20.
 * Read     RFC 1034 5.3.3, 2181, 2308, 4697, 6672, 6891, 8020, 9156, 9471, 9520, 9609.
 */
#pragma once

#include "answer/outcome.h"
#include "cache/facts.h"
#include "cache/rrsets.h"
#include "chain/trace.h"
#include "net/upstream.h"
#include "wire/budget.h"

enum {
	RESOLVE_SERVERS_MAX = 32 /* of a stub zone */
};

struct resolve_hint { /* open: a root server */
	struct name name;
	struct addr addr;
};
struct resolve_stub {     /* open: authoritative servers to ask for a zone */
	struct name zone; /* lower case */
	size_t n;
	struct addr to[RESOLVE_SERVERS_MAX];
	bool is_first; /* when all of them fail, go the common way */
};

struct resolve_opts { /* open: plain values; what is pointed at outlives the resolver's use */
	bool qname_minimisation, case_randomisation, harden_glue, ipv4, ipv6;
	bool is_wordy; /* the zone's servers, as far as they are known, go with an answer */
	/* loopback, private and documentation addresses of servers may be asked (closed
	 * networks, tests); otherwise only when an operator named them (hazard A16) */
	bool query_loopback;
	uint16_t edns_size;   /* 1232 */
	uint16_t server_port; /* 53; tests without privileges use another */
	struct rrsets_opts ttl;
	size_t hints_n, stubs_n, own_n;
	const struct resolve_hint *hints; /* none: nothing can be resolved but in stubs */
	const struct resolve_stub *stubs;
	const struct addr *own; /* our listeners: never asked (hazard A16) */
};

struct resolver;
struct resolver *resolver_new(
	struct loop *loop, struct upstream *upstream, struct cache *cache, struct facts *facts);
/* It is one of so many that share the limits there are for all (L20); 1 unless told. */
void resolver_set_share(struct resolver *resolver, unsigned workers);
/* For what starts from now on; resolutions under way keep what they have, so opts must live
 * until they have ended. */
void resolver_set_opts(struct resolver *resolver, const struct resolve_opts *opts);
void resolver_free(struct resolver **resolver);

struct resolve_ask {         /* open: all of it outlives the resolution */
	const uint8_t *name; /* lower case */
	uint16_t type;
	bool is_dnssec; /* signatures are wanted in the outcome */
	bool is_live;   /* pass the cache by and begin at the root */
	struct pad *pad;
	struct budget *budget;
	struct trace *trace;
	struct outcome *outcome; /* outcome_start()ed by the caller */
	uint32_t generation;     /* for provenance, with */
	uint8_t link;
};

struct resolution;
/* True: the outcome is complete already and done is never called; *out stays NULL. False:
 * done(user) is called once from the loop when it is, *out being the resolution until then. */
bool resolve_start(struct resolver *resolver, const struct resolve_ask *ask,
	void (*done)(void *user), void *user, struct resolution **out);
void resolve_cancel(struct resolution **resolution);
/* Questions under way, in all. */
uint32_t resolver_open(const struct resolver *resolver);
/* `. NS` at start and at expiry (RFC 9609); what comes of it stands in the cache. */
void resolver_prime(struct resolver *resolver);

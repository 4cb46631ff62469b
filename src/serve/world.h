/* SPDX-License-Identifier: BSD-2-Clause */
/* world.h -- all that answers depend on, immutable once published
 *
 * What     Zones, options and the way of other names, built aside by the control thread,
 *          checked whole, then switched to by message. A zone that did not change is shared
 *          with the world before (zone_hold / zone_drop), and so is the way.
 * Threads  Made and freed by control; read by every worker in between without a lock.
 */
#pragma once

#include "chain/chain.h"
#include "resolve/resolver.h"
#include "serve/access.h"

struct zone;
struct zone_table;

struct serve_opts {         /* open: plain values, filled by ctl/ */
	uint16_t edns_size; /* the most we send and advertise over UDP: 512..4096, 1232 */
	bool cookies;
	/* tcp-idle in units of 100 ms, told in the keepalive option (RFC 7828) */
	uint16_t keepalive;
	char version[256];  /* what version.bind tells; empty: refused */
	char identity[256]; /* id.server, hostname.bind; empty: refused */
	char nsid[256];     /* NSID option's text; empty: not told */
};

/* How names outside the zones are resolved, and for whom. */
struct serve_way { /* open: made by ctl/, then never changed but in its holders */
	struct chain_plan plan;
	struct resolve_opts resolve;
	struct access access;
	struct upstream_opts upstream; /* of all workers together */
	/* Zones of special-use names, served beside ours; what lies in them but at or below
	 * a name of opens, or is owned by a link, goes to the chain all the same. */
	size_t special_n, opens_n;
	struct zone **special;
	const uint8_t **opens;
	struct cache *cache; /* these three live as long as the daemon */
	struct facts *facts;
	struct chain_shared *shared;
	unsigned holders; /* control's thread */
	void (*release)(struct serve_way *way);
};
struct serve_way *serve_way_hold(struct serve_way *way);
void serve_way_drop(struct serve_way **way);

struct world;
/* zones[0..n-1], way and side are held by the world until it is freed. way NULL: other names
 * are refused. side NULL: nobody is served over TLS. */
struct tls_side;
struct world *world_new(const struct serve_opts *opts, struct zone *const *zones, size_t n,
	struct serve_way *way, struct tls_side *side);
void world_free(struct world **world);

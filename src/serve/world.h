/* SPDX-License-Identifier: BSD-2-Clause */
/* world.h -- all that answers depend on, immutable once published
 *
 * What     Zones and options, built aside by the control thread, checked whole, then
 *          switched to by message. A zone that did not change is shared with the
 *          world before (zone_hold / zone_drop).
 * Threads  Made and freed by control; read by every worker in between without a lock.
 */
#pragma once

#include "base/def.h"

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

struct world;
/* zones[0..n-1]: held by the world until it is freed. */
struct world *world_new(const struct serve_opts *opts, struct zone *const *zones, size_t n);
void world_free(struct world **world);

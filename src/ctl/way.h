/* SPDX-License-Identifier: BSD-2-Clause */
/* way.h -- from the configuration to the way of names that are not ours
 *
 * What     Who may ask, how the resolver works, the links with their data, the special-use
 *          zones: made whole by the builder, then never changed.
 * Threads  way_build(): the builder. The rest: control.
 */
#pragma once

#include "ctl/config.h"
#include "serve/world.h"

struct way_parts {           /* open: what ways are made with */
	struct cache *cache; /* these three live as long as the daemon */
	struct facts *facts;
	struct chain_shared *shared;
	uint32_t questions; /* to other servers, at a time */
};

struct way { /* open */
	struct serve_way serve;
	uint64_t digest; /* of all that answers depend on */
	/* The files its links were made of, as they were then. */
	struct zonefile_files watched;
	struct arena arena;
};

/* The way of config into *out, held once (serve_way_drop()); NULL when it has no chain. -EINVAL
 * with the reasons in complaints. parts->cache NULL: it is only to be checked. */
int way_build(struct way **out, const struct config *config, const struct way_parts *parts,
	struct complaints *complaints) CHECKED;
static inline struct way *way_of(struct serve_way *way)
{
	return container_of(way, struct way, serve);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* load.h -- a zone file to a served zone
 *
 * What     zonefile_scan into zone_build; what zone_build_finish finds wrong with a
 *          name gets its file:line:column by a second scan, made only then.
 */
#pragma once

#include "base/def.h"
#include "text/zonefile.h"

struct zone;

struct load {              /* open: what came of it */
	struct zone *zone; /* NULL when refused; the caller's */
	struct complaints complaints;
	struct zonefile_files files;
	uint64_t records;
};
void load_fini(struct load *load); /* frees all but the zone */

/* Loads path as the zone origin. old (may be NULL): the zone served so far; when the content
 * changed but its serial did not grow (RFC 1982), a warning says so. 0 or -EINVAL; load is
 * filled in any case. */
int load_zone(struct load *load, const char *path, const uint8_t *origin,
	const struct zone *old) CHECKED;

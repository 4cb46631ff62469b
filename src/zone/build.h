/* SPDX-License-Identifier: BSD-2-Clause */
/* build.h -- from a stream of records to an immutable zone
 *
 * What     Records come in any order; those of one owner in a row (as files have
 *          them) are laid down once, in their final form. finish() merges what was
 *          scattered, links cuts, wildcards and empty non-terminals, and judges.
 * Threads  One builder, one thread.
 * Memory   Grows in the zone's own arena; a builder's side tables die in finish.
 * Read     RFC 1034 4.3.2, 2181, 4592, 6672.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "wire/record.h"

struct zone;
struct zone_build;

/* Something to tell the operator about a finished set of records. */
struct zone_issue {            /* open: a view, valid during the call */
	bool is_error;         /* errors refuse the zone, warnings do not */
	const uint8_t *owner;  /* absolute name */
	uint16_t type;         /* the record that is at fault; 0: the name as a whole */
	const uint8_t *target; /* the name that the record at fault points to, or NULL */
	const char *reason;    /* one sentence */
};
typedef void zone_issue_fn(void *user, const struct zone_issue *issue);

/* A builder for the zone at apex. bytes_hint: size of the text it comes from, 0 when
 * unknown. */
struct zone_build *zone_build_new(const uint8_t *apex, size_t bytes_hint);
void zone_build_free(struct zone_build **build);

/* Adds a record whose RDATA passed rdata_check(). Duplicates of a record are dropped silently,
 * save the SOA's. -EINVAL with the reason: outside the zone, class other than IN, a meta type,
 * over 65535 bytes an RRset. */
int zone_build_add(
	struct zone_build *build, const struct record *record, struct err *err) CHECKED;

/* Ends the building. NULL when an error was told to on_issue; build is freed and NULL in any
 * case. */
struct zone *zone_build_finish(struct zone_build **build, zone_issue_fn *on_issue, void *user);

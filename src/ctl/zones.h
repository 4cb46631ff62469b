/* SPDX-License-Identifier: BSD-2-Clause */
/* zones.h -- the zones that the configuration names, and what became of each
 *
 * What     zones_build() lists and loads them, aside; zones_adopt() takes over from the list in
 *          force what did not change. A refused zone keeps its version before, if it had one.
 * Threads  zones_build(): the builder, which only reads the old list. The rest: control.
 */
#pragma once

#include "base/def.h"
#include "base/mem.h"
#include "text/zonefile.h"

struct config;
struct zone;

struct zone_entry {          /* open */
	const uint8_t *name; /* lower case */
	const char *path;
	const char *file; /* the configuration's place that names it */
	uint32_t line, column;
	struct zone *zone; /* served; NULL: none is */
	struct zonefile_files files;
	struct complaints *complaints; /* of its last load; NULL: none */
	uint64_t loaded_s; /* wall clock; when the version that is served was loaded */
	uint32_t old;      /* index + 1 in the list before; 0: new */
	bool was_parsed;   /* in this build */
	bool is_refused;   /* its file, as it was read last */
};

struct zones { /* open */
	size_t n;
	struct zone_entry *list;
	uint32_t *table; /* index + 1 by hash of name; 0: free */
	uint32_t mask;
	size_t parsed, refused; /* in this build; of all */
	struct arena arena;
};

struct zones_wish { /* open: what a reload asks for; n 0: whatever changed */
	size_t n;
	const uint8_t *const *names; /* only these, changed or not */
};

/* Zones of config; NULL when the list itself is wrong, with the reasons in complaints: a name
 * twice, a folder that cannot be read. old may be NULL. */
struct zones *zones_build(const struct config *config, const struct zones *old,
	const struct zones_wish *wish, struct complaints *complaints) CHECKED;
/* Completes zones from old, which is left with what it still serves and can be freed. */
void zones_adopt(struct zones *zones, struct zones *old);
void zones_free(struct zones **zones);

struct zone_entry *zones_find(const struct zones *zones, const uint8_t *name);
/* The nearest name to a mistyped one into out (NAME_TEXT_MAX bytes), or NULL. */
const char *zones_near(char *out, const struct zones *zones, const char *name);
/* The zones that are served into out[n]; returns how many. */
size_t zones_served(const struct zones *zones, struct zone **out);
/* Says in the log what was found in the zones parsed in this build; is_start: with the lines at
 * fault. */
void zones_log(const struct zones *zones, bool is_start);

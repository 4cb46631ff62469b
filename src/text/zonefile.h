/* SPDX-License-Identifier: BSD-2-Clause */
/* zonefile.h -- zone files to records, with every complaint in its place
 *
 * What     $ORIGIN $TTL $INCLUDE $GENERATE, blank owners, TTL and class in either
 *          order, units, CRLF, a byte-order mark, no newline at the end.
 * Threads  Pure but for reading files. Files are read(), never mapped: an editor that cuts
 *          a mapped file ends the process.
 * Limits   Include depth 10, 10000 in all, cycles refused, only files inside the first file's
 * folder; $GENERATE 65536 records, 16 times that in all; a record takes at most 1 MiB of text;
 *          20 complaints are kept, the rest counted, the scan ends after 10000 (hazard C10).
 * Read     RFC 1035 5, 2308 4, 3597 5.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "wire/record.h"

enum {
	COMPLAINTS_MAX = 20
};

struct complaint { /* open */
	bool is_error;
	char *text; /* "file:line:column: error: reason", then the line and a caret under it;
		       heap */
};

struct complaints { /* open: zero-initialise, complaints_fini() */
	size_t n;
	struct complaint list[COMPLAINTS_MAX];
	size_t errors, warnings; /* all there were, kept or not */
};
void complaints_fini(struct complaints *c);

/* One record at its place. Return 0; -EINVAL with the reason in err, or 1 with a warning in
 * err: it becomes a complaint with the place and the scan goes on; -ECANCELED: the scan ends
 * here, without a complaint. */
typedef int zonefile_record_fn(void *user, const struct record *record, struct err *err);

struct zonefile_stat { /* open: what one file was when it was read; to see later whether it
			  changed */
	char *path;    /* heap */
	uint64_t dev, ino, size, mtime_ns, ctime_ns;
};
struct zonefile_files { /* open: the zone's file and all it includes */
	size_t n;
	struct zonefile_stat *list;
};
void zonefile_files_fini(struct zonefile_files *files);
/* True when any of the files is not what it was. */
bool zonefile_files_changed(const struct zonefile_files *files);

/* Scans path. origin: the zone's name. Returns the number of records handed on, or -1 when
 * there were errors (they are in complaints) or the file could not be read. files may be NULL.
 */
long zonefile_scan(const char *path, const uint8_t *origin, zonefile_record_fn *on_record,
	void *user, struct complaints *complaints, struct zonefile_files *files) CHECKED;
/* A second scan of a file, for its places: only what on_record says becomes a complaint. */
void zonefile_rescan(const char *path, const uint8_t *origin, zonefile_record_fn *on_record,
	void *user, struct complaints *complaints);
/* The same over text in memory; name stands in the complaints; $INCLUDE is refused. */
long zonefile_scan_text(const char *name, const char *text, size_t n, const uint8_t *origin,
	zonefile_record_fn *on_record, void *user, struct complaints *complaints) CHECKED;

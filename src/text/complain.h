/* SPDX-License-Identifier: BSD-2-Clause */
/* complain.h -- what the operator is told about a place in a file
 *
 * What     "file:line:column: error: reason", the line, a caret below. Foreign bytes
 *          are shown as \DDD, long lines are cut around the column.
 * Limits   COMPLAINTS_MAX are kept; an error takes the room of a warning.
 */
#pragma once

#include "base/def.h"
#include "text/zonefile.h"

struct place { /* open */
	const char *file;
	unsigned line, column; /* 1.. */
	const char *line_start,
		*end; /* of the text the line stands in; NULL: no line is shown */
};

/* True when a complaint of this kind would be kept, so that its text is worth making. */
bool complain_is_kept(const struct complaints *c, bool is_error);
/* Counts the complaint and keeps it when there is room. */
void complain(
	struct complaints *c, bool is_error, const struct place *place, const char *reason);

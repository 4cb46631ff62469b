/* SPDX-License-Identifier: BSD-2-Clause */
/* minimise.h -- a server is asked for no more of a name than it takes to be referred on
 *
 * What     One label more than the zone has, then two, ...; after the fourth question larger
 *          steps, so that the tenth is for the whole name.
 * Threads  Pure.
 * Limits   10 questions that are shorter than the name.
 * Read     RFC 9156 2.3.
 */
#pragma once

#include "base/def.h"

struct minimise {       /* open: zero to start */
	uint8_t count;  /* questions that were shorter */
	uint8_t labels; /* that are known to be there: of the zone, or asked for */
	bool is_whole;  /* no more of this */
};

/* How many of the name's labels to ask for; all of them: the name itself. */
unsigned minimise_labels(const struct minimise *m, unsigned labels) PURE;
/* The last `labels` labels of a name that has `of`. */
const uint8_t *minimise_suffix(const uint8_t *name, unsigned of, unsigned labels) PURE;

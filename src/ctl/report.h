/* SPDX-License-Identifier: BSD-2-Clause */
/* report.h -- what programs tell, as JSON; the same from the daemon and from rootctl */
#pragma once

#include "base/def.h"
#include "text/zonefile.h"

#include <jansson.h>
#include <stdio.h>

struct zones;
enum {
	REPORT_COMPLAINTS_MAX = 200
};

/* Appends to list; past the limit nothing. zone may be NULL. */
void report_complaints(json_t *list, const char *zone, const struct complaints *complaints);
/* Complaints of all zones parsed in this build. */
void report_zones(json_t *list, const struct zones *zones);
/* One row per zone: what is served, and what was wrong last. */
json_t *report_status(const struct zones *zones);
/* Prints such a list for a reader. */
void report_print(FILE *out, const json_t *complaints);
/* Text that came from elsewhere, made fit for a terminal but for its line ends. */
void report_text(FILE *out, const char *text);

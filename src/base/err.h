/* SPDX-License-Identifier: BSD-2-Clause */
/* err.h -- a sentence that says what went wrong, made where it is known
 *
 * What     Functions return 0 or a negative errno value; the sentence for the
 *          operator travels beside it and is logged once, at the top.
 * Memory   The caller's; cut at its end, always terminated.
 */
#pragma once

#include "base/def.h"

#include <stdarg.h>

struct err { /* open: read by whoever reports it */
	char text[1024];
};

/* Writes the sentence; err may be NULL. Returns code, so that a refusal is one line. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF(3, 4);

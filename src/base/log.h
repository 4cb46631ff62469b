/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h -- one line, one fact for the operator
 *
 * What     Lines to standard error. Whatever is in a line (names, file contents,
 *          bytes of a peer) it stays one line of printable text: other bytes are
 *          written as \DDD (hazard C13).
 * Threads  Any; a line is one write().
 * Limits   A line is cut at 2 KiB. A log_limit lets 10 lines a second through
 *          per cause and says how many it held back.
 */
#pragma once

#include "base/def.h"

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
};

struct log_limit { /* one static per cause; zero-initialised */
	_Atomic uint64_t second;
	_Atomic uint32_t lines, held;
};

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
	PRINTF(3, 4);

/* Copies text into out (always terminated), bytes outside printable ASCII as \DDD.
 * Returns the length written, without the terminator. */
size_t log_escape(char *out, size_t size, const char *text, size_t n);

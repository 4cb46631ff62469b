/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_LEN = 2048,
	LINES_PER_SECOND = 10
};

static _Atomic int max_level = LOG_INFO;
static const char *const level_words[] = { "error", "warning", "info", "debug" };

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&max_level, memory_order_relaxed);
}

size_t log_escape(char *out, size_t size, const char *text, size_t n)
{
	size_t at = 0;
	must(size > 0);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		bool plain = c >= 0x20 && c < 0x7f;
		if (at + (plain ? 1u : 4u) >= size)
			break;
		if (plain) {
			out[at++] = (char)c;
			continue;
		}
		out[at++] = '\\';
		out[at++] = (char)('0' + c / 100);
		out[at++] = (char)('0' + c / 10 % 10);
		out[at++] = (char)('0' + c % 10);
	}
	out[at] = 0;
	return at;
}

PRINTF(2, 0) static void write_line(enum log_level level, const char *fmt, va_list ap)
{
	char raw[LINE_MAX_LEN], line[LINE_MAX_LEN + 32];
	int n = vsnprintf(raw, sizeof raw, fmt, ap);
	if (n < 0)
		return;
	size_t len = (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1;
	int head = snprintf(line, sizeof line, "rootward: %s: ", level_words[level]);
	size_t at = (size_t)head;
	at += log_escape(line + at, sizeof line - at - 1, raw, len);
	line[at++] = '\n';
	/* A log that cannot be written is no reason to stop serving. */
	ssize_t written = write(STDERR_FILENO, line, at);
	(void)written;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	if (level > log_get_level())
		return;
	va_list ap;
	va_start(ap, fmt);
	write_line(level, fmt, ap);
	va_end(ap);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
{
	if (level > log_get_level())
		return;
	uint64_t now_s = clock_mono_ms() / 1000;
	uint64_t seen = atomic_load_explicit(&limit->second, memory_order_relaxed);
	if (seen != now_s && atomic_compare_exchange_strong(&limit->second, &seen, now_s)) {
		atomic_store_explicit(&limit->lines, 0, memory_order_relaxed);
		uint32_t held = atomic_exchange(&limit->held, 0);
		if (held)
			log_line(level, "the same kind of line was held back %u times", held);
	}
	if (atomic_fetch_add_explicit(&limit->lines, 1, memory_order_relaxed) >=
		LINES_PER_SECOND) {
		atomic_fetch_add_explicit(&limit->held, 1, memory_order_relaxed);
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	write_line(level, fmt, ap);
	va_end(ap);
}

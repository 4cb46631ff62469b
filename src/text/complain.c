/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/complain.h"

#include "base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
	SHOWN_MAX = 100,   /* columns of the source line */
	SHOWN_BEFORE = 60, /* of which before the column, when the line is cut */
	ESCAPED = 4,       /* \DDD */
	REASON_MAX = 1024, /* as struct err has it */
	TEXT_MAX = ESCAPED * (PATH_MAX + REASON_MAX + 2 * SHOWN_MAX) + 128,
};

struct out {
	char text[TEXT_MAX];
	size_t n;
};

static void out_byte(struct out *out, char c)
{
	if (out->n < sizeof out->text - 1)
		out->text[out->n++] = c;
}

static void out_text(struct out *out, const char *text)
{
	for (; *text; text++)
		out_byte(out, *text);
}

static bool is_safe(char c)
{
	return (uint8_t)c >= 0x20 && (uint8_t)c < 0x7f;
}

/* Columns a byte of the source line takes. */
static size_t shown_width(char c)
{
	return is_safe(c) || c == '\t' ? 1 : ESCAPED;
}

/* Terminals obey some bytes: none of them gets through. */
static void out_safe(struct out *out, char c)
{
	uint8_t byte = (uint8_t)c;
	if (is_safe(c)) {
		out_byte(out, c);
		return;
	}
	out_byte(out, '\\');
	out_byte(out, (char)('0' + byte / 100));
	out_byte(out, (char)('0' + byte / 10 % 10));
	out_byte(out, (char)('0' + byte % 10));
}

static void out_safe_text(struct out *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n && text[i]; i++)
		out_safe(out, text[i]);
}

static void out_line(struct out *out, const struct place *place)
{
	const char *line = place->line_start;
	const char *end = memchr(line, '\n', (size_t)(place->end - line));
	if (!end)
		end = place->end;
	if (end > line && end[-1] == '\r')
		end--;
	size_t n = (size_t)(end - line), column = place->column - 1;
	if (column > n)
		column = n;
	size_t from = column, to, width = 0;
	while (from > 0 && (width += shown_width(line[from - 1])) <= SHOWN_BEFORE)
		from--;
	for (to = from, width = 0; to < n && (width += shown_width(line[to])) <= SHOWN_MAX;
		to++)
		;

	char caret[SHOWN_MAX + 8];
	size_t caret_n = 0;
	if (from > 0) {
		out_text(out, "...");
		memset(caret, ' ', 3);
		caret_n = 3;
	}
	for (size_t i = from; i < to; i++) {
		if (line[i] == '\t')
			out_byte(out, '\t');
		else
			out_safe(out, line[i]);
		for (width = shown_width(line[i]); i < column && width > 0; width--)
			caret[caret_n++] = line[i] == '\t' ? '\t' : ' ';
	}
	if (to < n)
		out_text(out, "...");
	out_byte(out, '\n');
	caret[caret_n++] = '^';
	caret[caret_n] = '\0';
	out_text(out, caret);
}

static char *complaint_text(bool is_error, const struct place *place, const char *reason)
{
	struct out out;
	out.n = 0;
	char at[48];
	(void)snprintf(at, sizeof at, ":%u:%u: ", place->line, place->column);
	out_safe_text(&out, place->file, PATH_MAX);
	out_text(&out, at);
	out_text(&out, is_error ? "error: " : "warning: ");
	out_safe_text(&out, reason, REASON_MAX);
	if (place->line_start) {
		out_byte(&out, '\n');
		out_line(&out, place);
	}
	return mem_text(out.text, out.n);
}

/* The index of the last warning kept, or COMPLAINTS_MAX. */
static size_t last_warning(const struct complaints *c)
{
	for (size_t i = c->n; i > 0; i--)
		if (!c->list[i - 1].is_error)
			return i - 1;
	return COMPLAINTS_MAX;
}

bool complain_is_kept(const struct complaints *c, bool is_error)
{
	return c->n < COMPLAINTS_MAX || (is_error && last_warning(c) < COMPLAINTS_MAX);
}

void complain(
	struct complaints *c, bool is_error, const struct place *place, const char *reason)
{
	if (is_error)
		c->errors++;
	else
		c->warnings++;
	if (!complain_is_kept(c, is_error))
		return;
	if (c->n == COMPLAINTS_MAX) {
		size_t i = last_warning(c);
		mem_free(c->list[i].text);
		c->n--;
		memmove(&c->list[i], &c->list[i + 1], (c->n - i) * sizeof c->list[0]);
	}
	c->list[c->n].is_error = is_error;
	c->list[c->n].text = complaint_text(is_error, place, reason);
	c->n++;
}

void complaints_fini(struct complaints *c)
{
	for (size_t i = 0; i < c->n; i++)
		mem_free(c->list[i].text);
	*c = (struct complaints){ 0 };
}

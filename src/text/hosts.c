/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/hosts.h"

#include "text/complain.h"
#include "text/field.h"
#include "text/source.h"

#include <string.h>
#include <strings.h>

enum {
	LINE_MAX_LEN = SOURCE_RECORD_MAX, /* what source_fill() always shows */
	TEXT_MAX = 256 * 1024 * 1024
};

struct word {
	const char *p;
	size_t n;
};

struct scan {
	struct source *source;
	hosts_entry_fn *on_entry;
	void *user;
	struct complaints *complaints;
	const char *at, *end; /* what is left of the line, without its comment */
	uint64_t taken;       /* bytes of text */
	long entries;
	bool is_over;
	struct hosts_entry entry;
	struct err err; /* of on_entry() */
};

static void warn(struct scan *s, const char *at, const char *reason)
{
	const struct lex *lex = &s->source->lex;
	const struct place place = { .file = s->source->name,
		.line = lex->line,
		.column = (unsigned)(at - lex->line_start) + 1 };
	complain(s->complaints, false, &place, reason);
}

/* ---- words ---- */

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool next_word(struct scan *s, struct word *word)
{
	const char *p = s->at;
	while (p < s->end && is_blank(*p))
		p++;
	word->p = p;
	while (p < s->end && !is_blank(*p))
		p++;
	word->n = (size_t)(p - word->p);
	s->at = p;
	return word->n > 0;
}

static bool is_name_byte(uint8_t c)
{
	return (uint8_t)(c - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '-' || c == '_';
}

static const char *bad_byte(uint8_t c)
{
	if (c >= 0x80)
		return "a name beyond ASCII is written as xn--...; the name is skipped";
	if (c == '*')
		return "hosts files have no wildcards; the name is skipped";
	return "a character that no host's name has; the name is skipped";
}

/* The word as a name in lower case. NULL, or what is wrong with it and where. A byte of the
 * text stands one further on in the name, behind the length of the first label; the dot before
 * a label is where its length goes. */
static const char *read_name(struct name *out, const struct word *word, size_t *at)
{
	size_t n = word->n - (word->p[word->n - 1] == '.'), label = 0;
	*at = 0;
	if (n + 2 > NAME_MAX_LEN)
		return "the name is longer than 255 bytes; it is skipped";
	for (*at = 0; *at < n; ++*at) {
		uint8_t c = name_lower_byte((uint8_t)word->p[*at]);
		size_t len = *at - label;
		if (c == '.' && len) {
			out->bytes[label] = (uint8_t)len;
			label = *at + 1;
			continue;
		}
		if (c == '.')
			break;
		if (!is_name_byte(c))
			return bad_byte(c);
		if (len == LABEL_MAX_LEN)
			return "a label is longer than 63 bytes; the name is skipped";
		out->bytes[*at + 1] = c;
	}
	if (*at == label)
		return "the name has an empty label; it is skipped";
	out->bytes[label] = (uint8_t)(n - label);
	out->bytes[n + 1] = 0;
	out->len = (uint8_t)(n + 2);
	return NULL;
}

static bool take_name(struct scan *s, const struct word *word, struct name *out)
{
	size_t at;
	const char *reason = read_name(out, word, &at);
	uint8_t address[4], last = (uint8_t)word->p[word->n - 1];
	if (!reason && (uint8_t)(last - '0') < 10 && text_is_ipv4(word->p, word->n, address)) {
		reason = "an address where a name belongs; it is skipped";
		at = 0;
	}
	if (reason)
		warn(s, word->p + at, reason);
	return !reason;
}

/* ---- lines ---- */

static void hand_on(struct scan *s, const struct word *word)
{
	int rc = s->on_entry(s->user, &s->entry, &s->err);
	s->is_over = rc < 0;
	s->entries += rc == 0;
	if (rc > 0)
		warn(s, word->p, s->err.text);
}

static void read_alias(struct scan *s)
{
	struct word alias, target, more;
	struct hosts_entry *entry = &s->entry;
	if (!next_word(s, &alias) || !next_word(s, &target) || next_word(s, &more)) {
		warn(s, s->source->lex.line_start,
			"\"cname\" takes an alias and its target; the line is skipped");
		return;
	}
	entry->kind = HOSTS_ALIAS;
	entry->is_first = true;
	if (!take_name(s, &alias, &entry->name) || !take_name(s, &target, &entry->target))
		return;
	if (name_is_equal(entry->name.bytes, entry->target.bytes))
		warn(s, target.p, "an alias of itself; the line is skipped");
	else
		hand_on(s, &alias);
}

static bool read_address(struct hosts_entry *entry, const struct word *word)
{
	entry->kind = HOSTS_IPV4;
	if (text_is_ipv4(word->p, word->n, entry->address))
		return true;
	entry->kind = HOSTS_IPV6;
	return text_is_ipv6(word->p, word->n, entry->address);
}

static void read_line(struct scan *s)
{
	struct word word, name;
	if (!next_word(s, &word))
		return;
	if (word.n == 5 && strncasecmp(word.p, "cname", 5) == 0) {
		read_alias(s);
		return;
	}
	if (!read_address(&s->entry, &word)) {
		warn(s, word.p,
			memchr(word.p, '%', word.n)
				? "an address with a zone is of no use to others; the line is "
				  "skipped"
				: "neither an IPv4 nor an IPv6 address; the line is skipped");
		return;
	}
	if (!next_word(s, &name)) {
		warn(s, word.p, "an address without a name");
		return;
	}
	s->entry.is_first = true;
	do {
		if (take_name(s, &name, &s->entry.name))
			hand_on(s, &name);
		s->entry.is_first = false;
	} while (!s->is_over && next_word(s, &name));
}

/* What is too long to be shown whole. -EIO when the file cannot be read. */
static int skip_line(struct scan *s, struct err *err)
{
	struct lex *lex = &s->source->lex;
	const char *newline = NULL;
	warn(s, lex->p, "the line is 1 MiB long or longer; it is skipped");
	while (!newline && lex->p < lex->end && s->taken < TEXT_MAX) {
		newline = memchr(lex->p, '\n', (size_t)(lex->end - lex->p));
		const char *to = newline ? newline + 1 : lex->end;
		s->taken += (uint64_t)(to - lex->p);
		lex->p = to;
		int rc = source_fill(s->source, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* 1; 0 at the end of the text; a negative errno. */
static int next_line(struct scan *s, struct err *err)
{
	struct lex *lex = &s->source->lex;
	int rc = source_fill(s->source, err);
	if (rc < 0 || lex->p == lex->end)
		return rc;
	lex->line_start = lex->p;
	if (s->taken >= TEXT_MAX) {
		warn(s, lex->p,
			"the file is longer than 256 MiB; this is as far as it is read");
		return 0;
	}
	size_t n = (size_t)(lex->end - lex->p), seen = n < LINE_MAX_LEN ? n : LINE_MAX_LEN;
	const char *newline = memchr(lex->p, '\n', seen);
	if (!newline && seen == LINE_MAX_LEN) {
		rc = skip_line(s, err);
		lex->line++;
		return rc < 0 ? rc : 1;
	}
	s->at = lex->p;
	s->end = newline ? newline : lex->end;
	lex->p = newline ? newline + 1 : lex->end;
	s->taken += (uint64_t)(lex->p - s->at);
	const char *comment = memchr(s->at, '#', (size_t)(s->end - s->at));
	if (comment)
		s->end = comment;
	read_line(s);
	lex->line++;
	return 1;
}

static int scan_source(struct scan *s, struct err *err)
{
	int rc;
	while ((rc = next_line(s, err)) > 0 && !s->is_over)
		;
	return rc < 0 ? rc : 0;
}

long hosts_scan(const char *path, hosts_entry_fn *on_entry, void *user,
	struct complaints *complaints, struct err *err)
{
	struct source source;
	int rc = source_open(&source, path, NULL, NULL, err);
	if (rc < 0)
		return rc;
	struct scan s = { &source, on_entry, user, .complaints = complaints };
	rc = scan_source(&s, err);
	source_close(&source);
	return rc < 0 ? rc : s.entries;
}

long hosts_scan_text(const char *name, const char *text, size_t n, hosts_entry_fn *on_entry,
	void *user, struct complaints *complaints)
{
	struct source source;
	source_text(&source, name, text, n);
	struct scan s = { &source, on_entry, user, .complaints = complaints };
	(void)scan_source(&s, NULL); /* nothing is read, so nothing can fail */
	return s.entries;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/generate.h"
#include "text/scan.h"

#include "base/mem.h"
#include "base/near.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	INCLUDE_DEPTH_MAX = 10,
	INCLUDES_MAX = 10000,
	INCLUDED_AGAIN_MAX = 64 * 1024 * 1024,
	GENERATED_MAX = 16 * GENERATE_MAX,
	GENERATED_BYTES_MAX = 128 * 1024 * 1024,
};

/* A bound of the zone as a whole: the scan is over, since each further line would pass it. */
static int too_much(struct scan *scan, struct entry *entry, const struct token *at, int max,
	const char *what)
{
	scan->is_over = true;
	return entry_fail(entry, at, "the zone has more than %d %s", max, what);
}

/* The argument of a directive; what it is goes into the refusal when there is none. */
static int argument(
	struct source *source, struct entry *entry, struct token *token, const char *what)
{
	switch (entry_next(source, entry, token)) {
	case LEX_WORD:
	case LEX_QUOTED:
		return 0;
	case LEX_ERROR:
		return -EINVAL;
	default:
		return entry_fail(entry, token, "%s is missing", what);
	}
}

static int read_origin(struct source *source, struct entry *entry, const struct token *token,
	struct name *origin)
{
	if (name_from_text(
		    origin, token->text, token->len, source->origin.bytes, &entry->err) == 0)
		return 0;
	entry->at = *token;
	return -EINVAL;
}

static int do_origin(struct scan *scan, struct source *source, struct entry *entry)
{
	(void)scan;
	struct token token;
	struct name origin;
	if (argument(source, entry, &token, "the name of the new origin") < 0 ||
		read_origin(source, entry, &token, &origin) < 0 || entry_end(source, entry) < 0)
		return -EINVAL;
	source->origin = origin;
	return 0;
}

static int do_ttl(struct scan *scan, struct source *source, struct entry *entry)
{
	struct token token;
	uint32_t ttl;
	if (argument(source, entry, &token, "the TTL") < 0 ||
		entry_read_ttl(entry, &token, &ttl) < 0 || entry_end(source, entry) < 0)
		return -EINVAL;
	scan->default_ttl = ttl;
	scan->has_default = true;
	return 0;
}

/* The name of a file, backslashes taken off. Returns its length, 0 when it is too long or
 * empty. */
static size_t file_name(char *out, size_t size, const struct token *token)
{
	size_t n = 0;
	for (size_t i = 0; i < token->len && n < size; i++) {
		if (token->text[i] == '\\' && i + 1 < token->len)
			i++;
		out[n++] = token->text[i];
	}
	return n < size ? n : 0;
}

static int child_open(struct scan *scan, struct source *source, struct source *child,
	struct entry *entry, const struct token *file)
{
	char name[PATH_MAX];
	char *path, *real;
	size_t n = file_name(name, sizeof name, file);
	int rc = source_resolve(&path, &real, source, scan->folder, name, n, &entry->err);
	if (rc < 0 && path)
		source_note(scan->files, path);
	if (rc == 0)
		rc = source_open(child, path, real, scan->files, &entry->err);
	mem_free(path);
	mem_free(real);
	if (rc < 0) {
		entry->at = *file;
		return -EINVAL;
	}
	for (const struct source *up = source; up; up = up->from)
		if (up->dev == child->dev && up->ino == child->ino) {
			source_close(child);
			return entry_fail(entry, file, "the file includes itself%s",
				up == source ? "" : " by way of another");
		}
	child->from = source;
	child->depth = source->depth + 1;
	return 0;
}

/* Counts what is read again: a few small files that include each other often would else be a
 * zone without end. */
static int note_included(struct scan *scan, struct entry *entry, const struct token *file,
	const struct source *child)
{
	size_t i = 0;
	while (i < scan->included_n &&
		(scan->included[i].dev != child->dev || scan->included[i].ino != child->ino))
		i++;
	if (i < scan->included_n) {
		scan->included_again += child->size;
		if (scan->included_again > INCLUDED_AGAIN_MAX)
			return too_much(scan, entry, file, INCLUDED_AGAIN_MAX,
				"bytes of files included more than once");
		return 0;
	}
	if ((i & (i - 1)) == 0)
		scan->included =
			mem_grow(scan->included, (i ? 2 * i : 1) * sizeof scan->included[0]);
	scan->included[scan->included_n++] = (struct included){ child->dev, child->ino };
	return 0;
}

static int do_include(struct scan *scan, struct source *source, struct entry *entry)
{
	struct token file, token;
	struct name origin = source->origin;
	if (argument(source, entry, &file, "the name of the file") < 0)
		return -EINVAL;
	enum lex_kind kind = entry_next(source, entry, &token);
	if (kind == LEX_ERROR)
		return -EINVAL;
	if (kind == LEX_WORD || kind == LEX_QUOTED) {
		if (read_origin(source, entry, &token, &origin) < 0 ||
			entry_end(source, entry) < 0)
			return -EINVAL;
	}
	if (!scan->folder && scan->path)
		scan->folder = source_folder(scan->path);
	if (!scan->folder)
		return entry_fail(entry, &file, "nothing can be included here");
	if (source->depth == INCLUDE_DEPTH_MAX)
		return entry_fail(entry, &file, "files are included more than %d deep",
			INCLUDE_DEPTH_MAX);
	if (scan->includes++ == INCLUDES_MAX)
		return too_much(scan, entry, &file, INCLUDES_MAX, "files included");

	struct source child;
	if (child_open(scan, source, &child, entry, &file) < 0)
		return -EINVAL;
	if (note_included(scan, entry, &file, &child) < 0) {
		source_close(&child);
		return -EINVAL;
	}
	child.origin = origin;
	struct name owner = scan->owner;
	bool has_owner = scan->has_owner;
	scan_source(scan, &child);
	source_close(&child);
	scan->owner = owner;
	scan->has_owner = has_owner;
	scan->last_type = 0;
	return 0;
}

struct template
{ /* the two texts of a $GENERATE and what stands between */
	struct token owner, rdata;
	struct generate range;
	char text[GENERATE_TEXT_MAX]; /* the RDATA: words with one blank between, quotes kept */
	size_t text_n;
};

static int template_put(struct template *t, struct entry *entry, const char *text, size_t n)
{
	if (n > sizeof t->text - t->text_n)
		return entry_fail(
			entry, &t->rdata, "the template is over %d bytes", GENERATE_TEXT_MAX);
	memcpy(t->text + t->text_n, text, n);
	t->text_n += n;
	return 0;
}

/* A template in one pair of quotes is RDATA with blanks in it: its quotes go, and \" becomes ".
 */
static void template_unquote(struct template *t)
{
	size_t n = 0;
	for (size_t i = 1; i + 1 < t->text_n; i++) {
		if (t->text[i] == '\\' && t->text[i + 1] == '"')
			i++;
		else if (t->text[i] == '\\')
			t->text[n++] = t->text[i++];
		t->text[n++] = t->text[i];
	}
	t->text_n = n;
}

static int template_read_rdata(struct source *source, struct entry *entry, struct template *t)
{
	struct token token;
	const char *behind = NULL;
	size_t words = 0;
	enum lex_kind kind;
	while ((kind = entry_next(source, entry, &token)) == LEX_WORD || kind == LEX_QUOTED) {
		bool is_quoted = kind == LEX_QUOTED;
		if (words++ == 0)
			t->rdata = token;
		/* key="value" stays one piece */
		else if ((!is_quoted || behind + 1 != token.text) &&
			 template_put(t, entry, " ", 1) < 0)
			return -EINVAL;
		if (template_put(t, entry, token.text - is_quoted,
			    token.len + 2 * (size_t)is_quoted) < 0)
			return -EINVAL;
		behind = token.text + token.len;
	}
	if (kind == LEX_ERROR)
		return -EINVAL;
	if (words == 0)
		return entry_fail(entry, &token, "the template of the RDATA is missing");
	if (words == 1 && t->rdata.kind == LEX_QUOTED)
		template_unquote(t);
	return 0;
}

static int generate_one(struct scan *scan, const struct source *source, struct entry *entry,
	const struct template *t, uint32_t value)
{
	char text[GENERATE_TEXT_MAX];
	entry->at = t->owner;
	entry->knows_owner = false;
	int n = generate_print(text, t->owner.text, t->owner.len, value, &entry->err);
	if (n < 0)
		return -EINVAL;
	if (entry_read_owner(scan, source, entry, text, (size_t)n) < 0) {
		entry->at = t->owner;
		return -EINVAL;
	}
	n = generate_print(text, t->text, t->text_n, value, &entry->err);
	if (n >= 0) {
		struct lex lex;
		struct token at;
		lex_init(&lex, text, (size_t)n);
		n = rdata_parse(
			entry->type, &lex, source->origin.bytes, scan->rdata, &at, &entry->err);
		if (n >= 0 && lex_next(&lex, &at, &entry->err) != LEX_END)
			n = err_set(&entry->err, -EINVAL, "the RDATA goes on behind its end");
	}
	if (n < 0) {
		entry->at = t->rdata;
		return -EINVAL;
	}
	scan->generated_bytes += scan->owner.len + (size_t)n;
	return entry_emit(scan, source, entry, (size_t)n);
}

static int generate_all(struct scan *scan, const struct source *source, struct entry *entry,
	const struct template *t)
{
	for (uint64_t i = t->range.start; i <= t->range.stop && !scan->is_over;
		i += t->range.step) {
		if (scan->generated++ == GENERATED_MAX)
			return too_much(
				scan, entry, &t->owner, GENERATED_MAX, "generated records");
		if (scan->generated_bytes > GENERATED_BYTES_MAX)
			return too_much(scan, entry, &t->rdata, GENERATED_BYTES_MAX,
				"bytes of generated records");
		if (generate_one(scan, source, entry, t, (uint32_t)i) < 0) {
			char reason[sizeof entry->err.text];
			memcpy(reason, entry->err.text, sizeof reason);
			return err_set(&entry->err, -EINVAL, "for %u: %s", (unsigned)i, reason);
		}
	}
	return 0;
}

static int do_generate(struct scan *scan, struct source *source, struct entry *entry)
{
	struct token token;
	struct template t;
	t.text_n = 0;
	if (argument(source, entry, &token, "the range") < 0)
		return -EINVAL;
	if (generate_read_range(&t.range, token.text, token.len, &entry->err) < 0) {
		entry->at = token;
		return -EINVAL;
	}
	if (argument(source, entry, &t.owner, "the template of the owner") < 0)
		return -EINVAL;
	if (entry_next(source, entry, &token) == LEX_ERROR ||
		entry_read_type(scan, source, entry, &token) < 0 ||
		template_read_rdata(source, entry, &t) < 0)
		return -EINVAL;

	struct name owner = scan->owner;
	bool has_owner = scan->has_owner;
	entry->owner_at = t.owner;
	int rc = generate_all(scan, source, entry, &t);
	/* The complaint names the owner it is about; only a good line gives the old one back.
	 */
	if (rc < 0)
		return rc;
	scan->owner = owner;
	scan->has_owner = has_owner;
	scan->last_type = 0;
	return 0;
}

static const struct directive {
	const char *name;
	int (*read)(struct scan *scan, struct source *source, struct entry *entry);
} directives[] = {
	{ "$ORIGIN", do_origin },
	{ "$TTL", do_ttl },
	{ "$INCLUDE", do_include },
	{ "$GENERATE", do_generate },
};

int directive_read(struct scan *scan, struct source *source, struct entry *entry,
	const struct token *token)
{
	const char *names[array_len(directives)];
	for (size_t i = 0; i < array_len(directives); i++) {
		names[i] = directives[i].name;
		if (strlen(names[i]) == token->len &&
			strncasecmp(names[i], token->text, token->len) == 0)
			return directives[i].read(scan, source, entry);
	}
	char word[64];
	(void)snprintf(word, sizeof word, "%.*s", (int)(token->len < 63 ? token->len : 63),
		token->text);
	const char *near = near_find(word, names, array_len(names));
	if (near)
		return entry_fail(
			entry, token, "unknown directive '%s', did you mean %s?", word, near);
	return entry_fail(entry, token,
		"unknown directive '%s'; an owner that begins with a dollar is written \\$",
		word);
}

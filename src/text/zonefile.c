/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/zonefile.h"

#include "base/mem.h"
#include "text/complain.h"
#include "text/scan.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	ERRORS_MAX = 10000
};

static void tell(struct scan *scan, const struct source *source, const struct token *at,
	bool is_error, const char *reason)
{
	struct place place = {
		.file = source->name,
		.line = at->line,
		.column = at->column,
		.line_start = at->line_start,
		.end = source->lex.end,
	};
	complain(scan->complaints, is_error, &place, reason);
	if (is_error && ++scan->errors == ERRORS_MAX)
		scan->is_over = true;
}

/* "owner TYPE: reason", as far as they are known. */
void entry_tell(struct scan *scan, const struct source *source, const struct entry *entry,
	bool is_error)
{
	char reason[sizeof entry->err.text + NAME_TEXT_MAX + 32] = "", type[RRTYPE_TEXT_MAX];
	size_t n = 0;
	if (scan->is_quiet && !entry->is_judged)
		return;
	if (!complain_is_kept(scan->complaints, is_error)) {
		tell(scan, source, &entry->at, is_error, "");
		return;
	}
	if (entry->knows_owner && scan->has_owner)
		n = name_print(reason, scan->owner.bytes);
	if (entry->knows_type)
		n += (size_t)snprintf(reason + n, sizeof reason - n, "%s%s", n ? " " : "",
			rrtype_print(type, entry->type));
	(void)snprintf(reason + n, sizeof reason - n, "%s%s", n ? ": " : "", entry->err.text);
	tell(scan, source, &entry->at, is_error, reason);
}

static int read_record(
	struct scan *scan, struct source *source, struct entry *entry, struct token *token)
{
	if (entry_read_type(scan, source, entry, token) < 0)
		return -EINVAL;
	entry->at = *token;
	int n = rdata_parse(entry->type, &source->lex, source->origin.bytes, scan->rdata,
		&entry->at, &entry->err);
	if (n < 0 || entry_end(source, entry) < 0)
		return -EINVAL;
	return entry_emit(scan, source, entry, (size_t)n);
}

static int read_entry(struct scan *scan, struct source *source, struct entry *entry)
{
	struct token token;
	enum lex_kind kind = entry_next(source, entry, &token);
	entry->owner_at = token;
	switch (kind) {
	case LEX_NEWLINE:
	case LEX_END:
		return 0;
	case LEX_ERROR:
		return -EINVAL;
	case LEX_QUOTED:
		return entry_fail(
			entry, &token, "an owner is expected here, which has no quotes");
	case LEX_WORD:
		if (token.text[0] == '$')
			return directive_read(scan, source, entry, &token);
		if (entry_read_owner(scan, source, entry, token.text, token.len) < 0)
			return -EINVAL;
		(void)entry_next(source, entry, &token);
		return read_record(scan, source, entry, &token);
	case LEX_BLANK:
		break;
	}
	kind = entry_next(source, entry, &token);
	if (kind == LEX_NEWLINE || kind == LEX_END)
		return 0;
	if (kind == LEX_ERROR)
		return -EINVAL;
	entry->owner_at = token;
	if (!scan->has_owner)
		return entry_fail(entry, &token,
			"the line begins with a blank, but no record before it has an owner");
	entry->knows_owner = true;
	return read_record(scan, source, entry, &token);
}

/* Goes on to the next line outside parentheses. An open '(' found on the way is the better
 * complaint. */
static void skip_entry(struct source *source, struct entry *entry)
{
	struct lex *lex = &source->lex;
	if (lex->p == lex->line_start && lex->depth == 0)
		return;
	struct token token;
	struct err err;
	for (;;) {
		unsigned depth = lex->depth;
		enum lex_kind kind = lex_next(lex, &token, &err);
		if (kind == LEX_NEWLINE || kind == LEX_END)
			return;
		if (kind == LEX_ERROR && depth > 0 && lex->depth == 0) {
			entry->at = token;
			entry->err = err;
			return;
		}
	}
}

static void scan_entry(struct scan *scan, struct source *source)
{
	struct entry entry;
	entry.knows_owner = entry.knows_type = entry.has_ttl = entry.has_class =
		entry.is_judged = false;
	int rc = read_entry(scan, source, &entry);
	if (unlikely(rc < 0))
		skip_entry(source, &entry);
	/* Only a record that does not fit the window reaches its end. */
	if (unlikely(source->lex.p == source->lex.end && !source->is_whole)) {
		bool is_open = rc < 0 && entry.at.kind == LEX_ERROR && *entry.at.text == '(';
		struct token at = is_open ? entry.at : entry.owner_at;
		scan->is_over = true;
		rc = entry_fail(&entry, &at,
			"what begins here does not end within %d bytes of text",
			SOURCE_RECORD_MAX);
	}
	if (unlikely(rc < 0))
		entry_tell(scan, source, &entry, true);
}

void scan_source(struct scan *scan, struct source *source)
{
	struct err err;
	while (!scan->is_over) {
		if (source_fill(source, &err) < 0) {
			struct token at = { .line = source->lex.line, .column = 1 };
			if (!scan->is_quiet)
				tell(scan, source, &at, true, err.text);
			scan->is_over = true;
			return;
		}
		if (source->lex.p == source->lex.end)
			return;
		scan_entry(scan, source);
	}
}

static struct scan *scan_new(
	zonefile_record_fn *on_record, void *user, struct complaints *complaints)
{
	/* Small zones come by the thousand: the buffer is not worth clearing each time. */
	struct scan *scan = mem_grow(NULL, sizeof *scan);
	memset(scan, 0, offsetof(struct scan, rdata));
	scan->on_record = on_record;
	scan->user = user;
	scan->complaints = complaints;
	return scan;
}

static long scan_free(struct scan *scan)
{
	long records = scan->errors ? -1 : scan->records;
	mem_free(scan->folder);
	mem_free(scan->included);
	mem_free(scan);
	return records;
}

static void scan_file(struct scan *scan, const char *path, const uint8_t *origin)
{
	struct err err;
	struct source source;
	if (source_open(&source, path, NULL, scan->files, &err) < 0) {
		struct place place = { .file = path, .line = 1, .column = 1 };
		if (!scan->is_quiet)
			complain(scan->complaints, true, &place, err.text);
		scan->errors++;
		return;
	}
	source.origin.len = (uint8_t)name_len(origin);
	memcpy(source.origin.bytes, origin, source.origin.len);
	scan->path = path;
	scan_source(scan, &source);
	source_close(&source);
}

long zonefile_scan(const char *path, const uint8_t *origin, zonefile_record_fn *on_record,
	void *user, struct complaints *complaints, struct zonefile_files *files)
{
	struct scan *scan = scan_new(on_record, user, complaints);
	scan->files = files;
	scan_file(scan, path, origin);
	return scan_free(scan);
}

void zonefile_rescan(const char *path, const uint8_t *origin, zonefile_record_fn *on_record,
	void *user, struct complaints *complaints)
{
	struct scan *scan = scan_new(on_record, user, complaints);
	scan->is_quiet = true;
	scan_file(scan, path, origin);
	(void)scan_free(scan);
}

long zonefile_scan_text(const char *name, const char *text, size_t n, const uint8_t *origin,
	zonefile_record_fn *on_record, void *user, struct complaints *complaints)
{
	struct scan *scan = scan_new(on_record, user, complaints);
	struct source source;
	source_text(&source, name, text, n);
	source.origin.len = (uint8_t)name_len(origin);
	memcpy(source.origin.bytes, origin, source.origin.len);
	scan_source(scan, &source);
	source_close(&source);
	return scan_free(scan);
}

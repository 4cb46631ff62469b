/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/scan.h"

#include "base/bytes.h"
#include "base/near.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	WORD_SHOWN = 64
};

static const uint32_t ttl_max = INT32_MAX; /* RFC 2181 8 */

int entry_fail(struct entry *entry, const struct token *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(entry->err.text, sizeof entry->err.text, fmt, ap);
	va_end(ap);
	entry->at = *at;
	return -EINVAL;
}

/* Length of a word as far as it is shown. */
static int shown(const struct token *token)
{
	return (int)(token->len < WORD_SHOWN ? token->len : WORD_SHOWN);
}

enum lex_kind entry_next(struct source *source, struct entry *entry, struct token *token)
{
	enum lex_kind kind = lex_next(&source->lex, token, &entry->err);
	if (unlikely(kind == LEX_ERROR))
		entry->at = *token;
	return kind;
}

int entry_end(struct source *source, struct entry *entry)
{
	struct token token;
	enum lex_kind kind = entry_next(source, entry, &token);
	if (likely(kind == LEX_NEWLINE || kind == LEX_END))
		return 0;
	if (kind == LEX_ERROR)
		return -EINVAL;
	return entry_fail(entry, &token, "nothing is expected here, but '%.*s' follows",
		shown(&token), token.text);
}

int entry_read_ttl(struct entry *entry, const struct token *token, uint32_t *ttl)
{
	uint64_t sum = 0, x = 0;
	bool has_digits = false;
	for (size_t i = 0; i < token->len && sum <= ttl_max && x <= ttl_max; i++) {
		char c = token->text[i];
		if (c >= '0' && c <= '9') {
			x = x * 10 + (uint64_t)(c - '0');
			has_digits = true;
			continue;
		}
		uint32_t unit = lex_unit_seconds(c);
		if (unit == 0 || !has_digits)
			return entry_fail(entry, token,
				"'%.*s' is no TTL, which is seconds or numbers with the units "
				"w d h m s",
				shown(token), token->text);
		sum += x * unit;
		x = 0;
		has_digits = false;
	}
	if (token->len == 0)
		return entry_fail(entry, token, "the TTL is empty");
	if (sum + x > ttl_max)
		return entry_fail(entry, token, "the TTL '%.*s' is over 2147483647 seconds",
			shown(token), token->text);
	*ttl = (uint32_t)(sum + x);
	return 0;
}

/* The class a word names, or -1. ANY is left out: as a word it is read as the type. */
static int class_from_text(const char *text, size_t n)
{
	static const struct {
		char name[8];
		uint16_t code;
	} classes[] = { { "IN", CLASS_IN }, { "CS", 2 }, { "CH", CLASS_CH }, { "HS", CLASS_HS },
		{ "NONE", CLASS_NONE } };
	for (size_t i = 0; i < array_len(classes); i++)
		if (strlen(classes[i].name) == n && strncasecmp(classes[i].name, text, n) == 0)
			return classes[i].code;
	if (n < 6 || n > 10 || strncasecmp(text, "CLASS", 5) != 0)
		return -1;
	uint32_t x = 0;
	for (size_t i = 5; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		x = x * 10 + (uint32_t)(text[i] - '0');
	}
	return x <= UINT16_MAX ? (int)x : -1;
}

static int unknown_type(struct entry *entry, const struct token *token)
{
	if (token->text[0] == '$')
		return entry_fail(entry, token,
			"unknown type '%.*s'; a directive begins in the first column",
			shown(token), token->text);
	char word[WORD_SHOWN];
	(void)snprintf(word, sizeof word, "%.*s", shown(token), token->text);
	const char *near = rrtype_near(token->text, token->len);
	if (!entry->has_class &&
		near_distance(word, "IN") <= (near ? near_distance(word, near) : 1))
		near = "IN";
	if (near)
		return entry_fail(
			entry, token, "unknown type '%s', did you mean %s?", word, near);
	return entry_fail(entry, token, "unknown type '%s'", word);
}

static int read_type(struct scan *scan, struct entry *entry, const struct token *token)
{
	if (likely(token->len == scan->type_seen_n &&
		    memcmp(token->text, scan->type_seen, token->len) == 0)) {
		entry->type = scan->type_seen_code;
		entry->knows_type = true;
		return 0;
	}
	int code = rrtype_from_text(token->text, token->len);
	if (code < 0)
		return unknown_type(entry, token);
	const struct rrtype *row = rrtype_find((uint16_t)code);
	if (code == 0 || (row && row->flags & RRTYPE_META))
		return entry_fail(entry, token,
			"%.*s is no type that a zone can have records of", shown(token),
			token->text);
	entry->type = (uint16_t)code;
	entry->knows_type = true;
	if (token->len <= TYPE_SEEN_MAX) {
		memcpy(scan->type_seen, token->text, token->len);
		scan->type_seen_n = token->len;
		scan->type_seen_code = entry->type;
	}
	return 0;
}

static int read_class(struct entry *entry, const struct token *token, int class)
{
	if (entry->has_class)
		return entry_fail(entry, token, "the class stands here a second time");
	if (class != CLASS_IN)
		return entry_fail(entry, token, "class %.*s: only zones of class IN are served",
			shown(token), token->text);
	entry->has_class = true;
	return 0;
}

int entry_read_type(
	struct scan *scan, struct source *source, struct entry *entry, struct token *token)
{
	for (;; (void)entry_next(source, entry, token)) {
		if (token->kind == LEX_ERROR)
			return -EINVAL;
		if (token->kind == LEX_QUOTED)
			return entry_fail(
				entry, token, "a type is expected here, which has no quotes");
		if (token->kind != LEX_WORD)
			return entry_fail(entry, token, "the record ends before its type");
		char c = token->text[0];
		if (c >= '0' && c <= '9') {
			if (entry->has_ttl)
				return entry_fail(
					entry, token, "the TTL stands here a second time");
			if (entry_read_ttl(entry, token, &entry->ttl) < 0)
				return -EINVAL;
			entry->has_ttl = true;
			/* Also when the record turns out bad: one error is enough. */
			scan->stated_ttl = entry->ttl;
			scan->has_stated = true;
			continue;
		}
		int class = class_from_text(token->text, token->len);
		if (class < 0)
			return read_type(scan, entry, token);
		if (read_class(entry, token, class) < 0)
			return -EINVAL;
	}
}

/* The usual owner, without escapes, in one pass. False: leave it to name_from_text, which also
 * knows what is wrong with it. */
static bool owner_plain(struct name *out, const char *text, size_t n, const struct name *origin)
{
	if (n == 0 || n > NAME_MAX_LEN - 2 || *text == '@')
		return false;
	uint8_t *label = out->bytes, *to = out->bytes + 1;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)text[i];
		if (c == '\\')
			return false;
		if (c != '.') {
			*to++ = c;
			continue;
		}
		size_t len = (size_t)(to - label - 1);
		if (len == 0 || len > LABEL_MAX_LEN)
			return false;
		*label = (uint8_t)len;
		label = to++;
	}
	size_t len = (size_t)(to - label - 1);
	if (len == 0) { /* behind a final dot: the root */
		*label = 0;
		out->len = (uint8_t)(to - out->bytes);
		return true;
	}
	size_t head = (size_t)(to - out->bytes);
	if (len > LABEL_MAX_LEN || head + origin->len > NAME_MAX_LEN)
		return false;
	*label = (uint8_t)len;
	memcpy(to, origin->bytes, origin->len);
	out->len = (uint8_t)(head + origin->len);
	return true;
}

int entry_read_owner(struct scan *scan, const struct source *source, struct entry *entry,
	const char *text, size_t n)
{
	struct name owner;
	if (!owner_plain(&owner, text, n, &source->origin) &&
		name_from_text(&owner, text, n, source->origin.bytes, &entry->err) < 0) {
		entry->at = entry->owner_at;
		return -EINVAL;
	}
	if (scan->last_type != 0 &&
		(owner.len != scan->owner.len ||
			memcmp(owner.bytes, scan->owner.bytes, owner.len) != 0))
		scan->last_type = 0;
	scan->owner.len = owner.len;
	memcpy(scan->owner.bytes, owner.bytes, owner.len);
	scan->has_owner = true;
	entry->knows_owner = true;
	return 0;
}

/* RFC 2308 4 and RFC 1035 5.1; the SOA's own minimum serves when a zone begins without any TTL.
 */
static int settle_ttl(struct scan *scan, struct entry *entry, size_t n)
{
	if (entry->has_ttl)
		return 0;
	if (scan->has_default) {
		entry->ttl = scan->default_ttl;
	} else if (scan->has_stated) {
		entry->ttl = scan->stated_ttl;
	} else if (entry->type == TYPE_SOA && n > 4) {
		entry->ttl = get_u32(scan->rdata + n - 4);
		if (entry->ttl > ttl_max)
			return entry_fail(entry, &entry->owner_at,
				"it states no TTL, and its minimum is over 2147483647 seconds");
		scan->stated_ttl = entry->ttl;
		scan->has_stated = true;
	} else {
		scan->has_stated = true; /* told once */
		return entry_fail(entry, &entry->owner_at,
			"it states no TTL, nor does a record or a $TTL before it");
	}
	return 0;
}

int entry_emit(struct scan *scan, const struct source *source, struct entry *entry, size_t n)
{
	if (settle_ttl(scan, entry, n) < 0)
		return -EINVAL;
	if (scan->last_type == entry->type && unlikely(scan->last_ttl != entry->ttl) &&
		entry->type != TYPE_RRSIG && !scan->is_quiet) {
		entry->at = entry->owner_at;
		(void)err_set(&entry->err, 0,
			"the TTL %u differs from the %u of the record before; a set has one, "
			"the lowest",
			entry->ttl, scan->last_ttl);
		entry_tell(scan, source, entry, false);
	}
	scan->last_type = entry->type;
	scan->last_ttl = entry->ttl;
	struct record record = {
		.owner = scan->owner.bytes,
		.type = entry->type,
		.class = CLASS_IN,
		.ttl = entry->ttl,
		.rdata_len = (uint16_t)n,
		.rdata = scan->rdata,
	};
	int rc = scan->on_record(scan->user, &record, &entry->err);
	if (likely(rc == 0)) {
		scan->records++;
		return 0;
	}
	entry->at = entry->owner_at;
	entry->is_judged = true;
	if (rc == -ECANCELED) {
		scan->is_over = true;
		return 0;
	}
	if (rc < 0)
		return -EINVAL;
	scan->records++;
	entry_tell(scan, source, entry, false);
	return 0;
}

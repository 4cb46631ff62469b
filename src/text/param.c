/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/field.h"
#include "text/mnemonic.h"
#include "text/rdata.h"
#include "wire/rdata.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { /* RFC 9460 14.3 */
	KEY_MANDATORY = 0,
	KEY_ALPN = 1,
	KEY_NO_DEFAULT_ALPN = 2,
	KEY_PORT = 3,
	KEY_IPV4HINT = 4,
	KEY_ECH = 5,
	KEY_IPV6HINT = 6,
	KEY_OHTTP = 8,
	KEY_GROUPS = 9,
	PARAMS_MAX = 65536 / 4,
	FEW_BYTES = 512, /* of parameters: most records have less */
	WORD_SHOWN = 64,
};

struct value { /* of one parameter, as text; NULL when there is no '=' */
	const char *text;
	size_t n;
	struct token at;
	bool is_generic; /* of a key written as number */
};

static int shown(size_t n)
{
	return (int)(n < WORD_SHOWN ? n : WORD_SHOWN);
}

/* keyNNNNN without leading zeros, or -1. */
static int numbered_key(const char *text, size_t n)
{
	uint64_t x;
	if (n < 4 || memcmp(text, "key", 3) != 0 || (text[3] == '0' && n > 4))
		return -1;
	return text_is_number(text + 3, n - 3, UINT16_MAX, &x) ? (int)x : -1;
}

static int key_from_text(struct parse *parse, const char *text, size_t n)
{
	int key = numbered_key(text, n);
	if (key < 0)
		key = mnemonic_find(mnemonic_params, mnemonic_params_n, text, n);
	if (key >= 0)
		return key;
	const char *near = mnemonic_near(mnemonic_params, mnemonic_params_n, text, n);
	if (near)
		return parse_fail(parse, "unknown parameter '%.*s', did you mean %s?", shown(n),
			text, near);
	return parse_fail(parse,
		"unknown parameter '%.*s'; one without a name is key and its number", shown(n),
		text);
}

/* Moves to the next piece of a list with commas. */
static bool next_piece(const char **p, const char *end, const char **piece, size_t *n)
{
	if (*p > end)
		return false;
	const char *comma = memchr(*p, ',', (size_t)(end - *p));
	*piece = *p;
	*n = (size_t)((comma ? comma : end) - *p);
	*p = (comma ? comma : end) + 1;
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static int put_mandatory(struct parse *parse, const struct value *value)
{
	enum {
		LIST_MAX = 64
	};
	uint16_t keys[LIST_MAX];
	size_t n = 0, len;
	const char *p = value->text, *piece;
	while (next_piece(&p, value->text + value->n, &piece, &len)) {
		int key = key_from_text(parse, piece, len);
		if (key < 0)
			return key;
		if (key == KEY_MANDATORY)
			return parse_fail(parse, "mandatory may not list itself");
		if (n == LIST_MAX)
			return parse_fail(parse, "mandatory lists more than %d keys", LIST_MAX);
		keys[n++] = (uint16_t)key;
	}
	qsort(keys, n, sizeof *keys, compare_keys);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && keys[i] == keys[i - 1])
			return parse_fail(parse, "mandatory lists a key twice");
		if (parse_put_number(parse, keys[i], 2) < 0)
			return -EINVAL;
	}
	return 0;
}

/* RFC 9460 A.1: the text is unescaped twice, first as any text of a zone file, then as a list
 * in which a backslash protects the next byte. The first pass is appended to out and read from
 * there: the list is never longer. */
static int put_alpn(struct parse *parse, const struct value *value)
{
	static const char wanted[] = "a protocol id of alpn has 1 to 255 bytes";
	size_t begin = parse->n, read, id;
	if (parse_put_number(parse, 0, 1) < 0 || parse_text(parse, value->text, value->n) < 0)
		return -EINVAL;
	uint8_t *out = parse->out;
	size_t end = parse->n, to = begin + 1;
	for (read = begin + 1, id = begin; read <= end; read++) {
		if (read < end && out[read] != ',') {
			if (out[read] == '\\' && ++read == end)
				return parse_fail(parse, "nothing follows the backslash");
			out[to++] = out[read];
			continue;
		}
		size_t len = to - id - 1;
		if (len == 0 || len > 255)
			return parse_fail(parse, wanted);
		out[id] = (uint8_t)len;
		id = to++;
	}
	parse->n = id;
	return 0;
}

static int put_hints(struct parse *parse, const struct value *value, bool is_ipv4)
{
	const char *p = value->text, *piece;
	size_t n;
	while (next_piece(&p, value->text + value->n, &piece, &n)) {
		uint8_t address[16];
		if (is_ipv4 ? !text_is_ipv4(piece, n, address)
			    : !text_is_ipv6(piece, n, address))
			return parse_fail(parse,
				"ipv%dhint wants addresses with commas, not '%.*s'",
				is_ipv4 ? 4 : 6, shown(n), piece);
		if (parse_put(parse, address, is_ipv4 ? 4 : 16) < 0)
			return -EINVAL;
	}
	return 0;
}

static int put_groups(struct parse *parse, const struct value *value)
{
	const char *p = value->text, *piece;
	size_t n;
	while (next_piece(&p, value->text + value->n, &piece, &n)) {
		uint64_t x;
		if (!text_is_number(piece, n, UINT16_MAX, &x))
			return parse_fail(parse,
				"tls-supported-groups wants numbers with commas, not '%.*s'",
				shown(n), piece);
		if (parse_put_number(parse, x, 2) < 0)
			return -EINVAL;
	}
	return 0;
}

static int put_port(struct parse *parse, const struct value *value)
{
	uint64_t x;
	if (!text_is_number(value->text, value->n, UINT16_MAX, &x))
		return parse_fail(parse, "port wants a number from 0 to 65535, not '%.*s'",
			shown(value->n), value->text);
	return parse_put_number(parse, x, 2);
}

/* The base64 of one value: a little scanner of its own over it. */
static int put_ech(struct parse *parse, const struct value *value)
{
	struct lex lex, *outer = parse->lex;
	lex_init(&lex, value->text, value->n);
	parse->lex = &lex;
	int rc = parse_base64(parse, true);
	parse->lex = outer;
	if (rc || lex.p != lex.end)
		rc = parse_fail(parse, "ech wants base64 text without spaces");
	*parse->at = value->at;
	return rc;
}

static int put_value(struct parse *parse, int key, const struct value *value)
{
	if (value->is_generic)
		return value->text ? parse_text(parse, value->text, value->n) : 0;
	const char *word = mnemonic_word(mnemonic_params, mnemonic_params_n, (unsigned)key);
	if (key == KEY_NO_DEFAULT_ALPN || key == KEY_OHTTP)
		return value->n == 0 ? 0 : parse_fail(parse, "%s has no value", word);
	if (value->n == 0)
		return parse_fail(parse, "%s wants a value: %s=...", word, word);
	switch (key) {
	case KEY_MANDATORY:
		return put_mandatory(parse, value);
	case KEY_ALPN:
		return put_alpn(parse, value);
	case KEY_PORT:
		return put_port(parse, value);
	case KEY_IPV4HINT:
	case KEY_IPV6HINT:
		return put_hints(parse, value, key == KEY_IPV4HINT);
	case KEY_ECH:
		return put_ech(parse, value);
	case KEY_GROUPS:
		return put_groups(parse, value);
	default:
		return parse_text(parse, value->text, value->n);
	}
}

static const char *key_word(char *out, size_t size, unsigned key)
{
	const char *word = mnemonic_word(mnemonic_params, mnemonic_params_n, key);
	if (word)
		(void)snprintf(out, size, "%s", word);
	else
		(void)snprintf(out, size, "key%u", key);
	return out;
}

/* Whether the parameter at begin, whose value was written as bytes, has one that its key takes.
 * It is judged alone, in a record for which the three bytes before it are lent. What mandatory
 * and no-default-alpn want depends on others and is seen later. */
static bool is_generic_good(struct parse *parse, size_t begin, int key)
{
	static const uint8_t head[3] = { 0, 1, 0 }; /* priority 1, the root */
	uint8_t lent[3], *p = parse->out + begin - sizeof head;
	if (key == KEY_MANDATORY || key > KEY_GROUPS)
		return true;
	if (key == KEY_NO_DEFAULT_ALPN)
		return parse->n == begin + 4;
	memcpy(lent, p, sizeof head);
	memcpy(p, head, sizeof head);
	bool is_good = rdata_check(TYPE_SVCB, p, parse->n - begin + sizeof head);
	memcpy(p, lent, sizeof head);
	return is_good;
}

/* The parameter whose word is at: appended as key, length, value. */
static int put_param(struct parse *parse)
{
	const struct token *at = parse->at;
	const char *sign = memchr(at->text, '=', at->len);
	size_t key_n = sign ? (size_t)(sign - at->text) : at->len;
	struct value value = { .at = *at };
	int key = key_from_text(parse, at->text, key_n);
	if (key < 0)
		return key;
	value.is_generic = numbered_key(at->text, key_n) >= 0;
	if (sign) {
		value.text = sign + 1;
		value.n = at->len - key_n - 1;
	}
	/* key="..." is a word and a quoted text right behind it. */
	const char *end = at->text + at->len;
	if (sign && value.n == 0 && parse->lex->p == end && end < parse->lex->end &&
		*end == '"') {
		if (parse_any(parse) < 0)
			return -EINVAL;
		value.text = at->text;
		value.n = at->len;
	}
	char word[32];
	size_t begin = parse->n;
	if (parse_put_number(parse, (uint64_t)key, 2) < 0 ||
		parse_put_number(parse, 0, 2) < 0 || put_value(parse, key, &value) < 0)
		return -EINVAL;
	put_u16(parse->out + begin + 2, (uint16_t)(parse->n - begin - 4));
	if (value.is_generic && !is_generic_good(parse, begin, key)) {
		*parse->at = value.at;
		return parse_fail(parse, "these bytes are no value of key%d, which is %s", key,
			key_word(word, sizeof word, (unsigned)key));
	}
	return 0;
}

struct param {
	uint16_t key, at; /* at: offset in RDATA */
};

static int compare_params(const void *a, const void *b)
{
	const struct param *x = a, *y = b;
	return (x->key > y->key) - (x->key < y->key);
}

static void sort_in(uint8_t *p, size_t n, struct param *list, uint8_t *copy)
{
	size_t count = 0;
	memcpy(copy, p, n);
	for (size_t at = 0; at < n; at += 4u + get_u16(p + at + 2))
		list[count++] = (struct param){ get_u16(p + at), (uint16_t)at };
	qsort(list, count, sizeof *list, compare_params);
	for (size_t i = 0; i < count; i++) {
		size_t len = 4u + get_u16(copy + list[i].at + 2);
		memcpy(p, copy + list[i].at, len);
		p += len;
	}
}

/* Functions of their own, for the large memory, which the compiler clears, is seldom needed. */
static __attribute__((noinline)) void sort_many(uint8_t *p, size_t n)
{
	struct param list[PARAMS_MAX];
	uint8_t copy[RDATA_MAX_LEN];
	sort_in(p, n, list, copy);
}

static __attribute__((noinline)) void sort_few(uint8_t *p, size_t n)
{
	struct param list[FEW_BYTES / 4];
	uint8_t copy[FEW_BYTES];
	sort_in(p, n, list, copy);
}

/* Points at the word of a key among the parameters, which lex begins with: at its first, or,
 * when it is there twice, at its second. Only a fault is worth this second look. */
static void point_at(struct parse *parse, struct lex lex, int key)
{
	struct token token;
	unsigned seen = 0;
	enum lex_kind kind;
	while (seen < 2 && ((kind = lex_next(&lex, &token, parse->err)) == LEX_WORD ||
				   kind == LEX_QUOTED)) {
		const char *sign = memchr(token.text, '=', token.len);
		size_t n = sign ? (size_t)(sign - token.text) : token.len;
		if (kind == LEX_WORD && key_from_text(parse, token.text, n) == key) {
			*parse->at = token;
			seen++;
		}
	}
}

/* RFC 9460 8: p, the value of mandatory, lists what is there. */
static int judge_mandatory(
	struct parse *parse, const struct lex *begin, const uint8_t *p, size_t n)
{
	char word[32];
	for (size_t i = 0; i + 2 <= get_u16(p + 2); i += 2) {
		unsigned key = get_u16(p + 4 + i);
		bool is_there = false;
		for (size_t at = 0; at < n; at += 4u + get_u16(p + at + 2))
			is_there |= get_u16(p + at) == key;
		if (is_there)
			continue;
		point_at(parse, *begin, KEY_MANDATORY);
		return parse_fail(parse, "mandatory lists %s, which is not there",
			key_word(word, sizeof word, key));
	}
	return 0;
}

/* RFC 9460 2.2 and 8, said in words; what is left rdata_check sees. begin: before the first of
 * the parameters in the text. */
static int judge_params(
	struct parse *parse, const struct lex *begin, const uint8_t *p, size_t n)
{
	char word[32];
	bool has_alpn = false;
	int last = -1;
	for (size_t at = 0; at < n; at += 4u + get_u16(p + at + 2)) {
		int key = get_u16(p + at);
		if (key == last) {
			point_at(parse, *begin, key);
			return parse_fail(parse, "the parameter %s stands here twice",
				key_word(word, sizeof word, (unsigned)key));
		}
		last = key;
		has_alpn |= key == KEY_ALPN;
		if (key == KEY_NO_DEFAULT_ALPN && !has_alpn) {
			point_at(parse, *begin, key);
			return parse_fail(parse, "no-default-alpn needs alpn beside it");
		}
	}
	return n > 0 && get_u16(p) == KEY_MANDATORY ? judge_mandatory(parse, begin, p, n) : 0;
}

int parse_params(struct parse *parse)
{
	const struct lex first = *parse->lex;
	size_t begin = parse->n;
	int rc, last = -1;
	bool is_sorted = true;
	while ((rc = parse_more(parse, "parameters as key=value")) == 1) {
		size_t at = parse->n;
		if (get_u16(parse->out) == 0)
			return parse_fail(parse,
				"priority 0 makes this an alias, which has no parameters");
		if (put_param(parse) < 0)
			return -EINVAL;
		is_sorted &= get_u16(parse->out + at) > last;
		last = get_u16(parse->out + at);
	}
	if (rc < 0)
		return rc;
	if (!is_sorted)
		(parse->n - begin <= FEW_BYTES ? sort_few : sort_many)(
			parse->out + begin, parse->n - begin);
	return judge_params(parse, &first, parse->out + begin, parse->n - begin);
}

static void print_key(struct print *print, unsigned key)
{
	char word[32];
	print_text(print, key_word(word, sizeof word, key));
}

/* Each id is escaped for the list, and that again as text. */
static void print_alpn(struct print *print, struct bytes *v)
{
	bool is_first = true;
	print_char(print, '"');
	while (v->n > 0) {
		size_t len = bytes_u8(v);
		const uint8_t *id = bytes_take(v, len);
		if (!is_first)
			print_char(print, ',');
		is_first = false;
		for (size_t i = 0; id && i < len; i++) {
			if (id[i] == ',' || id[i] == '\\')
				print_text(print, "\\\\");
			print_escaped(print, id + i, 1);
		}
	}
	print_char(print, '"');
}

static void print_item(struct print *print, unsigned key, struct bytes *v)
{
	uint8_t zero[16] = { 0 };
	const uint8_t *p;
	switch (key) {
	case KEY_MANDATORY:
		print_key(print, bytes_u16(v));
		return;
	case KEY_IPV4HINT:
		p = bytes_take(v, 4);
		print_ipv4(print, p ? p : zero);
		return;
	case KEY_IPV6HINT:
		p = bytes_take(v, 16);
		print_ipv6(print, p ? p : zero);
		return;
	default:
		print_number(print, bytes_u16(v));
		return;
	}
}

static void print_value(struct print *print, unsigned key, struct bytes *v)
{
	print_char(print, '=');
	switch (key) {
	case KEY_ALPN:
		print_alpn(print, v);
		return;
	case KEY_MANDATORY:
	case KEY_PORT:
	case KEY_IPV4HINT:
	case KEY_IPV6HINT:
	case KEY_GROUPS:
		for (bool is_first = true; v->n > 0; is_first = false) {
			if (!is_first)
				print_char(print, ',');
			print_item(print, key, v);
		}
		return;
	case KEY_ECH:
		print_base64(print, v->p, v->n);
		return;
	default:
		print_quoted(print, v->p, v->n);
		return;
	}
}

bool print_params(struct print *print, struct bytes *b)
{
	if (b->n > 0 && get_u16(print->rdata) == 0)
		return false; /* an alias with parameters: to be ignored, so it is no error */
	for (bool is_first = true; b->n > 0; is_first = false) {
		unsigned key = bytes_u16(b);
		struct bytes v = { .n = bytes_u16(b) };
		v.p = bytes_take(b, v.n);
		if (!v.p)
			return false;
		/* Longer lists than the parser takes. */
		if (key == KEY_MANDATORY && v.n > 128)
			return false;
		if (!is_first)
			print_char(print, ' ');
		print_key(print, key);
		if (v.n > 0)
			print_value(print, key, &v);
	}
	return true;
}

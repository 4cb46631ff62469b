/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/rdata.h"

#include "base/near.h"
#include "text/field.h"
#include "text/mnemonic.h"
#include "wire/name.h"
#include "wire/rdata.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	WORD_SHOWN = 64,
	STRING_MAX = 255,
	BITMAP_MAX = 8192,      /* a bit for each type */
	ZONEMD_DIGEST_MIN = 12, /* RFC 8976 2.2.4 */
	WINDOW = 32,            /* bytes of a bitmap that share a window */
};

int parse_fail(struct parse *parse, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (parse->err)
		(void)vsnprintf(parse->err->text, sizeof parse->err->text, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int shown(const struct token *token)
{
	return (int)(token->len < WORD_SHOWN ? token->len : WORD_SHOWN);
}

int parse_wants(struct parse *parse, const char *wanted)
{
	char type[RRTYPE_TEXT_MAX];
	const struct token *at = parse->at;
	rrtype_print(type, parse->type);
	if (at->kind == LEX_NEWLINE || at->kind == LEX_END)
		return parse_fail(parse, "%s wants %s, but the record ends here", type, wanted);
	if (at->kind == LEX_QUOTED)
		return parse_fail(parse, "%s wants %s, not the quoted \"%.*s\"", type, wanted,
			shown(at), at->text);
	return parse_fail(parse, "%s wants %s, not '%.*s'", type, wanted, shown(at), at->text);
}

/* The end of the record is the caller's: it stays in lex. */
int parse_any(struct parse *parse)
{
	const struct lex before = *parse->lex;
	enum lex_kind kind = lex_next(parse->lex, parse->at, parse->err);
	if (likely(kind == LEX_WORD || kind == LEX_QUOTED))
		return 1;
	if (kind == LEX_ERROR)
		return -EINVAL;
	*parse->lex = before;
	return 0;
}

int parse_more(struct parse *parse, const char *wanted)
{
	int rc = parse_any(parse);
	return rc == 1 && parse->at->kind == LEX_QUOTED ? parse_wants(parse, wanted) : rc;
}

int parse_word(struct parse *parse, const char *wanted)
{
	int rc = parse_any(parse);
	if (unlikely(rc < 0))
		return rc;
	return likely(rc == 1 && parse->at->kind == LEX_WORD) ? 0 : parse_wants(parse, wanted);
}

static int too_long(struct parse *parse)
{
	return parse_fail(parse, "the RDATA is longer than %d bytes", RDATA_MAX_LEN);
}

int parse_put(struct parse *parse, const void *p, size_t n)
{
	if (unlikely(n > RDATA_MAX_LEN - parse->n))
		return too_long(parse);
	memcpy(parse->out + parse->n, p, n);
	parse->n += n;
	return 0;
}

int parse_put_number(struct parse *parse, uint64_t x, unsigned bytes)
{
	uint8_t p[8];
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(x >> 8 * (bytes - 1 - i));
	return parse_put(parse, p, bytes);
}

bool text_is_number(const char *text, size_t n, uint64_t max, uint64_t *x)
{
	uint64_t sum = 0;
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';
		if (digit > 9 || sum > (max - digit) / 10 || digit > max)
			return false;
		sum = sum * 10 + digit;
	}
	*x = sum;
	return true;
}

bool text_is(const struct token *token, const char *word)
{
	return token->len == strlen(word) && strncasecmp(token->text, word, token->len) == 0;
}

int text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_is_ipv4(const char *text, size_t n, uint8_t out[4])
{
	const char *p = text, *end = text + n;
	for (unsigned i = 0; i < 4; i++) {
		unsigned x = 0, digits = 0;
		if (i > 0 && (p == end || *p++ != '.'))
			return false;
		for (; p < end && (unsigned)(*p - '0') <= 9; p++, digits++) {
			if (digits == 3 || (digits > 0 && x == 0)) /* 010 could be octal */
				return false;
			x = x * 10 + (unsigned)(*p - '0');
		}
		if (digits == 0 || x > 255)
			return false;
		out[i] = (uint8_t)x;
	}
	return p == end;
}

/* Up to four hexadecimal digits at *p; -1 when there are none or more. */
static int take_group(const char **p, const char *end)
{
	int x = 0;
	unsigned digits = 0;
	for (int d; *p < end && (d = text_hex_digit(**p)) >= 0; ++*p) {
		if (++digits > 4)
			return -1;
		x = x << 4 | d;
	}
	return digits ? x : -1;
}

bool text_is_ipv6(const char *text, size_t n, uint8_t out[16])
{
	uint8_t bytes[16] = { 0 };
	const char *p = text, *end = text + n;
	size_t len = 0;
	int gap = -1;
	if (n >= 2 && p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (p < end) {
		const char *group = p;
		int x = take_group(&p, end);
		if (x >= 0 && p < end && *p == '.') {
			if (len > 12 ||
				!text_is_ipv4(group, (size_t)(end - group), bytes + len))
				return false;
			len += 4;
			break;
		}
		if (x < 0 || len > 14)
			return false;
		put_u16(bytes + len, (uint16_t)x);
		len += 2;
		if (p == end)
			break;
		if (*p++ != ':' || p == end)
			return false;
		if (*p == ':') {
			if (gap >= 0)
				return false;
			gap = (int)len;
			p++;
		}
	}
	if ((gap < 0 && len != 16) || (gap >= 0 && len == 16))
		return false;
	size_t head = gap < 0 ? len : (size_t)gap, tail = len - head;
	memset(out, 0, 16);
	memcpy(out, bytes, head);
	memcpy(out + 16 - tail, bytes + head, tail);
	return true;
}

/* Its own function, for the phrase costs time that most numbers do not need. */
static __attribute__((noinline, cold)) int refuse_number(struct parse *parse, uint64_t max)
{
	char wanted[64];
	if (parse->at->kind == LEX_ERROR)
		return -EINVAL;
	(void)snprintf(
		wanted, sizeof wanted, "a number from 0 to %llu", (unsigned long long)max);
	return parse_wants(parse, wanted);
}

int parse_number(struct parse *parse, uint64_t max, uint64_t *x)
{
	if (likely(parse_word(parse, "a number") == 0 &&
		    text_is_number(parse->at->text, parse->at->len, max, x)))
		return 0;
	return refuse_number(parse, max);
}

static int parse_uint(struct parse *parse, unsigned bytes)
{
	uint64_t x;
	if (parse_number(parse, bytes == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * bytes) - 1, &x) <
		0)
		return -EINVAL;
	return parse_put_number(parse, x, bytes);
}

static int parse_period(struct parse *parse)
{
	static const char wanted[] = "a time in seconds or with the units w d h m s";
	uint64_t sum = 0, x = 0;
	bool has_digits = false;
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	for (size_t i = 0; i < parse->at->len; i++) {
		char c = parse->at->text[i];
		uint32_t unit = lex_unit_seconds(c);
		if (c >= '0' && c <= '9') {
			x = x * 10 + (uint64_t)(c - '0');
			has_digits = true;
		} else if (unit && has_digits) {
			sum += x * unit;
			x = 0;
			has_digits = false;
		} else {
			return parse_wants(parse, wanted);
		}
		if (x > UINT32_MAX || sum > UINT32_MAX)
			return parse_wants(parse, "a time of at most 4294967295 seconds");
	}
	if (sum + x > UINT32_MAX)
		return parse_wants(parse, "a time of at most 4294967295 seconds");
	return parse_put_number(parse, sum + x, 4);
}

/* Days from 1970 to a date of the Gregorian calendar. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	/* The year begins in March here, so that the leap day is its last. */
	int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* YYYYMMDDHHmmSS to seconds; -1 when there is no such time in 1970..2106. */
static int64_t seconds_from_date(const char *text)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	static const uint8_t lens[] = { 4, 2, 2, 2, 2, 2 };
	uint64_t v[6];
	for (unsigned i = 0; i < 6; text += lens[i++])
		if (!text_is_number(text, lens[i], 9999, &v[i]))
			return -1;
	if (v[1] < 1 || v[1] > 12 || v[2] < 1 || v[3] > 23 || v[4] > 59 || v[5] > 59)
		return -1;
	bool is_leap = v[0] % 4 == 0 && (v[0] % 100 != 0 || v[0] % 400 == 0);
	if (v[2] > days[v[1] - 1] + (v[1] == 2 && is_leap ? 1u : 0u))
		return -1;
	int64_t s = days_from_date((int64_t)v[0], (int64_t)v[1], (int64_t)v[2]) * 86400 +
		    (int64_t)(v[3] * 3600 + v[4] * 60 + v[5]);
	return s <= UINT32_MAX ? s : -1;
}

static int parse_time(struct parse *parse)
{
	static const char wanted[] =
		"a time as YYYYMMDDHHmmSS or in seconds since 1970, up to 2106";
	uint64_t x;
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	if (parse->at->len == 14) {
		int64_t s = seconds_from_date(parse->at->text);
		return s < 0 ? parse_wants(parse, wanted)
			     : parse_put_number(parse, (uint64_t)s, 4);
	}
	if (!text_is_number(parse->at->text, parse->at->len, UINT32_MAX, &x))
		return parse_wants(parse, wanted);
	return parse_put_number(parse, x, 4);
}

int parse_name(struct parse *parse)
{
	struct name name;
	if (parse_word(parse, "a domain name") < 0 ||
		name_from_text(
			&name, parse->at->text, parse->at->len, parse->origin, parse->err) < 0)
		return -EINVAL;
	return parse_put(parse, name.bytes, name.len);
}

static int parse_ipv4(struct parse *parse)
{
	static const char wanted[] = "an IPv4 address such as 192.0.2.1";
	uint8_t address[4];
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	if (!text_is_ipv4(parse->at->text, parse->at->len, address))
		return parse_wants(parse, wanted);
	return parse_put(parse, address, 4);
}

static int parse_ipv6(struct parse *parse)
{
	static const char wanted[] = "an IPv6 address such as 2001:db8::1";
	uint8_t address[16];
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	if (!text_is_ipv6(parse->at->text, parse->at->len, address))
		return parse_wants(parse, wanted);
	return parse_put(parse, address, 16);
}

/* The byte of \DDD at text[0..2], or -1. */
static int decimal_escape(const char *text, size_t n)
{
	uint64_t x;
	return n >= 3 && text_is_number(text, 3, 255, &x) ? (int)x : -1;
}

int parse_text(struct parse *parse, const char *text, size_t n)
{
	uint8_t *to = parse->out + parse->n, *end = parse->out + RDATA_MAX_LEN;
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)text[i];
		if (c == '\\') {
			if (++i == n)
				return parse_fail(parse, "nothing follows the backslash");
			c = (unsigned char)text[i];
			if (c >= '0' && c <= '9') {
				c = decimal_escape(text + i, n - i);
				i += 2;
			}
			if (c < 0)
				return parse_fail(parse, "bad escape: after \\ comes one "
							 "character or three digits "
							 "up to 255");
		}
		if (to == end)
			return too_long(parse);
		*to++ = (uint8_t)c;
	}
	parse->n = (size_t)(to - parse->out);
	return 0;
}

/* The token at as a character-string. */
static int put_string(struct parse *parse)
{
	size_t begin = parse->n;
	if (parse_put_number(parse, 0, 1) < 0 ||
		parse_text(parse, parse->at->text, parse->at->len) < 0)
		return -EINVAL;
	size_t len = parse->n - begin - 1;
	if (len > STRING_MAX)
		return parse_fail(parse,
			"this string has %zu bytes, more than the 255 that one may have; write "
			"it as several strings",
			len);
	parse->out[begin] = (uint8_t)len;
	return 0;
}

static int parse_string(struct parse *parse)
{
	int rc = parse_any(parse);
	if (rc < 0)
		return rc;
	return rc == 0 ? parse_wants(parse, "a text") : put_string(parse);
}

static int parse_string_maybe(struct parse *parse)
{
	int rc = parse_any(parse);
	return rc == 1 ? put_string(parse) : rc;
}

static int parse_strings(struct parse *parse)
{
	int rc = parse_string(parse);
	while (rc == 0 && (rc = parse_any(parse)) == 1)
		rc = put_string(parse);
	return rc;
}

static int parse_text_rest(struct parse *parse)
{
	int rc = parse_any(parse);
	if (rc < 0)
		return rc;
	if (rc == 0 || (parse->at->len == 0 && parse->type == TYPE_URI))
		return parse_wants(parse, "a text");
	return parse_text(parse, parse->at->text, parse->at->len);
}

/* The type that the word names, or -EINVAL. */
static int word_type(struct parse *parse)
{
	char type[RRTYPE_TEXT_MAX];
	const struct token *at = parse->at;
	int code = rrtype_from_text(at->text, at->len);
	if (likely(code >= 0))
		return code;
	const char *near = rrtype_near(at->text, at->len);
	rrtype_print(type, parse->type);
	if (near)
		return parse_fail(parse, "%s wants a record type, not '%.*s'; did you mean %s?",
			type, shown(at), at->text, near);
	return parse_wants(parse, "a record type such as A or TYPE1");
}

static int parse_type(struct parse *parse)
{
	if (parse_word(parse, "a record type such as A or TYPE1") < 0)
		return -EINVAL;
	int code = word_type(parse);
	return code < 0 ? code : parse_put_number(parse, (uint64_t)code, 2);
}

/* A number or a mnemonic of a list. */
static int parse_mnemonic(struct parse *parse, const struct mnemonic *list, size_t n,
	const char *wanted, unsigned bytes)
{
	char type[RRTYPE_TEXT_MAX];
	uint64_t x;
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	const struct token *at = parse->at;
	if (likely(text_is_number(at->text, at->len, (UINT64_C(1) << 8 * bytes) - 1, &x)))
		return parse_put_number(parse, x, bytes);
	int code = mnemonic_find(list, n, at->text, at->len);
	if (code >= 0)
		return parse_put_number(parse, (uint64_t)code, bytes);
	const char *near = mnemonic_near(list, n, at->text, at->len);
	if (!near)
		return parse_wants(parse, wanted);
	return parse_fail(parse, "%s wants %s, not '%.*s'; did you mean %s?",
		rrtype_print(type, parse->type), wanted, shown(at), at->text, near);
}

/* clang-format off */
static const int8_t base64_values[256] = { /* one more than the value */
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45,
	46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63, ['/'] = 64,
};
/* clang-format on */

struct base64 {
	uint32_t bits;
	unsigned n, pads; /* characters of the group so far; of them '=' */
	bool is_over;
};

/* Appends what the group holds; bits that are in no byte must be zero. */
static int base64_flush(struct parse *parse, struct base64 *b)
{
	uint8_t p[3] = { (uint8_t)(b->bits >> 16), (uint8_t)(b->bits >> 8), (uint8_t)b->bits };
	unsigned len = 3 - b->pads;
	if ((len < 3 && p[2]) || (len < 2 && p[1]))
		return parse_fail(parse, "the last character of this base64 text is damaged");
	b->is_over = b->pads > 0;
	b->bits = b->n = b->pads = 0;
	return parse_put(parse, p, len);
}

/* Takes whole groups without '=' from the start of the word; tells where the rest begins. */
static size_t base64_groups(struct parse *parse)
{
	const uint8_t *text = (const uint8_t *)parse->at->text;
	uint8_t *to = parse->out + parse->n, *end = parse->out + RDATA_MAX_LEN;
	size_t i = 0;
	for (; parse->at->len - i >= 4 && end - to >= 3; i += 4, to += 3) {
		int32_t a = base64_values[text[i]] - 1, b = base64_values[text[i + 1]] - 1,
			c = base64_values[text[i + 2]] - 1, d = base64_values[text[i + 3]] - 1;
		if ((a | b | c | d) < 0)
			break;
		uint32_t bits = (uint32_t)(a << 18 | b << 12 | c << 6 | d);
		to[0] = (uint8_t)(bits >> 16);
		to[1] = (uint8_t)(bits >> 8);
		to[2] = (uint8_t)bits;
	}
	parse->n = (size_t)(to - parse->out);
	return i;
}

static int base64_word(struct parse *parse, struct base64 *b)
{
	for (size_t i = b->n || b->is_over ? 0 : base64_groups(parse); i < parse->at->len;
		i++) {
		char c = parse->at->text[i];
		int value = base64_values[(uint8_t)c] - 1;
		if (c == '=' && b->n >= 2 && !b->is_over) {
			value = 0;
			b->pads++;
		} else if (value < 0 || b->pads || b->is_over) {
			return parse_wants(parse, "base64 text");
		}
		b->bits = b->bits << 6 | (uint32_t)value;
		if (++b->n == 4 && base64_flush(parse, b) < 0)
			return -EINVAL;
	}
	return 0;
}

int parse_base64(struct parse *parse, bool is_one_word)
{
	struct base64 b = { 0 };
	struct token last = *parse->at;
	int rc;
	while ((rc = parse_more(parse, "base64 text")) == 1) {
		if (base64_word(parse, &b) < 0)
			return -EINVAL;
		last = *parse->at;
		if (is_one_word)
			break;
	}
	if (rc < 0 || b.n == 0)
		return rc < 0 ? rc : 0;
	*parse->at = last;
	return parse_fail(parse, "the base64 text ends early: its length is no multiple of 4");
}

/* Hexadecimal digits over words; *half is the digit that waits for its other half, or -1. */
static int hex_word(struct parse *parse, int *half)
{
	const char *text = parse->at->text;
	uint8_t *to = parse->out + parse->n, *end = parse->out + RDATA_MAX_LEN;
	for (size_t i = 0; i < parse->at->len; i++) {
		int x = text_hex_digit(text[i]);
		if (x < 0)
			return parse_wants(parse, "hexadecimal digits");
		if (*half < 0) {
			*half = x;
			continue;
		}
		if (to == end)
			return too_long(parse);
		*to++ = (uint8_t)(*half << 4 | x);
		*half = -1;
	}
	parse->n = (size_t)(to - parse->out);
	return 0;
}

int parse_hex(struct parse *parse, bool is_one_word)
{
	struct token last = *parse->at;
	int half = -1, rc;
	while ((rc = parse_more(parse, "hexadecimal digits")) == 1) {
		if (hex_word(parse, &half) < 0)
			return -EINVAL;
		last = *parse->at;
		if (is_one_word)
			break;
	}
	if (rc < 0 || half < 0)
		return rc < 0 ? rc : 0;
	*parse->at = last;
	return parse_fail(parse, "the number of hexadecimal digits is odd");
}

/* parse_x appended something since n, or the record lacks it. */
static int need_bytes(struct parse *parse, int rc, size_t n, const char *wanted)
{
	return rc == 0 && parse->n == n ? parse_wants(parse, wanted) : rc;
}

/* Hexadecimal digits to the end; their first word is pointed at when they are too few. */
static int parse_digest(struct parse *parse)
{
	struct lex begin = *parse->lex;
	size_t n = parse->n;
	if (need_bytes(parse, parse_hex(parse, false), n, "hexadecimal digits") < 0)
		return -EINVAL;
	if (parse->type != TYPE_ZONEMD || parse->n - n >= ZONEMD_DIGEST_MIN)
		return 0;
	(void)lex_next(&begin, parse->at, parse->err);
	return parse_fail(parse, "ZONEMD wants a digest of at least %d bytes, not %zu",
		ZONEMD_DIGEST_MIN, parse->n - n);
}

static int parse_base64_dash(struct parse *parse)
{
	const struct lex before = *parse->lex;
	int rc = parse_more(parse, "base64 text or '-'");
	if (rc <= 0)
		return rc < 0 ? rc : parse_wants(parse, "base64 text or '-'");
	if (text_is(parse->at, "-"))
		return 0;
	*parse->lex = before;
	return parse_base64(parse, false);
}

/* A length byte before what was appended since begin. */
static int close_counted(struct parse *parse, size_t begin)
{
	size_t len = parse->n - begin - 1;
	if (len > STRING_MAX)
		return parse_fail(parse, "this has %zu bytes, more than 255", len);
	parse->out[begin] = (uint8_t)len;
	return 0;
}

static int parse_salt(struct parse *parse)
{
	size_t begin = parse->n;
	int half = -1;
	if (parse_put_number(parse, 0, 1) < 0 ||
		parse_word(parse, "a salt in hexadecimal digits, or '-'") < 0)
		return -EINVAL;
	if (text_is(parse->at, "-"))
		return 0;
	if (hex_word(parse, &half) < 0)
		return -EINVAL;
	if (half >= 0)
		return parse_fail(parse, "the number of hexadecimal digits is odd");
	return close_counted(parse, begin);
}

static int base32_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

/* Base32hex without padding: RFC 5155 3.3. */
static int parse_hash32(struct parse *parse)
{
	static const char wanted[] = "a hash in base32hex (digits and the letters a to v)";
	size_t begin = parse->n;
	uint32_t bits = 0;
	unsigned n = 0;
	if (parse_put_number(parse, 0, 1) < 0 || parse_word(parse, wanted) < 0)
		return -EINVAL;
	for (size_t i = 0; i < parse->at->len; i++) {
		int x = base32_digit(parse->at->text[i]);
		if (x < 0)
			return parse_wants(parse, wanted);
		bits = bits << 5 | (uint32_t)x;
		n += 5;
		if (n < 8)
			continue;
		n -= 8;
		if (parse_put_number(parse, bits >> n & 0xff, 1) < 0)
			return -EINVAL;
		bits &= (1u << n) - 1;
	}
	if (n >= 5 || bits || parse->n == begin + 1)
		return parse_wants(parse, wanted);
	return close_counted(parse, begin);
}

/* windows: how many of them may have a bit set; most records need the first alone. */
static int put_bitmap(struct parse *parse, const uint8_t *bits, size_t windows)
{
	for (size_t window = 0; window < windows; window++) {
		const uint8_t *p = bits + window * WINDOW;
		size_t len = WINDOW;
		while (len > 0 && !p[len - 1])
			len--;
		if (len == 0)
			continue;
		uint8_t head[2] = { (uint8_t)window, (uint8_t)len };
		if (parse_put(parse, head, 2) < 0 || parse_put(parse, p, len) < 0)
			return -EINVAL;
	}
	return 0;
}

static int parse_bitmap(struct parse *parse)
{
	uint8_t bits[BITMAP_MAX] = { 0 };
	size_t windows = 0;
	int rc;
	while ((rc = parse_more(parse, "a record type")) == 1) {
		int code = word_type(parse);
		if (code < 0)
			return code;
		bits[code / 8] |= (uint8_t)(0x80 >> code % 8);
		size_t window = (size_t)code / 8 / WINDOW;
		windows = window < windows ? windows : window + 1;
	}
	return rc < 0 ? rc : put_bitmap(parse, bits, windows);
}

static int parse_types_nxt(struct parse *parse)
{
	uint8_t bits[16] = { 0 };
	size_t len = sizeof bits;
	int rc;
	while ((rc = parse_more(parse, "a record type")) == 1) {
		int code = word_type(parse);
		if (code < 0)
			return code;
		if (code == 0 || code > 127)
			return parse_wants(parse, "types with codes from 1 to 127");
		bits[code / 8] |= (uint8_t)(0x80 >> code % 8);
	}
	while (len > 0 && !bits[len - 1])
		len--;
	return rc < 0 ? rc : parse_put(parse, bits, len);
}

/* Groups of just so many hexadecimal digits with a sign between. */
static int parse_groups(
	struct parse *parse, unsigned groups, unsigned digits, char between, const char *wanted)
{
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	const char *p = parse->at->text, *end = p + parse->at->len;
	for (unsigned i = 0; i < groups; i++) {
		const char *group = p;
		int x = take_group(&p, end);
		size_t len = (size_t)(p - group);
		if (x < 0 || len > digits || (digits == 2 && len != 2) ||
			(i + 1 < groups && (p == end || *p++ != between)))
			return parse_wants(parse, wanted);
		if (parse_put_number(parse, (uint64_t)x, digits / 2) < 0)
			return -EINVAL;
	}
	return p == end ? 0 : parse_wants(parse, wanted);
}

static int parse_tag(struct parse *parse)
{
	size_t begin = parse->n;
	static const char wanted[] = "a tag of letters and digits such as issue";
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	for (size_t i = 0; i < parse->at->len; i++) {
		char c = parse->at->text[i], lower = (char)(c | 0x20);
		if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z'))
			return parse_wants(parse, wanted);
	}
	if (parse_put_number(parse, 0, 1) < 0 ||
		parse_put(parse, parse->at->text, parse->at->len) < 0)
		return -EINVAL;
	return close_counted(parse, begin);
}

/* AMTRELAY: the discovery bit and the kind, two words, one byte. */
static int parse_relay(struct parse *parse)
{
	uint64_t bit, kind;
	if (parse_number(parse, 1, &bit) < 0 || parse_number(parse, 127, &kind) < 0)
		return -EINVAL;
	return parse_put_number(parse, bit << 7 | kind, 1);
}

static int parse_opaque(struct parse *parse)
{
	if (parse_any(parse) < 0)
		return -EINVAL;
	return parse_wants(parse, "its generic form, \\# LENGTH HEX");
}

static int parse_field_more(struct parse *parse, enum field field)
{
	size_t n = parse->n;
	switch (field) {
	case FIELD_BASE64:
		return need_bytes(parse, parse_base64(parse, false), n, "base64 text");
	case FIELD_BASE64_MAYBE:
		return parse_base64(parse, false);
	case FIELD_BASE64_DASH:
		return parse_base64_dash(parse);
	case FIELD_HEX:
		return parse_digest(parse);
	case FIELD_SALT:
		return parse_salt(parse);
	case FIELD_HASH32:
		return parse_hash32(parse);
	case FIELD_BITMAP:
		return parse_bitmap(parse);
	case FIELD_TYPES_NXT:
		return parse_types_nxt(parse);
	case FIELD_EUI48:
		return parse_groups(
			parse, 6, 2, '-', "six hexadecimal pairs such as 00-00-5e-00-53-2a");
	case FIELD_EUI64:
		return parse_groups(parse, 8, 2, '-',
			"eight hexadecimal pairs such as 00-00-5e-ef-10-00-00-2a");
	case FIELD_NODE64:
		return parse_groups(
			parse, 4, 4, ':', "four hexadecimal groups such as 2001:db8:1140:1000");
	case FIELD_TAG:
		return parse_tag(parse);
	case FIELD_RELAY:
		return parse_relay(parse);
	case FIELD_PARAMS:
		return parse_params(parse);
	case FIELD_APL:
		return parse_apl(parse);
	case FIELD_LOC:
		return parse_loc(parse);
	case FIELD_WKS:
		return parse_wks(parse);
	case FIELD_GATEWAY:
		return parse_gateway(parse);
	case FIELD_HIP:
		return parse_hip(parse);
	case FIELD_NSAP:
		return parse_nsap(parse);
	case FIELD_ATMA:
		return parse_atma(parse);
	case FIELD_A6:
		return parse_a6(parse);
	default:
		return parse_opaque(parse);
	}
}

static int parse_field(struct parse *parse, enum field field)
{
	switch (field) {
	case FIELD_IPV4:
		return parse_ipv4(parse);
	case FIELD_IPV6:
		return parse_ipv6(parse);
	case FIELD_NAME:
	case FIELD_CNAME:
		return parse_name(parse);
	case FIELD_U8:
		return parse_uint(parse, 1);
	case FIELD_U16:
		return parse_uint(parse, 2);
	case FIELD_U32:
		return parse_uint(parse, 4);
	case FIELD_U64:
		return parse_uint(parse, 8);
	case FIELD_STRING:
		return parse_string(parse);
	case FIELD_STRING_MAYBE:
		return parse_string_maybe(parse);
	case FIELD_STRINGS:
		return parse_strings(parse);
	case FIELD_TEXT_REST:
		return parse_text_rest(parse);
	case FIELD_PERIOD:
		return parse_period(parse);
	case FIELD_TIME:
		return parse_time(parse);
	case FIELD_TYPE:
		return parse_type(parse);
	case FIELD_ALGORITHM:
		return parse_mnemonic(parse, mnemonic_algorithms, mnemonic_algorithms_n,
			"a DNSSEC algorithm, as number or as word", 1);
	case FIELD_CERT_TYPE:
		return parse_mnemonic(parse, mnemonic_certs, mnemonic_certs_n,
			"a kind of certificate, as number or as word", 2);
	case FIELD_SCHEME:
		return parse_mnemonic(parse, mnemonic_schemes, mnemonic_schemes_n,
			"a scheme, as number or as word", 1);
	default:
		return parse_field_more(parse, field);
	}
}

/* RFC 3597 5, behind the \#. */
static int parse_generic(struct parse *parse)
{
	char type[RRTYPE_TEXT_MAX];
	uint64_t len;
	struct token begin = *parse->at;
	rrtype_print(type, parse->type);
	if (parse_number(parse, RDATA_MAX_LEN, &len) < 0 || parse_hex(parse, false) < 0)
		return -EINVAL;
	if (parse->n != len) {
		*parse->at = begin;
		return parse_fail(
			parse, "\\# says %u bytes, but %zu follow", (unsigned)len, parse->n);
	}
	if (!rdata_check(parse->type, parse->out, parse->n)) {
		*parse->at = begin;
		return parse_fail(
			parse, "these %zu bytes are no valid RDATA of type %s", parse->n, type);
	}
	return (int)parse->n;
}

/* Nothing may follow. */
static int parse_end(struct parse *parse)
{
	char type[RRTYPE_TEXT_MAX];
	int rc = parse_any(parse);
	if (likely(rc <= 0))
		return rc;
	return parse_fail(parse, "the RDATA of %s is complete, but '%.*s' follows",
		rrtype_print(type, parse->type), shown(parse->at), parse->at->text);
}

static bool is_generic(struct lex *lex, struct parse *parse)
{
	const char *p = lex->p; /* the usual case needs no second look */
	while (p < lex->end && (*p == ' ' || *p == '\t'))
		p++;
	if (likely(p < lex->end && *p != '\\' && *p != '(' && *p != ';' && *p != '\n' &&
		    *p != '\r'))
		return false;
	const struct lex before = *lex;
	if (parse_any(parse) == 1 && parse->at->kind == LEX_WORD && text_is(parse->at, "\\#"))
		return true;
	*lex = before;
	return false;
}

int rdata_parse(uint16_t type, struct lex *lex, const uint8_t *origin, uint8_t *out,
	struct token *at, struct err *err)
{
	const struct rrtype *row = rrtype_find(type);
	struct lex begin = *lex;
	struct parse parse = {
		.lex = lex, .origin = origin, .type = type, .out = out, .at = at, .err = err
	};
	if (is_generic(lex, &parse))
		return parse_generic(&parse);
	if (!row)
		return parse_opaque(&parse);
	for (unsigned i = 0; i < FIELDS_MAX && row->fields[i] != FIELD_END; i++)
		if (parse_field(&parse, row->fields[i]) < 0)
			return -EINVAL;
	if (parse_end(&parse) < 0)
		return -EINVAL;
	if (likely(row->fields[0] == FIELD_IPV4 || rdata_check(type, out, parse.n)))
		return (int)parse.n;
	/* A rule that spans fields, and no field knew of it: it is the record's fault. */
	(void)lex_next(&begin, at, err);
	return parse_fail(&parse, "this is no valid RDATA of type %s", row->name);
}

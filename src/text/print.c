/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/field.h"
#include "text/mnemonic.h"
#include "text/rdata.h"
#include "wire/name.h"
#include "wire/record.h"

#include <stdio.h>
#include <string.h>

void print_char(struct print *print, char c)
{
	if (print->n + 1 < print->size)
		print->out[print->n] = c;
	print->n++;
}

static void print_bytes(struct print *print, const char *text, size_t n)
{
	if (print->n < print->size) {
		size_t room = print->size - print->n - 1;
		memcpy(print->out + print->n, text, n < room ? n : room);
	}
	print->n += n;
}

void print_text(struct print *print, const char *text)
{
	print_bytes(print, text, strlen(text));
}

void print_number(struct print *print, uint64_t x)
{
	char text[20];
	size_t n = sizeof text;
	do {
		text[--n] = (char)('0' + x % 10);
		x /= 10;
	} while (x);
	print_bytes(print, text + n, sizeof text - n);
}

void print_escaped(struct print *print, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];
		if (c < ' ' || c > '~') {
			char text[4] = { '\\', (char)('0' + c / 100), (char)('0' + c / 10 % 10),
				(char)('0' + c % 10) };
			print_bytes(print, text, 4);
			continue;
		}
		if (c == '"' || c == '\\')
			print_char(print, '\\');
		print_char(print, (char)c);
	}
}

void print_quoted(struct print *print, const uint8_t *p, size_t n)
{
	print_char(print, '"');
	print_escaped(print, p, n);
	print_char(print, '"');
}

void print_name(struct print *print, struct bytes *b)
{
	char text[NAME_TEXT_MAX];
	size_t len = name_check(b->p, b->n);
	const uint8_t *name = b->p;
	if (len == 0) {
		b->fail = true;
		b->n = 0;
		return;
	}
	(void)bytes_take(b, len);
	print_bytes(print, text, name_print(text, name));
}

void print_hex(struct print *print, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < n; i++) {
		print_char(print, digits[p[i] >> 4]);
		print_char(print, digits[p[i] & 15]);
	}
}

void print_base64(struct print *print, const uint8_t *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t x = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
			     (left > 2 ? p[i + 2] : 0);
		char text[4] = { digits[x >> 18], digits[x >> 12 & 63],
			left > 1 ? digits[x >> 6 & 63] : '=', left > 2 ? digits[x & 63] : '=' };
		print_bytes(print, text, 4);
	}
}

static void print_base32(struct print *print, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint32_t x = 0;
	unsigned bits = 0;
	for (size_t i = 0; i < n; i++) {
		x = x << 8 | p[i];
		for (bits += 8; bits >= 5; bits -= 5)
			print_char(print, digits[x >> (bits - 5) & 31]);
		x &= (1u << bits) - 1;
	}
	if (bits)
		print_char(print, digits[x << (5 - bits) & 31]);
}

void print_ipv4(struct print *print, const uint8_t p[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			print_char(print, '.');
		print_number(print, p[i]);
	}
}

static void print_group(struct print *print, const uint8_t *p, unsigned least_digits)
{
	char text[8];
	print_bytes(print, text,
		(size_t)snprintf(text, sizeof text, "%0*x", (int)least_digits, get_u16(p)));
}

/* RFC 5952 4: the first of the longest runs of two or more zero groups is "::". */
void print_ipv6(struct print *print, const uint8_t p[16])
{
	unsigned best = 8, best_n = 1, run = 0;
	for (unsigned i = 0; i < 8; i++) {
		run = get_u16(p + 2 * i) ? 0 : run + 1;
		if (run > best_n) {
			best_n = run;
			best = i + 1 - run;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == best) {
			print_text(print, "::");
			i += best_n - 1;
			continue;
		}
		if (i > 0 && i != best + best_n)
			print_char(print, ':');
		print_group(print, p + 2 * i, 1);
	}
}

static void print_type(struct print *print, uint16_t type)
{
	char text[RRTYPE_TEXT_MAX];
	print_text(print, rrtype_print(text, type));
}

static void print_time(struct print *print, uint32_t s)
{
	/* The inverse of the parser's days: years begin in March, of 400-year cycles. */
	uint32_t day = s / 86400 + 719468, cycle = day / 146097, in_cycle = day % 146097;
	uint32_t year =
		(in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
	uint32_t in_year = in_cycle - (365 * year + year / 4 - year / 100);
	uint32_t month = (5 * in_year + 2) / 153;
	uint32_t date = in_year - (153 * month + 2) / 5 + 1;
	char text[40];
	year += cycle * 400 + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	int n = snprintf(text, sizeof text, "%04u%02u%02u%02u%02u%02u", year, month, date,
		s / 3600 % 24, s / 60 % 60, s % 60);
	print_bytes(print, text, (size_t)n);
}

static void print_string(struct print *print, struct bytes *b)
{
	size_t n = bytes_u8(b);
	const uint8_t *p = bytes_take(b, n);
	if (p)
		print_quoted(print, p, n);
}

static void print_strings(struct print *print, struct bytes *b)
{
	print_string(print, b);
	while (b->n > 0) {
		print_char(print, ' ');
		print_string(print, b);
	}
}

/* The types whose bits are set in p, from code on. */
static void print_types(
	struct print *print, unsigned code, const uint8_t *p, size_t n, bool *is_first)
{
	for (unsigned i = 0; i < n * 8; i++) {
		if (!(p[i / 8] & 0x80 >> i % 8))
			continue;
		if (!*is_first)
			print_char(print, ' ');
		*is_first = false;
		print_type(print, (uint16_t)(code + i));
	}
}

static void print_bitmap(struct print *print, struct bytes *b)
{
	bool is_first = true;
	while (b->n > 0) {
		unsigned window = bytes_u8(b);
		size_t n = bytes_u8(b);
		const uint8_t *p = bytes_take(b, n);
		if (p)
			print_types(print, window << 8, p, n, &is_first);
	}
}

/* All that is left, in hexadecimal or base64; what stands there when nothing is left. */
static void print_rest(struct print *print, struct bytes *b, bool is_hex, const char *nothing)
{
	if (b->n == 0)
		print_text(print, nothing);
	else if (is_hex)
		print_hex(print, b->p, b->n);
	else
		print_base64(print, b->p, b->n);
	(void)bytes_take(b, b->n);
}

static void print_salt(struct print *print, struct bytes *b)
{
	size_t n = bytes_u8(b);
	const uint8_t *p = bytes_take(b, n);
	if (n == 0)
		print_char(print, '-');
	else if (p)
		print_hex(print, p, n);
}

static void print_pairs(struct print *print, struct bytes *b, unsigned n)
{
	static const char digits[] = "0123456789abcdef";
	for (unsigned i = 0; i < n; i++) {
		uint8_t c = bytes_u8(b);
		if (i > 0)
			print_char(print, '-');
		print_char(print, digits[c >> 4]);
		print_char(print, digits[c & 15]);
	}
}

static void print_node(struct print *print, struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 8);
	for (unsigned i = 0; p && i < 4; i++) {
		if (i > 0)
			print_char(print, ':');
		print_group(print, p + 2 * i, 4);
	}
}

static void print_tag(struct print *print, struct bytes *b)
{
	size_t n = bytes_u8(b);
	const uint8_t *p = bytes_take(b, n);
	if (p)
		print_bytes(print, (const char *)p, n);
}

static void print_word(struct print *print, unsigned code, const char *word)
{
	if (word)
		print_text(print, word);
	else
		print_number(print, code);
}

static void print_fixed(struct print *print, enum field field, struct bytes *b)
{
	static const uint8_t zero[16];
	unsigned x;
	const uint8_t *p;
	switch (field) {
	case FIELD_U16:
		print_number(print, bytes_u16(b));
		return;
	case FIELD_U32:
	case FIELD_PERIOD:
		print_number(print, bytes_u32(b));
		return;
	case FIELD_U64:
		p = bytes_take(b, 8);
		if (p)
			print_number(print, (uint64_t)get_u32(p) << 32 | get_u32(p + 4));
		return;
	case FIELD_TIME:
		print_time(print, bytes_u32(b));
		return;
	case FIELD_TYPE:
		print_type(print, bytes_u16(b));
		return;
	case FIELD_CERT_TYPE:
		x = bytes_u16(b);
		print_word(print, x, mnemonic_word(mnemonic_certs, mnemonic_certs_n, x));
		return;
	case FIELD_SCHEME:
		x = bytes_u8(b);
		print_word(print, x, mnemonic_word(mnemonic_schemes, mnemonic_schemes_n, x));
		return;
	case FIELD_RELAY:
		x = bytes_u8(b);
		print_text(print, x & 0x80 ? "1 " : "0 ");
		print_number(print, x & 0x7f);
		return;
	case FIELD_IPV4:
		p = bytes_take(b, 4);
		print_ipv4(print, p ? p : zero);
		return;
	case FIELD_IPV6:
		p = bytes_take(b, 16);
		print_ipv6(print, p ? p : zero);
		return;
	case FIELD_EUI48:
		print_pairs(print, b, 6);
		return;
	case FIELD_EUI64:
		print_pairs(print, b, 8);
		return;
	case FIELD_NODE64:
		print_node(print, b);
		return;
	default: /* FIELD_U8, FIELD_ALGORITHM */
		print_number(print, bytes_u8(b));
		return;
	}
}

/* Fields with a form of their own. False: the bytes have no text of their own. */
static bool print_rare(struct print *print, enum field field, struct bytes *b)
{
	switch (field) {
	case FIELD_PARAMS:
		return print_params(print, b);
	case FIELD_APL:
		return print_apl(print, b);
	case FIELD_LOC:
		return print_loc(print, b);
	case FIELD_WKS:
		return print_wks(print, b);
	case FIELD_GATEWAY:
		return print_gateway(print, b);
	case FIELD_HIP:
		return print_hip(print, b);
	case FIELD_NSAP:
		return print_nsap(print, b);
	case FIELD_ATMA:
		return print_atma(print, b);
	case FIELD_A6:
		return print_a6(print, b);
	case FIELD_END:
	case FIELD_OPAQUE:
		return false;
	default:
		print_fixed(print, field, b);
		return true;
	}
}

/* False: the bytes have no text of their own. */
static bool print_field(struct print *print, enum field field, struct bytes *b)
{
	switch (field) {
	case FIELD_NAME:
	case FIELD_CNAME:
		print_name(print, b);
		return true;
	case FIELD_STRING:
		print_string(print, b);
		return true;
	case FIELD_STRING_MAYBE:
		if (b->n > 0)
			print_string(print, b);
		return true;
	case FIELD_STRINGS:
		print_strings(print, b);
		return true;
	case FIELD_TEXT_REST:
		print_quoted(print, b->p, b->n);
		(void)bytes_take(b, b->n);
		return true;
	case FIELD_HEX:
		print_rest(print, b, true, "");
		return true;
	case FIELD_BASE64:
	case FIELD_BASE64_MAYBE:
		print_rest(print, b, false, "");
		return true;
	case FIELD_BASE64_DASH:
		print_rest(print, b, false, "-");
		return true;
	case FIELD_SALT:
		print_salt(print, b);
		return true;
	case FIELD_HASH32: {
		size_t n = bytes_u8(b);
		const uint8_t *p = bytes_take(b, n);
		if (p)
			print_base32(print, p, n);
		return true;
	}
	case FIELD_BITMAP:
		print_bitmap(print, b);
		return true;
	case FIELD_TYPES_NXT: {
		bool is_first = true;
		print_types(print, 0, b->p, b->n, &is_first);
		(void)bytes_take(b, b->n);
		return true;
	}
	case FIELD_TAG:
		print_tag(print, b);
		return true;
	default:
		return print_rare(print, field, b);
	}
}

/* Prints by the row of the type; false when that is not possible. */
static bool print_by_row(struct print *print, size_t n)
{
	const struct rrtype *row = rrtype_find(print->type);
	struct bytes b = { .p = print->rdata, .n = n };
	if (!row)
		return false;
	for (unsigned i = 0; i < FIELDS_MAX && row->fields[i] != FIELD_END; i++) {
		size_t before = print->n;
		if (i > 0)
			print_char(print, ' ');
		if (!print_field(print, row->fields[i], &b) || b.fail)
			return false;
		if (i > 0 && print->n == before + 1) /* an empty field needs no space */
			print->n = before;
	}
	return b.n == 0;
}

/* RFC 3597 5. */
static void print_generic(struct print *print, size_t n)
{
	print_text(print, "\\# ");
	print_number(print, n);
	if (n > 0) {
		print_char(print, ' ');
		print_hex(print, print->rdata, n);
	}
}

static void print_end(const struct print *print)
{
	if (print->size > 0)
		print->out[print->n < print->size ? print->n : print->size - 1] = 0;
}

static void print_rdata(struct print *print, const uint8_t *rdata, size_t n)
{
	size_t begin = print->n;
	print->rdata = rdata;
	if (print_by_row(print, n))
		return;
	print->n = begin;
	print_generic(print, n);
}

size_t rdata_print(char *out, size_t size, uint16_t type, const uint8_t *rdata, size_t n)
{
	struct print print = { .out = out, .size = size, .type = type };
	print_rdata(&print, rdata, n);
	print_end(&print);
	return print.n;
}

static void print_class(struct print *print, uint16_t class)
{
	switch (class) {
	case CLASS_IN:
		print_text(print, "IN");
		return;
	case CLASS_CH:
		print_text(print, "CH");
		return;
	case CLASS_HS:
		print_text(print, "HS");
		return;
	case CLASS_NONE:
		print_text(print, "NONE");
		return;
	case CLASS_ANY:
		print_text(print, "ANY");
		return;
	default:
		print_text(print, "CLASS");
		print_number(print, class);
		return;
	}
}

size_t record_print(char *out, size_t size, const struct record *record)
{
	struct print print = { .out = out, .size = size, .type = record->type };
	char owner[NAME_TEXT_MAX];
	print_bytes(&print, owner, name_print(owner, record->owner));
	print_char(&print, ' ');
	print_number(&print, record->ttl);
	print_char(&print, ' ');
	print_class(&print, record->class);
	print_char(&print, ' ');
	print_type(&print, record->type);
	print_char(&print, ' ');
	print_rdata(&print, record->rdata, record->rdata_len);
	print_end(&print);
	return print.n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/field.h"

#include <errno.h>
#include <string.h>

enum {
	SECOND = 1000, /* angles count in thousandths of a second */
	MINUTE = 60 * SECOND,
	DEGREE = 60 * MINUTE,
	SIZE_DEFAULT = 0x12,       /* 1 m */
	HORIZONTAL_DEFAULT = 0x16, /* 10 km */
	VERTICAL_DEFAULT = 0x13,   /* 10 m */
};

static const uint32_t middle = UINT32_C(1) << 31; /* equator and meridian */
static const int64_t ground = 10000000;           /* altitudes begin 100 km below, in cm */

/* Digits, and up to `places` behind a point, as a whole number of the last place. */
static bool is_decimal(const char *text, size_t n, unsigned places, uint64_t max, uint64_t *x)
{
	const char *point = memchr(text, '.', n);
	size_t whole = point ? (size_t)(point - text) : n, rest = point ? n - whole - 1 : 0;
	uint64_t a, b = 0;
	if (!text_is_number(text, whole, max, &a) || rest > places || (point && rest == 0))
		return false;
	if (rest && !text_is_number(point + 1, rest, max, &b))
		return false;
	for (unsigned i = 0; i < places; i++) {
		a *= 10;
		b *= i < rest ? 1 : 10;
	}
	*x = a + b;
	return true;
}

/* d [m [s]] and one of two letters, the first of which is up. */
static int parse_angle(struct parse *parse, const char *letters, unsigned degrees_max)
{
	const char *wanted = letters[0] == 'N' ? "a latitude such as 52 31 12.025 N"
					       : "a longitude such as 13 24 17.831 E";
	uint64_t x, angle = 0;
	for (unsigned i = 0;; i++) {
		if (parse_word(parse, wanted) < 0)
			return -EINVAL;
		char letter = (char)(parse->at->text[0] & 0xdf);
		if (i > 0 && parse->at->len == 1 &&
			(letter == letters[0] || letter == letters[1])) {
			if (angle > (uint64_t)degrees_max * DEGREE)
				return parse_wants(parse, wanted);
			return parse_put_number(parse,
				letter == letters[0] ? middle + angle : middle - angle, 4);
		}
		const char *text = parse->at->text;
		size_t n = parse->at->len;
		bool is_good = i == 2 ? is_decimal(text, n, 3, 999, &x)
				      : text_is_number(text, n, i == 0 ? degrees_max : 59, &x);
		if (i > 2 || !is_good || (i == 2 && x >= MINUTE))
			return parse_wants(parse, wanted);
		angle += x * (i == 0 ? DEGREE : i == 1 ? MINUTE : 1);
	}
}

/* The word as metres in cm; an m may follow the number. */
static bool is_metres(const struct token *at, uint64_t max, uint64_t *cm)
{
	size_t n = at->len;
	if (n > 1 && (at->text[n - 1] | 0x20) == 'm')
		n--;
	return is_decimal(at->text, n, 2, max / 100, cm) && *cm <= max;
}

static int parse_altitude(struct parse *parse)
{
	static const char wanted[] = "an altitude from -100000.00m to 42849672.95m";
	uint64_t cm;
	if (parse_word(parse, wanted) < 0)
		return -EINVAL;
	struct token word = *parse->at;
	bool is_below = word.text[0] == '-';
	if (is_below || word.text[0] == '+') {
		word.text++;
		word.len--;
	}
	uint64_t max = is_below ? (uint64_t)ground : UINT32_MAX - (uint64_t)ground;
	if (!is_metres(&word, max, &cm))
		return parse_wants(parse, wanted);
	return parse_put_number(
		parse, is_below ? (uint64_t)ground - cm : (uint64_t)ground + cm, 4);
}

/* The first digit and how many follow; further digits have no room (RFC 1876 2). */
static uint8_t size_from_cm(uint64_t cm)
{
	unsigned power = 0;
	for (; cm > 9; cm /= 10)
		power++;
	return (uint8_t)(cm << 4 | power);
}

int parse_loc(struct parse *parse)
{
	static const char wanted[] = "a size from 0 to 90000000.00m";
	uint8_t sizes[] = { SIZE_DEFAULT, HORIZONTAL_DEFAULT, VERTICAL_DEFAULT };
	size_t begin = parse->n;
	if (parse_put_number(parse, 0, 4) < 0 || parse_angle(parse, "NS", 90) < 0 ||
		parse_angle(parse, "EW", 180) < 0 || parse_altitude(parse) < 0)
		return -EINVAL;
	for (unsigned i = 0; i < array_len(sizes); i++) {
		uint64_t cm;
		int rc = parse_more(parse, wanted);
		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		if (!is_metres(parse->at, 9000000000, &cm))
			return parse_wants(parse, wanted);
		sizes[i] = size_from_cm(cm);
	}
	memcpy(parse->out + begin + 1, sizes, sizeof sizes);
	return 0;
}

/* x with leading zeros up to `digits`. */
static void print_padded(struct print *print, uint64_t x, unsigned digits)
{
	for (uint64_t limit = 10; digits > 1; digits--, limit *= 10)
		if (x < limit)
			print_char(print, '0');
	print_number(print, x);
}

static void print_angle(struct print *print, uint32_t angle, const char *letters)
{
	bool is_up = angle >= middle;
	uint32_t x = is_up ? angle - middle : middle - angle;
	print_number(print, x / DEGREE);
	print_char(print, ' ');
	print_number(print, x % DEGREE / MINUTE);
	print_char(print, ' ');
	print_number(print, x % MINUTE / SECOND);
	print_char(print, '.');
	print_padded(print, x % SECOND, 3);
	print_char(print, ' ');
	print_char(print, letters[is_up ? 0 : 1]);
	print_char(print, ' ');
}

static void print_metres(struct print *print, uint64_t cm)
{
	print_number(print, cm / 100);
	print_char(print, '.');
	print_padded(print, cm % 100, 2);
	print_char(print, 'm');
}

static uint64_t cm_from_size(uint8_t size)
{
	uint64_t cm = size >> 4;
	for (unsigned power = size & 15; power > 0; power--)
		cm *= 10;
	return cm;
}

bool print_loc(struct print *print, struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 16);
	if (!p || p[0] != 0)
		return false;
	for (unsigned i = 1; i <= 3; i++)
		if (size_from_cm(cm_from_size(p[i])) != p[i])
			return false;
	print_angle(print, get_u32(p + 4), "NS");
	print_angle(print, get_u32(p + 8), "EW");
	int64_t altitude = get_u32(p + 12) - ground;
	if (altitude < 0)
		print_char(print, '-');
	print_metres(print, (uint64_t)(altitude < 0 ? -altitude : altitude));
	for (unsigned i = 1; i <= 3; i++) {
		print_char(print, ' ');
		print_metres(print, cm_from_size(p[i]));
	}
	return true;
}

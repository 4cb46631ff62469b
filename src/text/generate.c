/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/generate.h"

#include <errno.h>
#include <string.h>

enum {
	WIDTH_MAX = 255
};

struct form { /* what stands in ${...} */
	int64_t offset;
	uint32_t width;
	char base;
};

struct text { /* where the result grows */
	char *p;
	size_t n;
	bool is_full;
};

static void put(struct text *out, char c)
{
	if (out->n < GENERATE_TEXT_MAX)
		out->p[out->n++] = c;
	else
		out->is_full = true;
}

/* Reads digits at *p; false when there are none or the number is over 2^31-1. */
static bool number_read(const char **p, const char *end, uint32_t *number)
{
	const char *at = *p;
	uint64_t x = 0;
	for (; at < end && *at >= '0' && *at <= '9' && x <= INT32_MAX; at++)
		x = x * 10 + (uint64_t)(*at - '0');
	if (at == *p || x > INT32_MAX)
		return false;
	*p = at;
	*number = (uint32_t)x;
	return true;
}

int generate_read_range(struct generate *range, const char *text, size_t n, struct err *err)
{
	const char *p = text, *end = text + n;
	struct generate r = { .step = 1 };
	bool is_good = number_read(&p, end, &r.start) && p < end && *p++ == '-' &&
		       number_read(&p, end, &r.stop);
	if (is_good && p < end && *p == '/') {
		p++;
		is_good = number_read(&p, end, &r.step) && r.step > 0;
	}
	if (!is_good || p != end)
		return err_set(err, -EINVAL,
			"'%.*s' is no range, which is start-stop or start-stop/step",
			(int)(n < 64 ? n : 64), text);
	if (r.start > r.stop)
		return err_set(err, -EINVAL, "the range %u-%u runs backwards", r.start, r.stop);
	if ((r.stop - r.start) / r.step >= GENERATE_MAX)
		return err_set(
			err, -EINVAL, "the range makes more than %d records", GENERATE_MAX);
	*range = r;
	return 0;
}

/* Reads what follows "${" up to the closing brace; returns the place behind it or NULL. */
static const char *form_read(struct form *form, const char *p, const char *end)
{
	bool is_negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	uint32_t x = 0;
	if (!number_read(&p, end, &x))
		return NULL;
	form->offset = is_negative ? -(int64_t)x : (int64_t)x;
	if (p < end && *p == ',') {
		p++;
		if (!number_read(&p, end, &form->width) || form->width > WIDTH_MAX)
			return NULL;
	}
	if (p < end && *p == ',') {
		p++;
		if (p == end || !memchr("doxXnN", *p, 6))
			return NULL;
		form->base = *p++;
	}
	return p < end && *p == '}' ? p + 1 : NULL;
}

static void put_number(
	struct text *out, uint64_t x, uint32_t width, unsigned base, const char *digits)
{
	char reversed[WIDTH_MAX + 32];
	uint32_t n = 0;
	do {
		reversed[n++] = digits[x % base];
		x /= base;
	} while (x > 0);
	while (n < width)
		reversed[n++] = '0';
	while (n > 0)
		put(out, reversed[--n]);
}

/* The width counts the dots too, as in the servers that this syntax comes from. */
static void put_nibbles(struct text *out, uint64_t x, uint32_t width, const char *digits)
{
	do {
		put(out, digits[x % 16]);
		x /= 16;
		width -= width > 0;
		if (x > 0 || width > 0) {
			put(out, '.');
			width -= width > 0;
		}
	} while (x > 0 || width > 0);
}

static int put_value(struct text *out, const struct form *form, uint32_t value, struct err *err)
{
	int64_t x = (int64_t)value + form->offset;
	if (x < 0 || x > INT32_MAX)
		return err_set(err, -EINVAL,
			"%u with the offset %lld is not within 0 to 2147483647", value,
			(long long)form->offset);
	const char *lower = "0123456789abcdef", *upper = "0123456789ABCDEF";
	switch (form->base) {
	case 'n':
		put_nibbles(out, (uint64_t)x, form->width, lower);
		break;
	case 'N':
		put_nibbles(out, (uint64_t)x, form->width, upper);
		break;
	case 'x':
		put_number(out, (uint64_t)x, form->width, 16, lower);
		break;
	case 'X':
		put_number(out, (uint64_t)x, form->width, 16, upper);
		break;
	case 'o':
		put_number(out, (uint64_t)x, form->width, 8, lower);
		break;
	default:
		put_number(out, (uint64_t)x, form->width, 10, lower);
	}
	return 0;
}

int generate_print(char *out, const char *template, size_t n, uint32_t value, struct err *err)
{
	struct text text = { .p = out };
	const char *p = template, *end = template + n;
	while (p < end && !text.is_full) {
		if (*p == '\\' && p + 1 < end) { /* the name or RDATA reader unescapes it */
			put(&text, *p++);
			put(&text, *p++);
			continue;
		}
		if (*p != '$') {
			put(&text, *p++);
			continue;
		}
		struct form form = { .base = 'd' };
		p++;
		if (p < end && *p == '$') {
			put(&text, *p++);
			continue;
		}
		if (p < end && *p == '{') {
			p = form_read(&form, p + 1, end);
			if (!p)
				return err_set(err, -EINVAL,
					"'${...}' needs offset[,width[,base]], base one of d o "
					"x X n N");
		}
		if (put_value(&text, &form, value, err) < 0)
			return -EINVAL;
	}
	if (text.is_full)
		return err_set(
			err, -EINVAL, "the text it makes is over %d bytes", GENERATE_TEXT_MAX);
	return (int)text.n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/name.h"

#include <errno.h>
#include <string.h>

void name_lower(uint8_t *dst, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = name_lower_byte(src[i]);
}

size_t name_len(const uint8_t *name)
{
	size_t at = 0;
	while (name[at])
		at += name[at] + 1u;
	return at + 1;
}

unsigned name_labels(const uint8_t *name)
{
	unsigned n = 0;
	for (; *name; name += *name + 1)
		n++;
	return n;
}

size_t name_check(const uint8_t *p, size_t n)
{
	size_t at = 0;
	if (n > NAME_MAX_LEN)
		n = NAME_MAX_LEN;
	while (at < n) {
		if (!p[at])
			return at + 1;
		if (p[at] > LABEL_MAX_LEN)
			return 0;
		at += p[at] + 1u;
	}
	return 0;
}

bool name_is_equal(const uint8_t *a, const uint8_t *b)
{
	size_t n = name_len(a);
	if (n != name_len(b))
		return false;
	if (memcmp(a, b, n) == 0) /* mostly they are spelt alike */
		return true;
	for (size_t i = 0; i < n; i++)
		if (name_lower_byte(a[i]) != name_lower_byte(b[i]))
			return false;
	return true;
}

bool name_is_at_or_below(const uint8_t *a, const uint8_t *zone)
{
	unsigned n = name_labels(a), m = name_labels(zone);
	if (n < m)
		return false;
	for (; n > m; n--)
		a += *a + 1;
	return name_is_equal(a, zone);
}

const uint8_t *name_closest(const uint8_t *a, const uint8_t *const *zones, size_t n)
{
	const uint8_t *found = NULL;
	for (size_t i = 0; i < n; i++)
		if (name_is_at_or_below(a, zones[i]) &&
			(!found || name_len(zones[i]) > name_len(found)))
			found = zones[i];
	return found;
}

static int compare_labels(const uint8_t *a, const uint8_t *b)
{
	unsigned n = *a < *b ? *a : *b;
	for (unsigned i = 1; i <= n; i++) {
		int d = name_lower_byte(a[i]) - name_lower_byte(b[i]);
		if (d)
			return d;
	}
	return *a - *b;
}

/* Offsets of the labels of name; returns how many. */
static unsigned find_labels(const uint8_t *name, uint8_t *at)
{
	unsigned n = 0;
	for (unsigned i = 0; name[i]; i += name[i] + 1u)
		at[n++] = (uint8_t)i;
	return n;
}

int name_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t a_at[NAME_MAX_LABELS + 1], b_at[NAME_MAX_LABELS + 1];
	unsigned n = find_labels(a, a_at), m = find_labels(b, b_at);
	while (n && m) {
		int d = compare_labels(a + a_at[--n], b + b_at[--m]);
		if (d)
			return d;
	}
	return n ? 1 : m ? -1 : 0;
}

int name_join(struct name *out, const uint8_t *head, size_t head_len_without_root,
	const uint8_t *tail)
{
	size_t n = name_len(tail);
	if (head_len_without_root + n > NAME_MAX_LEN)
		return -E2BIG;
	memcpy(out->bytes, head, head_len_without_root);
	memcpy(out->bytes + head_len_without_root, tail, n);
	out->len = (uint8_t)(head_len_without_root + n);
	return 0;
}

/* One byte of label text, escapes undone: *at moves behind it. -1 when the escape is bad. */
static int take_byte(const char *text, size_t n, size_t *at)
{
	unsigned char c = (unsigned char)text[(*at)++];
	if (c != '\\')
		return c;
	if (*at >= n)
		return -1;
	c = (unsigned char)text[*at];
	if (c < '0' || c > '9') {
		(*at)++;
		return c;
	}
	if (*at + 3 > n)
		return -1;
	int value = 0;
	for (unsigned i = 0; i < 3; i++) {
		c = (unsigned char)text[(*at)++];
		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + c - '0';
	}
	return value > 255 ? -1 : value;
}

static int complete(struct name *out, const uint8_t *labels, size_t len, bool is_absolute,
	const uint8_t *origin, struct err *err)
{
	static const uint8_t root[1] = { 0 };
	if (name_join(out, labels, len, is_absolute || !origin ? root : origin))
		return err_set(err, -EINVAL, "the name is longer than 255 bytes");
	return 0;
}

int name_from_text(
	struct name *out, const char *text, size_t n, const uint8_t *origin, struct err *err)
{
	uint8_t buf[NAME_MAX_LEN + 1] = { 0 };
	size_t len = 0, label = 0; /* label: where the length byte of the current label is */
	if (n == 0)
		return err_set(err, -EINVAL, "a name is missing");
	if (n == 1 && text[0] == '@')
		return complete(out, buf, 0, false, origin, err);
	if (n == 1 && text[0] == '.')
		return complete(out, buf, 0, true, origin, err);
	for (size_t at = 0; at < n;) {
		if (text[at] == '.') {
			if (len == label)
				return err_set(err, -EINVAL,
					"the name has an empty label (two dots, or one at its "
					"start)");
			buf[label] = (uint8_t)(len - label);
			label = ++len;
			at++;
			if (len >= NAME_MAX_LEN && at < n)
				return err_set(
					err, -EINVAL, "the name is longer than 255 bytes");
			continue;
		}
		int c = take_byte(text, n, &at);
		if (c < 0)
			return err_set(err, -EINVAL,
				"bad escape in a name: after \\ comes one character or three "
				"digits up to 255");
		if (len - label >= LABEL_MAX_LEN)
			return err_set(
				err, -EINVAL, "a label of the name is longer than 63 bytes");
		if (len + 1 >= NAME_MAX_LEN)
			return err_set(err, -EINVAL, "the name is longer than 255 bytes");
		buf[++len] = (uint8_t)c;
	}
	bool is_absolute = len == label;
	if (!is_absolute) {
		buf[label] = (uint8_t)(len - label);
		len++;
	}
	return complete(out, buf, len, is_absolute, origin, err);
}

static size_t print_byte(char *out, uint8_t c)
{
	if (c <= ' ' || c >= 0x7f) {
		out[0] = '\\';
		out[1] = (char)('0' + c / 100);
		out[2] = (char)('0' + c / 10 % 10);
		out[3] = (char)('0' + c % 10);
		return 4;
	}
	size_t n = 0;
	if (strchr(".\\\"();@$", c))
		out[n++] = '\\';
	out[n++] = (char)c;
	return n;
}

size_t name_print(char *out, const uint8_t *name)
{
	size_t n = 0;
	if (!*name)
		out[n++] = '.';
	for (; *name; name += *name + 1) {
		for (unsigned i = 1; i <= *name; i++)
			n += print_byte(out + n, name[i]);
		out[n++] = '.';
	}
	out[n] = 0;
	return n;
}

int name_read(struct name *out, const uint8_t *msg, size_t len, size_t at, size_t *end,
	unsigned *steps)
{
	size_t n = 0, low = at; /* a pointer must lead below low, so it cannot come back */
	bool jumped = false;
	for (;;) {
		if (at >= len)
			return -EBADMSG;
		uint8_t c = msg[at];
		if (c >= 0xc0) {
			if (at + 1 >= len || *steps == 0)
				return -EBADMSG;
			--*steps;
			if (!jumped)
				*end = at + 2;
			jumped = true;
			at = (size_t)(c & 0x3f) << 8 | msg[at + 1];
			if (at >= low || at < 12)
				return -EBADMSG;
			low = at;
			continue;
		}
		if (c > LABEL_MAX_LEN || n + c + 1 > NAME_MAX_LEN || at + c + 1 > len)
			return -EBADMSG;
		memcpy(out->bytes + n, msg + at, c + 1u);
		n += c + 1u;
		at += c + 1u;
		if (!c)
			break;
	}
	if (!jumped)
		*end = at;
	out->len = (uint8_t)n;
	return 0;
}

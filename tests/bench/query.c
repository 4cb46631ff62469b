/* SPDX-License-Identifier: BSD-2-Clause */
#include "query.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	uint16_t type;
} types[] = {
	{ "A", 1 },
	{ "NS", 2 },
	{ "CNAME", 5 },
	{ "SOA", 6 },
	{ "PTR", 12 },
	{ "MX", 15 },
	{ "TXT", 16 },
	{ "AAAA", 28 },
	{ "SRV", 33 },
	{ "NAPTR", 35 },
	{ "DS", 43 },
	{ "RRSIG", 46 },
	{ "NSEC", 47 },
	{ "DNSKEY", 48 },
	{ "NSEC3PARAM", 51 },
	{ "SVCB", 64 },
	{ "HTTPS", 65 },
	{ "ANY", 255 },
};

static void fail(const char *path, uint32_t line, const char *what)
{
	fprintf(stderr, "load: %s:%u: %s\n", path, line, what);
	exit(2);
}

static bool read_type(const char *text, uint16_t *type)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcasecmp(text, types[i].name) == 0) {
			*type = types[i].type;
			return true;
		}
	}
	char *end;
	if (strncasecmp(text, "TYPE", 4) || !isdigit((unsigned char)text[4]))
		return false;
	unsigned long n = strtoul(text + 4, &end, 10);
	*type = (uint16_t)n;
	return !*end && n <= 65535;
}

/* The bytes written at out[0..254], 0 when text is no name. */
static size_t write_name(uint8_t *out, const char *text)
{
	size_t n = 0;
	while (*text && strcmp(text, ".")) {
		size_t len = strcspn(text, ".");
		if (!len || len > 63 || n + 1 + len > 254)
			return 0;
		out[n++] = (uint8_t)len;
		memcpy(out + n, text, len);
		n += len;
		text += len;
		if (*text == '.')
			text++;
	}
	out[n++] = 0;
	return n;
}

static void write_16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The packet's length, 0 when the words are no question. */
static size_t write_query(uint8_t *p, const char *name, const char *type_text,
	const struct query_style *style, uint16_t *question_len)
{
	uint16_t type;
	memset(p, 0, 12);
	size_t name_len = write_name(p + 12, name);
	if (!name_len || !read_type(type_text, &type))
		return 0;
	size_t n = 12 + name_len;
	p[2] = style->recursion ? 1 : 0;
	write_16(p + 4, 1);
	write_16(p + n, type);
	write_16(p + n + 2, 1);
	n += 4;
	*question_len = (uint16_t)(n - 12);
	if (!style->edns_size)
		return n;
	memset(p + n, 0, 11);
	write_16(p + 10, 1);
	write_16(p + n + 1, 41);
	write_16(p + n + 3, style->edns_size);
	p[n + 7] = style->dnssec_ok ? 0x80 : 0;
	return n + 11;
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* The packets are moved, not their places only: a run reads memory in order
 * and leaves the caches to the server. */
static void shuffle(struct query_list *list, size_t bytes, uint64_t seed)
{
	uint8_t *moved = malloc(bytes);
	if (!moved)
		fail("queries", list->n, "no memory");
	for (uint32_t i = list->n; i > 1; i--) {
		uint32_t j = (uint32_t)(next_random(&seed) % i);
		struct query kept = list->all[i - 1];
		list->all[i - 1] = list->all[j];
		list->all[j] = kept;
	}
	uint32_t at = 0;
	for (uint32_t i = 0; i < list->n; i++) {
		memcpy(moved + at, list->bytes + list->all[i].at, list->all[i].len);
		list->all[i].at = at;
		at += list->all[i].len;
	}
	free(list->bytes);
	list->bytes = moved;
}

void query_read_file(struct query_list *list, const char *path, const struct query_style *style)
{
	FILE *file = fopen(path, "r");
	if (!file)
		fail(path, 0, strerror(errno));
	uint32_t line = 0, room = 0;
	size_t used = 0, size = 0;
	char text[512], name[300], type[32];
	memset(list, 0, sizeof *list);
	while (fgets(text, sizeof text, file)) {
		line++;
		int words = sscanf(text, "%299s %31s", name, type);
		if (words < 1 || name[0] == '#')
			continue;
		if (list->n == room) {
			room = room ? room * 2 : 1024;
			list->all = realloc(list->all, room * sizeof *list->all);
		}
		if (size - used < QUERY_MAX) {
			size = size ? size * 2 : 65536;
			list->bytes = realloc(list->bytes, size);
		}
		if (!list->all || !list->bytes || line > QUERY_LINES_MAX)
			fail(path, line, "too many questions");
		struct query *query = &list->all[list->n];
		size_t len = words == 2 ? write_query(list->bytes + used, name, type, style,
						  &query->question_len)
					: 0;
		if (!len)
			fail(path, line, "not a name and a type");
		query->at = (uint32_t)used;
		query->len = (uint16_t)len;
		used += len;
		list->n++;
	}
	fclose(file);
	if (!list->n)
		fail(path, line, "no question");
	if (!style->in_order)
		shuffle(list, used, style->seed);
}

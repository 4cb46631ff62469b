/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_rdata.c -- any bytes are RDATA of any type, on the wire and as text
 *
 * What     The first two bytes are the type. RDATA that passes the check is printed and read
 *          back as the same bytes, in its own form and in the generic one; text that is taken
 *          passes the check; a message's RDATA is read within its bounds.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "text/rdata.h"
#include "wire/rdata.h"
#include "wire/rrtype.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const uint8_t origin[] = "\7example";
static uint8_t out[RDATA_MAX_LEN];

static int parse(uint16_t type, const char *text, size_t n)
{
	struct lex lex;
	struct token at;
	struct err err = { "" };
	lex_init(&lex, text, n);
	int len = rdata_parse(type, &lex, origin, out, &at, &err);
	must(len >= 0 || err.text[0]);
	must(len < 0 || rdata_check(type, out, (size_t)len));
	return len;
}

static void print_and_read(uint16_t type, const uint8_t *rdata, size_t n)
{
	size_t len = rdata_print(NULL, 0, type, rdata, n);
	char *text = mem_new(len + 1);
	must(rdata_print(text, len + 1, type, rdata, n) == len && strlen(text) == len);
	int got = parse(type, text, len);
	must(got >= 0 && (size_t)got == n && memcmp(out, rdata, n) == 0);
	mem_free(text);
	char *generic = mem_new(n * 2 + 32);
	int at = snprintf(generic, 32, "\\# %zu ", n);
	for (size_t i = 0; i < n; i++)
		at += snprintf(generic + at, 3, "%02x", rdata[i]);
	got = parse(type, generic, (size_t)at);
	must(got >= 0 && (size_t)got == n && memcmp(out, rdata, n) == 0);
	mem_free(generic);
	must(rdata_compare(type, rdata, n, rdata, n) == 0);
	int target = rdata_target(type, rdata, n);
	must(target < (int)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t room[RDATA_MAX_LEN];
	if (n < 2 || n > 4096)
		return 0;
	uint16_t type = get_u16(data);
	const struct rrtype *row = rrtype_find(type);
	bool is_meta = type == 0 || (row && row->flags & RRTYPE_META);
	n -= 2;
	uint8_t *bytes = mem_new(n ? n : 1);
	memcpy(bytes, data + 2, n);
	if (!is_meta && rdata_check(type, bytes, n))
		print_and_read(type, bytes, n);
	unsigned steps = 1000;
	int len = rdata_read(type, bytes, n, n / 4, n - n / 4, room, sizeof room, &steps);
	must(len < 0 || is_meta || rdata_check(type, room, (size_t)len));
	if (!is_meta)
		(void)parse(type, (const char *)bytes, n);
	mem_free(bytes);
	return 0;
}

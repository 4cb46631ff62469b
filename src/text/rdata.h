/* SPDX-License-Identifier: BSD-2-Clause */
/* rdata.h -- RDATA as zone files write it, and back
 *
 * What     Parser and printer over the rows of wire/rrtype.h; the generic form
 *          \# LEN HEX of RFC 3597 is taken and checked for every type.
 * Threads  Pure.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "text/lex.h"

enum {
	RDATA_MAX_LEN = 65535
};

/* Parses the RDATA of type from lex up to (not including) the newline into out[RDATA_MAX_LEN].
 * Returns its length, or -EINVAL with the reason in err and the token at fault in *at. */
int rdata_parse(uint16_t type, struct lex *lex, const uint8_t *origin, uint8_t *out,
	struct token *at, struct err *err) CHECKED;

/* Prints checked RDATA on one line into out (always terminated). Returns the length it has or,
 * as snprintf does, would have had in a large enough out. */
size_t rdata_print(char *out, size_t size, uint16_t type, const uint8_t *rdata, size_t n);
/* "owner TTL CLASS TYPE RDATA", absolute names; returns as rdata_print does. */
struct record;
size_t record_print(char *out, size_t size, const struct record *record);

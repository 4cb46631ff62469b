/* SPDX-License-Identifier: BSD-2-Clause */
/* field.h -- what the pieces of the RDATA parser and printer share
 *
 * What     parse: words in, bytes out, one field after the other. print: bytes in,
 *          text out, counted past the end of its room as snprintf does.
 *          The fields that fill a file: loc, params (SVCB), rare (the others).
 */
#pragma once

#include "base/bytes.h"
#include "base/def.h"
#include "base/err.h"
#include "text/lex.h"
#include "wire/rrtype.h"

struct parse { /* open */
	struct lex *lex;
	const uint8_t *origin;
	uint16_t type;
	uint8_t *out; /* RDATA_MAX_LEN bytes */
	size_t n;     /* of them are written */
	struct token *at;
	struct err *err;
};

/* Refuses the token at: "TYPE wants WANTED, not 'word'". */
int parse_wants(struct parse *parse, const char *wanted) CHECKED;
/* Refuses it with a sentence of its own. */
int parse_fail(struct parse *parse, const char *fmt, ...) PRINTF(2, 3) CHECKED;
/* Takes the next word into at; refuses quotes and the end of the record. */
int parse_word(struct parse *parse, const char *wanted) CHECKED;
/* Takes the next word or quoted text. 1, or 0 at the end of the record, which is not taken. */
int parse_any(struct parse *parse) CHECKED;
/* As parse_any, but refuses quotes. */
int parse_more(struct parse *parse, const char *wanted) CHECKED;
/* Appends n bytes. */
int parse_put(struct parse *parse, const void *p, size_t n) CHECKED;
int parse_put_number(struct parse *parse, uint64_t x, unsigned bytes) CHECKED;
/* Reads the word as a number up to max. */
int parse_number(struct parse *parse, uint64_t max, uint64_t *x) CHECKED;
/* The next word as name, appended. */
int parse_name(struct parse *parse) CHECKED;
/* All words that are left. */
int parse_base64(struct parse *parse, bool is_one_word) CHECKED;
int parse_hex(struct parse *parse, bool is_one_word) CHECKED;
/* Undoes the escapes of text and appends its bytes. */
int parse_text(struct parse *parse, const char *text, size_t n) CHECKED;

/* Whole texts as values. */
bool text_is_number(const char *text, size_t n, uint64_t max, uint64_t *x);
bool text_is_ipv4(const char *text, size_t n, uint8_t out[4]);
bool text_is_ipv6(const char *text, size_t n, uint8_t out[16]);
bool text_is(const struct token *token, const char *word); /* letter case ignored */
int text_hex_digit(char c);                                /* its value or -1 */

/* The fields of a file's own. */
int parse_loc(struct parse *parse) CHECKED;
int parse_params(struct parse *parse) CHECKED;
int parse_apl(struct parse *parse) CHECKED;
int parse_wks(struct parse *parse) CHECKED;
int parse_gateway(struct parse *parse) CHECKED;
int parse_hip(struct parse *parse) CHECKED;
int parse_nsap(struct parse *parse) CHECKED;
int parse_atma(struct parse *parse) CHECKED;
int parse_a6(struct parse *parse) CHECKED;

struct print { /* open */
	char *out;
	size_t size, n;
	const uint8_t *rdata; /* all of it */
	uint16_t type;
};

void print_char(struct print *print, char c);
void print_text(struct print *print, const char *text);
void print_number(struct print *print, uint64_t x);
void print_quoted(struct print *print, const uint8_t *p, size_t n);
/* The inside of quotes. */
void print_escaped(struct print *print, const uint8_t *p, size_t n);
void print_name(struct print *print, struct bytes *b);
void print_hex(struct print *print, const uint8_t *p, size_t n);
void print_base64(struct print *print, const uint8_t *p, size_t n);
void print_ipv4(struct print *print, const uint8_t p[4]);
void print_ipv6(struct print *print, const uint8_t p[16]);

/* False when these bytes have no text that would be read back to them. */
bool print_loc(struct print *print, struct bytes *b) CHECKED;
bool print_params(struct print *print, struct bytes *b) CHECKED;
bool print_apl(struct print *print, struct bytes *b) CHECKED;
bool print_wks(struct print *print, struct bytes *b) CHECKED;
bool print_gateway(struct print *print, struct bytes *b) CHECKED;
bool print_hip(struct print *print, struct bytes *b) CHECKED;
bool print_nsap(struct print *print, struct bytes *b) CHECKED;
bool print_atma(struct print *print, struct bytes *b) CHECKED;
bool print_a6(struct print *print, struct bytes *b) CHECKED;

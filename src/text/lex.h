/* SPDX-License-Identifier: BSD-2-Clause */
/* lex.h -- the words of a zone file
 *
 * What     Splits text into tokens and knows where each stands. Parentheses join
 *          lines, a semicolon starts a comment, quotes and backslashes protect.
 *          A token is a view into the text, escapes still in it. A quote ends a word:
 *          key="a b" is a word and, right behind it (text + len + 1), a quoted token.
 *          A quoted token ends on its own line.
 * Threads  Pure.
 * Limits   A token of at most 65535*4 bytes; a line of any length costs no memory.
 * Read     RFC 1035 5.1.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"

enum {
	LEX_TOKEN_MAX = 65535 * 4
};

struct lex { /* open: the RDATA parsers read one token after the other from it */
	const char *p, *end;             /* what is left */
	const char *line_start;          /* of the current line, for columns and the caret */
	unsigned line;                   /* 1.. */
	unsigned depth;                  /* of parentheses */
	unsigned open_line, open_column; /* of the outermost open parenthesis */
	const char *open_line_start;
};

enum lex_kind {
	LEX_WORD,    /* a token */
	LEX_QUOTED,  /* a token in quotes; the view is without them */
	LEX_BLANK,   /* white space at the start of a line: the owner is the last one */
	LEX_NEWLINE, /* the record ends */
	LEX_END,     /* the text ends */
	/* err says why, the token where: open quote, stray ')', open '(' at the end */
	LEX_ERROR,
};

struct token { /* open */
	enum lex_kind kind;
	const char *text;
	size_t len;
	const char *line_start;
	unsigned line, column; /* 1.. */
};

void lex_init(struct lex *lex, const char *text, size_t n);
enum lex_kind lex_next(struct lex *lex, struct token *token, struct err *err);
/* Looks at the next token without taking it. */
enum lex_kind lex_peek(const struct lex *lex, struct token *token, struct err *err);

/* Seconds of a unit letter (1h30m), 0 when it is none. */
uint32_t lex_unit_seconds(char c) PURE;

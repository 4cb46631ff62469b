/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/lex.h"

#include <string.h>

enum {
	IN_WORD = 0,
	BLANK,
	NEWLINE,
	QUOTE,
	OPEN,
	CLOSE,
	COMMENT,
	ESCAPE,
	NUL
};

static const uint8_t class_of[256] = {
	['\0'] = NUL,
	['\t'] = BLANK,
	['\n'] = NEWLINE,
	['\r'] = BLANK,
	[' '] = BLANK,
	['"'] = QUOTE,
	['('] = OPEN,
	[')'] = CLOSE,
	[';'] = COMMENT,
	['\\'] = ESCAPE,
};

static uint8_t class_at(const char *p)
{
	return class_of[(uint8_t)*p];
}

/* Ends the token at p, from where the next one is read. */
static enum lex_kind token_end(
	struct lex *lex, struct token *token, enum lex_kind kind, const char *p)
{
	token->kind = kind;
	token->len = (size_t)(p - token->text);
	lex->p = p;
	return kind;
}

static void token_begin(const struct lex *lex, struct token *token, const char *p)
{
	token->text = p;
	token->line_start = lex->line_start;
	token->line = lex->line;
	token->column = (unsigned)(p - lex->line_start) + 1;
}

static enum lex_kind refuse(struct lex *lex, struct token *token, struct err *err,
	const char *p, const char *reason)
{
	(void)err_set(err, 0, "%s", reason);
	return token_end(lex, token, LEX_ERROR, p);
}

static void line_begin(struct lex *lex, const char *p)
{
	lex->line++;
	lex->line_start = p;
}

static enum lex_kind word(struct lex *lex, struct token *token, struct err *err, const char *p)
{
	token_begin(lex, token, p);
	for (; p < lex->end; p++) {
		uint8_t c = class_at(p);
		if (likely(c == IN_WORD))
			continue;
		if (c == NUL)
			return refuse(lex, token, err, p + 1, "a NUL byte is in the text");
		if (c != ESCAPE)
			break;
		if (p + 1 == lex->end || class_at(p + 1) == NEWLINE || class_at(p + 1) == NUL)
			return refuse(lex, token, err, p + 1, "nothing follows the backslash");
		p++;
	}
	if (p - token->text > LEX_TOKEN_MAX)
		return refuse(lex, token, err, p, "the word is too long");
	return token_end(lex, token, LEX_WORD, p);
}

/* p is behind the opening quote. */
static enum lex_kind quoted(
	struct lex *lex, struct token *token, struct err *err, const char *p)
{
	token_begin(lex, token, p - 1);
	const char *text = p;
	for (; p < lex->end; p++) {
		uint8_t c = class_at(p);
		if (c == QUOTE || c == NEWLINE)
			break;
		if (c == NUL)
			return refuse(lex, token, err, p + 1, "a NUL byte is in the text");
		/* An escaped newline is left for the loop, which ends there. */
		if (c == ESCAPE && p + 1 < lex->end && class_at(p + 1) != NEWLINE &&
			class_at(p + 1) != NUL)
			p++;
	}
	if (p == lex->end || *p == '\n')
		return refuse(lex, token, err, p, "this quote is not closed on its line");
	if (p - text > LEX_TOKEN_MAX)
		return refuse(lex, token, err, p, "the quoted text is too long");
	token->text = text;
	(void)token_end(lex, token, LEX_QUOTED, p);
	lex->p = p + 1;
	return LEX_QUOTED;
}

/* The end of the comment at p, or NULL when a NUL byte is in it: *at is there then. */
static const char *comment_end(const struct lex *lex, const char *p, const char **at)
{
	const char *end = memchr(p, '\n', (size_t)(lex->end - p));
	if (!end)
		end = lex->end;
	*at = memchr(p, '\0', (size_t)(end - p));
	return *at ? NULL : end;
}

static void paren_open(struct lex *lex, const char *p)
{
	if (lex->depth++ > 0)
		return;
	lex->open_line = lex->line;
	lex->open_column = (unsigned)(p - lex->line_start) + 1;
	lex->open_line_start = lex->line_start;
}

static enum lex_kind text_end(struct lex *lex, struct token *token, struct err *err)
{
	token_begin(lex, token, lex->end);
	if (lex->depth == 0)
		return token_end(lex, token, LEX_END, lex->end);
	token->line = lex->open_line;
	token->column = lex->open_column;
	token->line_start = lex->open_line_start;
	token->text = lex->open_line_start + lex->open_column - 1;
	(void)token_end(lex, token, LEX_ERROR, token->text + 1);
	lex->p = lex->end;
	lex->depth = 0; /* told once */
	(void)err_set(err, 0, "this '(' is never closed");
	return LEX_ERROR;
}

void lex_init(struct lex *lex, const char *text, size_t n)
{
	*lex = (struct lex){ .p = text, .end = text + n, .line_start = text, .line = 1 };
}

enum lex_kind lex_next(struct lex *lex, struct token *token, struct err *err)
{
	const char *p = lex->p;
	if (p == lex->line_start && lex->depth == 0 && p < lex->end &&
		(*p == ' ' || *p == '\t')) {
		token_begin(lex, token, p);
		while (p < lex->end && class_at(p) == BLANK)
			p++;
		return token_end(lex, token, LEX_BLANK, p);
	}
	while (p < lex->end) {
		const char *at;
		switch (class_at(p)) {
		case BLANK:
			p++;
			continue;
		case IN_WORD:
		case ESCAPE:
			return word(lex, token, err, p);
		case QUOTE:
			return quoted(lex, token, err, p + 1);
		case COMMENT:
			p = comment_end(lex, p, &at);
			if (p)
				continue;
			token_begin(lex, token, at);
			return refuse(lex, token, err, at + 1, "a NUL byte is in the text");
		case OPEN:
			paren_open(lex, p++);
			continue;
		case CLOSE:
			token_begin(lex, token, p);
			if (lex->depth == 0)
				return refuse(lex, token, err, p + 1, "no '(' is open here");
			lex->depth--;
			p++;
			continue;
		case NEWLINE:
			token_begin(lex, token, p++);
			line_begin(lex, p);
			if (lex->depth == 0)
				return token_end(lex, token, LEX_NEWLINE, p);
			continue;
		default: /* NUL */
			token_begin(lex, token, p);
			return refuse(lex, token, err, p + 1, "a NUL byte is in the text");
		}
	}
	return text_end(lex, token, err);
}

enum lex_kind lex_peek(const struct lex *lex, struct token *token, struct err *err)
{
	struct lex copy = *lex;
	return lex_next(&copy, token, err);
}

uint32_t lex_unit_seconds(char c)
{
	switch (c | 0x20) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 604800;
	default:
		return 0;
	}
}

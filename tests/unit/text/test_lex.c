/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/lex.h"
#include "unit/unit.h"

#include <string.h>

static struct lex lex;
static struct token token;
static struct err err;

static void begin(const char *text)
{
	lex_init(&lex, text, strlen(text));
}

static void expect(enum lex_kind kind, const char *text, unsigned line, unsigned column)
{
	ck_assert_int_eq(lex_next(&lex, &token, &err), kind);
	ck_assert_int_eq(token.kind, kind);
	if (text) {
		ck_assert_uint_eq(token.len, strlen(text));
		ck_assert_mem_eq(token.text, text, token.len);
	}
	ck_assert_uint_eq(token.line, line);
	ck_assert_uint_eq(token.column, column);
}

START_TEST(words_and_newlines_know_their_place)
{
	begin("a 300 IN\tA 1.2.3.4\nb");
	expect(LEX_WORD, "a", 1, 1);
	expect(LEX_WORD, "300", 1, 3);
	expect(LEX_WORD, "IN", 1, 7);
	expect(LEX_WORD, "A", 1, 10);
	expect(LEX_WORD, "1.2.3.4", 1, 12);
	expect(LEX_NEWLINE, NULL, 1, 19);
	expect(LEX_WORD, "b", 2, 1);
	expect(LEX_END, NULL, 2, 2);
	expect(LEX_END, NULL, 2, 2);
}
END_TEST

START_TEST(only_blanks_at_the_start_of_a_line_outside_parentheses_are_a_token)
{
	begin("  a (\n  b )\n\tc\r\n\r\nd");
	expect(LEX_BLANK, NULL, 1, 1);
	expect(LEX_WORD, "a", 1, 3);
	expect(LEX_WORD, "b", 2, 3);
	expect(LEX_NEWLINE, NULL, 2, 6);
	expect(LEX_BLANK, NULL, 3, 1);
	expect(LEX_WORD, "c", 3, 2);
	expect(LEX_NEWLINE, NULL, 3, 4);
	expect(LEX_NEWLINE, NULL, 4, 2);
	expect(LEX_WORD, "d", 5, 1);
}
END_TEST

START_TEST(quotes_and_backslashes_protect)
{
	begin("a\\ b \"c ;( \\\" d\" \\;e k=\"x y\" f;g\n");
	expect(LEX_WORD, "a\\ b", 1, 1);
	expect(LEX_QUOTED, "c ;( \\\" d", 1, 6);
	expect(LEX_WORD, "\\;e", 1, 18);
	expect(LEX_WORD, "k=", 1, 22);
	const char *behind = token.text + token.len + 1;
	expect(LEX_QUOTED, "x y", 1, 24);
	ck_assert_ptr_eq(token.text, behind);
	expect(LEX_WORD, "f", 1, 30);
	expect(LEX_NEWLINE, NULL, 1, 33);
}
END_TEST

START_TEST(a_peek_takes_nothing)
{
	begin("a(\nb)");
	expect(LEX_WORD, "a", 1, 1);
	ck_assert_int_eq(lex_peek(&lex, &token, &err), LEX_WORD);
	ck_assert_uint_eq(token.line, 2);
	ck_assert_uint_eq(lex.line, 1);
	expect(LEX_WORD, "b", 2, 1);
	expect(LEX_END, NULL, 2, 3);
}
END_TEST

START_TEST(an_open_parenthesis_is_told_where_it_was_opened_and_once)
{
	begin("a\nbc ( d (\ne )\n");
	expect(LEX_WORD, "a", 1, 1);
	expect(LEX_NEWLINE, NULL, 1, 2);
	expect(LEX_WORD, "bc", 2, 1);
	expect(LEX_WORD, "d", 2, 6);
	expect(LEX_WORD, "e", 3, 1);
	expect(LEX_ERROR, "(", 2, 4);
	ck_assert_ptr_nonnull(strstr(err.text, "never closed"));
	expect(LEX_END, NULL, 4, 1);
}
END_TEST

START_TEST(stray_and_open_things_are_errors_at_their_place)
{
	begin("a )\n");
	expect(LEX_WORD, "a", 1, 1);
	expect(LEX_ERROR, ")", 1, 3);
	expect(LEX_NEWLINE, NULL, 1, 4);

	begin("x \"open\ny");
	expect(LEX_WORD, "x", 1, 1);
	expect(LEX_ERROR, NULL, 1, 3);
	expect(LEX_NEWLINE, NULL, 1, 8);
	expect(LEX_WORD, "y", 2, 1);

	begin("x \"open\\");
	expect(LEX_WORD, "x", 1, 1);
	expect(LEX_ERROR, NULL, 1, 3);
	expect(LEX_END, NULL, 1, 9);

	begin("x\\\ny");
	expect(LEX_ERROR, NULL, 1, 1);
	expect(LEX_NEWLINE, NULL, 1, 3);
}
END_TEST

START_TEST(a_nul_byte_is_an_error_wherever_it_stands)
{
	static const char *const texts[] = { "a\0b\n", "\"\0ab\n", "; \0b\n", "(\0ab\n" };
	for (size_t i = 0; i < array_len(texts); i++) {
		lex_init(&lex, texts[i], 4);
		ck_assert_int_eq(lex_next(&lex, &token, &err), LEX_ERROR);
		ck_assert_ptr_nonnull(strstr(err.text, "NUL"));
	}
}
END_TEST

START_TEST(a_word_longer_than_any_rdata_is_an_error)
{
	size_t n = LEX_TOKEN_MAX + 1;
	char *text = malloc(n);
	ck_assert_ptr_nonnull(text);
	memset(text, 'a', n);
	lex_init(&lex, text, n - 1);
	ck_assert_int_eq(lex_next(&lex, &token, &err), LEX_WORD);
	lex_init(&lex, text, n);
	ck_assert_int_eq(lex_next(&lex, &token, &err), LEX_ERROR);
	free(text);
}
END_TEST

UNIT_MAIN("text/lex", words_and_newlines_know_their_place,
	only_blanks_at_the_start_of_a_line_outside_parentheses_are_a_token,
	quotes_and_backslashes_protect, a_peek_takes_nothing,
	an_open_parenthesis_is_told_where_it_was_opened_and_once,
	stray_and_open_things_are_errors_at_their_place,
	a_nul_byte_is_an_error_wherever_it_stands, a_word_longer_than_any_rdata_is_an_error)

/* SPDX-License-Identifier: BSD-2-Clause */
/* words.h -- the words of a command line, for both programs */
#pragma once

#include "base/def.h"

struct word_option {       /* open: one row per option */
	const char *name;  /* -c, --json */
	const char *value; /* what must follow, NULL: nothing */
	const char *help;
};

struct words { /* open: zero-initialise with argc, argv */
	int n;
	char **list;
	int at; /* the next */
	const char *program;
};

enum {
	WORDS_END = -1,
	WORDS_WRONG = -2,
	WORDS_OTHER = -3
};
/* The next word: the index of its option (*value gets what follows it), WORDS_OTHER for a word
 * that is none (*value), WORDS_END, or WORDS_WRONG after saying why on standard error. */
int words_next(
	struct words *words, const struct word_option *options, size_t n, const char **value);
/* One line per option. */
void words_help(const struct word_option *options, size_t n);

/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/words.h"

#include "base/near.h"

#include <stdio.h>
#include <string.h>

enum {
	OPTIONS_MAX = 32
};

static int complain_unknown(const struct words *words, const char *word,
	const struct word_option *options, size_t n)
{
	const char *names[OPTIONS_MAX];
	must(n <= OPTIONS_MAX);
	for (size_t i = 0; i < n; i++)
		names[i] = options[i].name;
	const char *near = near_find(word, names, n);
	(void)fprintf(stderr, "%s: unknown option %s%s%s%s; --help lists them\n",
		words->program, word, near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
	return WORDS_WRONG;
}

/* What follows the name within the word: -cFILE, --show=x; NULL: this is another option. */
static const char *rest_of(const char *word, const char *name)
{
	size_t n = strlen(name);
	if (strncmp(word, name, n) != 0)
		return NULL;
	if (name[1] == '-' && word[n] == '=')
		return word + n + 1;
	return !word[n] || name[1] != '-' ? word + n : NULL;
}

int words_next(
	struct words *words, const struct word_option *options, size_t n, const char **value)
{
	if (words->at >= words->n)
		return WORDS_END;
	const char *word = words->list[words->at++];
	*value = word;
	if (word[0] != '-' || !word[1])
		return WORDS_OTHER;
	for (size_t i = 0; i < n; i++) {
		const char *rest = rest_of(word, options[i].name);
		if (!rest || (*rest && !options[i].value))
			continue;
		*value = *rest ? rest : NULL;
		if (options[i].value && !*rest) {
			if (words->at >= words->n) {
				(void)fprintf(stderr, "%s: %s must be followed by %s\n",
					words->program, word, options[i].value);
				return WORDS_WRONG;
			}
			*value = words->list[words->at++];
		}
		return (int)i;
	}
	return complain_unknown(words, word, options, n);
}

void words_help(const struct word_option *options, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char left[64];
		(void)snprintf(left, sizeof left, "%s%s%s", options[i].name,
			options[i].value ? " " : "", options[i].value ? options[i].value : "");
		(void)printf("  %-18s %s\n", left, options[i].help);
	}
}

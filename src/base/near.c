/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/near.h"

#include <ctype.h>
#include <string.h>

enum {
	WORD_MAX_LEN = 63
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned near_distance(const char *a, const char *b)
{
	size_t an = strlen(a), bn = strlen(b);
	if (an > WORD_MAX_LEN || bn > WORD_MAX_LEN)
		return WORD_MAX_LEN;
	/* Three rows of the usual table: two back for swapped neighbours. */
	unsigned rows[3][WORD_MAX_LEN + 1] = { { 0 } };
	for (size_t j = 0; j <= bn; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= an; i++) {
		unsigned *now = rows[i % 3], *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= bn; j++) {
			int x = tolower((unsigned char)a[i - 1]),
			    y = tolower((unsigned char)b[j - 1]);
			unsigned d = least(least(up[j], now[j - 1]) + 1, up[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
				y == tolower((unsigned char)a[i - 2]))
				d = least(d, up2[j - 2] + 1);
			now[j] = d;
		}
	}
	return rows[an % 3][bn];
}

const char *near_find(const char *word, const char *const *words, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = (unsigned)(strlen(word) / 3 + 2);
	for (size_t i = 0; i < n; i++) {
		unsigned d = near_distance(word, words[i]);
		if (d < best_distance && d < strlen(words[i])) {
			best = words[i];
			best_distance = d;
		}
	}
	return best;
}

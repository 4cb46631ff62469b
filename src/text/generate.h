/* SPDX-License-Identifier: BSD-2-Clause */
/* generate.h -- the range and the templates of $GENERATE
 *
 * What     start-stop[/step]; in a template $ is the counter, ${offset[,width[,base]]} the
 *          counter changed and formatted, base one of d o x X n N (n: nibbles in reverse
 *          with dots, as ip6.arpa has them), $$ and \$ a dollar.
 * Limits   GENERATE_MAX records a directive, GENERATE_TEXT_MAX bytes a text made.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"

enum {
	GENERATE_MAX = 65536,
	GENERATE_TEXT_MAX = 4096,
};

struct generate { /* open */
	uint32_t start, stop, step;
};

int generate_read_range(
	struct generate *range, const char *text, size_t n, struct err *err) CHECKED;
/* Writes the text that template becomes for value to out[GENERATE_TEXT_MAX]. Returns its length
 * or -EINVAL. */
int generate_print(
	char *out, const char *template, size_t n, uint32_t value, struct err *err) CHECKED;

/* SPDX-License-Identifier: BSD-2-Clause */
/* near.h -- the word that was probably meant */
#pragma once

#include "base/def.h"

/* The word of words[0..n-1] nearest to word, or NULL when none is near enough to suggest. */
const char *near_find(const char *word, const char *const *words, size_t n);
/* Edits (insert, delete, replace, swap of neighbours) from a to b, letter case ignored; words
 * over 63 bytes are far. */
unsigned near_distance(const char *a, const char *b);

/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/case.h"

enum {
	UPPER = 'a' - 'A'
};

static bool is_letter(uint8_t c)
{
	return (uint8_t)(c - 'a') < 26;
}

/* The letter as the next bit of the seed has it; the seed goes round. */
static uint8_t mixed(uint8_t c, uint64_t *seed)
{
	uint8_t upper = (uint8_t)(*seed & 1) * UPPER;
	*seed = *seed >> 1 | *seed << 63;
	return (uint8_t)(c - upper);
}

/* Length bytes are below the letters, so bytes can be walked without minding labels. */
unsigned case_mix(uint8_t *out, const uint8_t *name, uint64_t seed)
{
	size_t n = name_len(name);
	unsigned letters = 0;
	for (size_t i = 0; i < n; i++) {
		bool is = is_letter(name[i]);
		letters += is;
		out[i] = is ? mixed(name[i], &seed) : name[i];
	}
	return letters;
}

bool case_is_echoed(const uint8_t *echo, const uint8_t *name, uint64_t seed)
{
	size_t n = name_len(name);
	for (size_t i = 0; i < n; i++)
		if (echo[i] != (is_letter(name[i]) ? mixed(name[i], &seed) : name[i]))
			return false;
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/minimise.h"

enum {
	QUESTIONS = 10, /* MAX_MINIMISE_COUNT */
	ONE_LABEL = 4,  /* MINIMISE_ONE_LAB */
};

unsigned minimise_labels(const struct minimise *m, unsigned labels)
{
	if (m->is_whole || m->count >= QUESTIONS || m->labels >= labels)
		return labels;
	unsigned left = labels - m->labels, step = 1;
	if (m->count >= ONE_LABEL) {
		unsigned questions = QUESTIONS - m->count;
		step = (left + questions - 1) / questions;
	}
	return m->labels + step;
}

const uint8_t *minimise_suffix(const uint8_t *name, unsigned of, unsigned labels)
{
	for (; of > labels; of--)
		name += 1 + *name;
	return name;
}

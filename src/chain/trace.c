/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain/trace.h"

#include "wire/name.h"

#include <string.h>

struct trace_step *trace_next(struct trace *trace, uint64_t now_ms)
{
	/* What does not fit overwrites the last step, so that the end of the way, which says
	 * why, is always there. */
	if (trace->n == TRACE_STEPS)
		trace->lost++;
	else
		trace->n++;
	struct trace_step *step = &trace->step[trace->n - 1];
	*step = (struct trace_step){ .at_ms = (uint32_t)(now_ms - trace->start_ms) };
	return step;
}

/* Where the name stands in the area; steps have few different names. */
static const uint8_t *keep_name(struct trace_copy *copy, const uint8_t *name)
{
	if (!name)
		return NULL;
	size_t len = name_len(name);
	for (const uint8_t *at = copy->names; at < copy->names + copy->used; at += name_len(at))
		if (name_len(at) == len && memcmp(at, name, len) == 0)
			return at;
	if (copy->used + len > sizeof copy->names)
		return NULL;
	uint8_t *to = copy->names + copy->used;
	memcpy(to, name, len);
	copy->used = (uint16_t)(copy->used + len);
	return to;
}

void trace_keep(struct trace_copy *copy, const struct trace *trace)
{
	copy->n = trace->n;
	copy->lost = trace->lost;
	copy->used = 0;
	for (uint32_t i = 0; i < trace->n; i++) {
		struct trace_step *step = &copy->step[i];
		*step = trace->step[i];
		step->name = keep_name(copy, step->name);
		step->zone = keep_name(copy, step->zone);
	}
}

static const uint8_t *shift(
	const struct trace_copy *to, const struct trace_copy *from, const uint8_t *name)
{
	return name ? to->names + (name - from->names) : NULL;
}

void trace_move(struct trace_copy *to, const struct trace_copy *from)
{
	*to = *from;
	for (uint32_t i = 0; i < to->n; i++) {
		to->step[i].name = shift(to, from, from->step[i].name);
		to->step[i].zone = shift(to, from, from->step[i].zone);
	}
}

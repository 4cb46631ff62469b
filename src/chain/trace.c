/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain/trace.h"

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

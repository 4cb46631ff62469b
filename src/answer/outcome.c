/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer/outcome.h"

#include "wire/edns.h"

#include <stdarg.h>
#include <stdio.h>

void outcome_start(struct outcome *o)
{
	*o = (struct outcome){ .ede = EDE_NONE };
}

bool outcome_add(struct outcome *o, const struct rrset *set)
{
	if (o->n == OUTCOME_SETS)
		return false;
	o->set[o->n++] = set;
	return true;
}

bool outcome_fail(struct outcome *o, int ede, const char *fmt, ...)
{
	o->rcode = RCODE_SERVFAIL;
	o->ede = ede;
	o->n = 0;
	o->is_authentic = o->is_authoritative = o->is_stale = false;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(o->ede_text, sizeof o->ede_text, fmt, ap);
	va_end(ap);
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/def.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void must_fail(const char *cond, const char *file, int line)
{
	fprintf(stderr, "rootward: bug at %s:%d: %s does not hold\n", file, line, cond);
	abort();
}

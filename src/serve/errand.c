/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/errand.h"

#include "base/mem.h"
#include "wire/message.h"

struct errand *errand_new(enum errand_kind kind)
{
	struct errand *errand = mem_new(sizeof *errand);
	errand->kind = kind;
	if (kind == ERRAND_EXPLAIN)
		errand->reply = mem_new(MESSAGE_MAX_LEN);
	else
		errand->failures = mem_array(ERRAND_FAILURES, sizeof *errand->failures);
	return errand;
}

void errand_free(struct errand **held)
{
	struct errand *errand = *held;
	*held = NULL;
	if (!errand)
		return;
	mem_free(errand->reply);
	mem_free(errand->failures);
	mem_free(errand);
}

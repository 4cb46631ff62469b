/* SPDX-License-Identifier: BSD-2-Clause */
/* kept.h -- what the cache holds, for people: show, dump, flush
 *
 * What     Walks over the whole cache, so on the builder's pool, one at a time.
 * Threads  Control.
 * Limits   A dump has at most KEPT_DUMP_MAX bytes, and says when it was cut.
 */
#pragma once

#include "ctl/control.h"
#include "ctl/inside.h"

enum {
	KEPT_DUMP_MAX = 200 * 1024 * 1024
};

void kept_show(struct daemon *daemon, const struct request *request, struct control_call *call);
void kept_dump(struct daemon *daemon, struct control_call *call);
void kept_flush(
	struct daemon *daemon, const struct request *request, struct control_call *call);

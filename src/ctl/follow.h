/* SPDX-License-Identifier: BSD-2-Clause */
/* follow.h -- files that the chain is made of, and what happens to them
 *
 * What     Their folders are watched, since editors put a new file in the old one's place; what
 *          cannot be watched is looked at every few seconds. A change is told once things have
 *          been quiet for a moment.
 * Threads  Control.
 * Limits   FOLLOW_FOLDERS are watched.
 */
#pragma once

#include "base/def.h"
#include "text/zonefile.h"

enum {
	FOLLOW_FOLDERS = 64
};

struct loop;
struct follow;
/* on_change(user): one of the files is not what it was when it was noted. */
struct follow *follow_new(struct loop *loop, void (*on_change)(void *user), void *user);
/* From now on these, which stay the caller's. NULL: none. Whether one has changed already is
 * looked at soon. */
void follow_set(struct follow *follow, const struct zonefile_files *files);
void follow_free(struct follow **follow);

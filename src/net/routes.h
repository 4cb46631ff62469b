/* SPDX-License-Identifier: BSD-2-Clause */
/* routes.h -- news of this host's links, addresses and routes
 *
 * What     rtnetlink's word that something changed, not what: who is told looks anew. Changes
 *          that come together are one call, a moment later.
 * Threads  One loop's.
 * Read     rtnetlink(7).
 */
#pragma once

#include "base/def.h"

struct loop;
struct routes;
/* NULL: the kernel does not tell, or this build cannot listen (configure --without-libmnl). */
struct routes *routes_new(struct loop *loop, void (*on_change)(void *user), void *user);
void routes_free(struct routes **routes);

/* SPDX-License-Identifier: BSD-2-Clause */
/* links.h -- the kinds of links that the daemon brings
 *
 * What     Each is a struct link as a plugin's would be, but may see what stands above this
 *          floor: the ask, the resolver, the upstream. `cache` is no kind with code: a link
 *          without a kind keeps, and answers nothing itself.
 * Threads  As chain/link.h says.
 */
#pragma once

#include "chain/link.h"

extern const struct link link_hosts;   /* names from hosts files */
extern const struct link link_forward; /* other resolvers */
extern const struct link link_recurse; /* from the root */

/* Why a forward link with this data is not to be asked (chain_link.off): a text that lives as
 * long as the data; NULL: it is. */
const char *link_forward_off(const void *data);

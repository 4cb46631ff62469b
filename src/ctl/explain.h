/* SPDX-License-Identifier: BSD-2-Clause */
/* explain.h -- which link answers, how old, from whom; and what came to nothing lately
 *
 * What     A request becomes an errand to one worker (explain) or to all (why), their results
 *          a JSON reply. A chain is a worker's, what it keeps is everybody's: one worker's
 *          word is good for all, but the failures are its own.
 * Threads  Control.
 */
#pragma once

#include "ctl/control.h"
#include "ctl/inside.h"

void explain_ask(
	struct daemon *daemon, const struct request *request, struct control_call *call);
void explain_why(
	struct daemon *daemon, const struct request *request, struct control_call *call);
/* After the server: what is still out is let go of. */
void explain_fini(struct daemon *daemon);
/* "192.0.2.1@53" or NULL; "UDP", "TCP", ... */
struct cache_from;
json_t *explain_server(const struct endpoint *server);
const char *explain_transport(unsigned transport);
struct rrset;
/* Its records as a list of texts. */
json_t *explain_set(const struct rrset *set);
/* The records of the sections of a message: adds "answer", "authority" to out. */
void explain_records(json_t *out, const uint8_t *msg, size_t len);

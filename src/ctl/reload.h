/* SPDX-License-Identifier: BSD-2-Clause */
/* reload.h -- from "something changed" to the new world in force; for daemon.c
 *
 * What     Waiters (calls that wait for a reply, or a signal that does not) -> build on the
 *          pool -> adopt -> switch -> replies. Waiters that come meanwhile share the next turn.
 * Threads  Control.
 */
#pragma once

#include "ctl/control.h"
#include "ctl/inside.h"

/* zone NULL: everything. call NULL: nobody waits. */
void reload_ask(struct daemon *daemon, const uint8_t *zone, struct control_call *call);
/* A file that a link is made of has changed: the chain is made anew, nothing else is read. */
void reload_links(struct daemon *daemon);
/* The way of config, for the daemon's first start and its reloads; the builder's thread. */
int reload_way(struct way **out, struct daemon *daemon, const struct config *config,
	struct complaints *complaints) CHECKED;
/* Before the end: waiters get a refusal. */
void reload_end(struct daemon *daemon);
/* After the loop: what was being switched to is let go of. */
void reload_fini(struct daemon *daemon);
/* The limits of TCP that the configuration asks for. */
void reload_streams(struct stream_opts *out, const struct config *config);
/* A certificate has come into force, or none is. */
void reload_follow_tls(struct daemon *daemon);
/* A world of the daemon's configuration and zones. */
struct world *reload_world(const struct daemon *daemon) CHECKED;

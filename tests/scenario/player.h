/* SPDX-License-Identifier: BSD-2-Clause */
/* player.h -- plays one scenario to a resolver
 *
 * Limits   PLAY_EVENTS events, an answer within PLAY_WAIT_MS of the clock of the fake world.
 */
#pragma once

#include "scenario/rpl.h"

enum {
	PLAY_EVENTS = 20000,
	PLAY_WAIT_MS = 15000,
	PLAY_WHY = 4096
};

/* Its steps of time can be waited for. */
bool play_is_possible(const struct rpl *rpl) PURE;
/* False: why says at which line what went wrong. log: what is asked and told is printed. */
bool play(const struct rpl *rpl, const char *path, bool log, char why[PLAY_WHY]);

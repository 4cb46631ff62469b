/* SPDX-License-Identifier: BSD-2-Clause */
/* show.h -- what the daemon replied, for a reader */
#pragma once

#include <jansson.h>

/* verb: the word of the command line. */
void show_reply(const char *verb, const json_t *reply);

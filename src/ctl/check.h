/* SPDX-License-Identifier: BSD-2-Clause */
/* check.h -- files judged without a daemon
 *
 * What     The same code that the daemon starts and reloads with. Complaints go to standard
 *          error, what was asked for to standard output; with as_json one document there.
 */
#pragma once

#include "base/def.h"

struct check_opts { /* open */
	bool as_json, is_strict, prints;
};

/* Exit codes of daemon.h. The configuration, and every zone it names. */
int check_config(const char *path, const struct check_opts *opts);
int check_zone(const char *origin, const char *path, const struct check_opts *opts);

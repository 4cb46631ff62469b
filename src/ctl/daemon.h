/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.h -- rootward from its start to its end
 *
 * What     Configuration, sockets, privileges, zones, workers, then the control thread's loop:
 *          reload and stop by signal and by control socket. One reload is built and switched to
 *          at a time; what is asked meanwhile is one more.
 * Threads  Control; builds run on the loop's pool.
 */
#pragma once

#include "base/def.h"

/* sysexits.h has it: what the configuration says is refused. */
enum {
	EXIT_GOOD = 0,
	EXIT_FAILED = 1,
	EXIT_WARNINGS = 3,
	EXIT_CONFIG = 78
};

/* Runs until told to stop. started_us: clock_mono_us() when the process began. Returns the exit
 * code. */
int daemon_run(const char *config_path, uint64_t started_us);

/* SPDX-License-Identifier: BSD-2-Clause */
/* load.h -- a plugin: a shared object that exports one link as rootward_link
 *
 * What     Opens the file, checks the ABI number before anything else is looked at, then that
 *          all its rows and calls are fit to be used.
 * Threads  Any, one at a time.
 * Memory   What was loaded stays until the process ends: threads may be in it, and it may have
 *          left functions to be called at exit. The same file is loaded once.
 * Limits   32 options; words of 31 bytes.
 */
#pragma once

#include "base/err.h"
#include "chain/link.h"

/* The link of the shared object at path, or NULL with the reason in err. */
const struct link *chain_plugin_load(const char *path, struct err *err) CHECKED;

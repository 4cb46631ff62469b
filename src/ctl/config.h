/* SPDX-License-Identifier: BSD-2-Clause */
/* config.h -- rootward.yaml, read and checked whole
 *
 * What     The file and those it includes become plain values through the rows of option.h.
 *          Lists append over files; anything else may be said once.
 * Threads  Pure but for reading files: the builder reads one while another is in force.
 * Limits   16 files, includes 8 deep, a file at most once; see tree.h for one file.
 */
#pragma once

#include "base/log.h"
#include "base/mem.h"
#include "net/addr.h"
#include "serve/server.h"
#include "text/zonefile.h"

struct addrs { /* open */
	size_t n;
	struct addr list[LISTENERS_MAX];
};

struct config_zone {         /* open */
	const uint8_t *name; /* NULL: every NAME.zone in the folder path */
	const char *path;
	const char *file; /* where it is said */
	uint32_t line, column;
};

enum {
	CONFIG_FILES_MAX = 16,
	CONFIG_DEPTH_MAX = 8
};

struct config { /* open: plain values, in the order of option.c */
	struct addrs listen;
	uint64_t workers;
	const char *control, *state, *user; /* empty: not said */
	uint64_t tcp_idle_ms, tcp_connections, tcp_per_client, tcp_memory;
	uint64_t rate_limit;
	bool cookies;
	uint64_t edns_size;
	const char *version, *identity, *nsid;
	uint64_t log_level, log_queries;
	struct config_zone *zones;
	size_t zones_n;
	bool has_own_listen; /* the file says server.listen */
	struct arena arena;
};

/* Reads path. NULL when there were errors; they are in complaints. */
struct config *config_read(const char *path, struct complaints *complaints) CHECKED;
/* The same over text in memory; name stands in the complaints; include is refused. */
struct config *config_read_text(
	const char *name, const char *text, size_t n, struct complaints *complaints) CHECKED;
void config_free(struct config **config);
/* The rows of options that need a restart and differ: at most size of them into out. */
struct option;
size_t config_compare(
	const struct config *a, const struct config *b, const struct option **out, size_t size);

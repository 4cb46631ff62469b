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
#include "chain/chain.h"
#include "net/addr.h"
#include "serve/server.h"
#include "text/zonefile.h"

struct addrs { /* open */
	size_t n;
	struct addr list[LISTENERS_MAX];
};

enum config_whom {
	WHOM_PREFIX,
	WHOM_LOOPBACK,
	WHOM_CONNECTED,    /* directly connected prefixes of private use */
	WHOM_CONNECTED_ALL /* all of them */
};
struct config_access { /* open: who may ask for recursion */
	size_t n;
	struct config_rule { /* open */
		enum config_whom whom;
		struct access_rule rule; /* but for whom, only is_denied counts */
	} list[ACCESS_RULES];
};

struct config_place { /* open: where something is said */
	const char *file;
	uint32_t line, column;
};

struct config_stub { /* open */
	const uint8_t *name;
	struct addrs to;
	bool is_first;
};

struct config_special {      /* open: a special-use name, or a name at or below one */
	const uint8_t *name; /* NULL: all of them */
	bool is_local;
	struct config_place place;
};

struct config_link { /* open */
	char name[CHAIN_NAME];
	const char *kind_text;
	const struct link *kind; /* NULL: cache */
	struct link_value *values;
	uint64_t ttl_max_ms, budget_ms;
	bool has_ttl_max, stops, has_zones, has_local; /* has_local: zones says "local" */
	size_t zones_n;
	const uint8_t **zones;
	uint64_t digest; /* of all that is said of it */
	struct config_place place;
};

enum consistency {
	CONSISTENCY_STRICT,   /* nothing is told past its time */
	CONSISTENCY_BOUNDED,  /* when there is no other answer, or none within 1.8 s */
	CONSISTENCY_AVAILABLE /* at once; a fresh one is looked for behind it */
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
	struct addrs listen, listen_tls;
	uint64_t workers;
	const char *control, *state, *user; /* empty: not said */
	uint64_t tcp_idle_ms, tcp_connections, tcp_per_client, tcp_memory;
	uint64_t rate_limit;
	bool cookies;
	uint64_t edns_size;
	const char *version, *identity, *nsid;
	/* paths; empty: not said */
	const char *tls_certificate, *tls_key, *tls_client_ca, *tls_client_crl;
	uint64_t tls_client_auth; /* enum client_auth */
	uint64_t log_level, log_queries;
	struct config_access access;
	uint64_t cache_size, ttl_min_ms, ttl_max_ms, negative_max_ms;
	enum consistency consistency;
	uint64_t stale_ms;
	const char *hints; /* empty: those built in */
	bool qname_minimisation, case_randomisation, harden_glue, minimal_responses;
	bool ipv4, ipv6, query_loopback;
	size_t stubs_n, specials_n, links_n;
	struct config_stub *stubs;
	struct config_special *specials;
	struct config_link links[CHAIN_LINKS];
	bool has_own_chain; /* the file says chain */
	struct config_zone *zones;
	size_t zones_n;
	bool has_own_listen;         /* the file says server.listen */
	struct config_place *places; /* of the rows' values, file NULL: not said */
	struct arena arena;
};

/* Reads path. NULL when there were errors; they are in complaints. */
struct config *config_read(const char *path, struct complaints *complaints) CHECKED;
/* The same over text in memory; name stands in the complaints; include is refused. */
struct config *config_read_text(
	const char *name, const char *text, size_t n, struct complaints *complaints) CHECKED;
void config_free(struct config **config);
/* Where a key's value is said. */
struct config_place config_place_of(const struct config *config, const char *key);
/* The rows of options that need a restart and differ: at most size of them into out. */
struct option;
size_t config_compare(
	const struct config *a, const struct config *b, const struct option **out, size_t size);

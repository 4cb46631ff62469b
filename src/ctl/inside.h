/* SPDX-License-Identifier: BSD-2-Clause */
/* inside.h -- what the daemon is made of; for daemon.c, reload.c and status.c */
#pragma once

#include "base/list.h"
#include "base/log.h"
#include "ctl/config.h"
#include "ctl/control.h"
#include "ctl/follow.h"
#include "ctl/tls.h"
#include "ctl/way.h"
#include "ctl/zones.h"
#include "net/routes.h"
#include "serve/server.h"

struct build;

struct daemon { /* open */
	struct loop *loop;
	struct server *server;
	struct control *control;
	const char *path;       /* of the configuration */
	struct config *config;  /* in force but for what needs a restart */
	struct config *initial; /* in force for that */
	struct zones *zones;
	struct way *way;     /* of names outside them; NULL: there is none */
	struct tls_setup *tls; /* NULL: nobody is served over TLS */
	struct tickets *tickets;
	unsigned tls_told, hours; /* for the hourly look at the certificate */
	struct loop_timer *hourly;
	struct cache *cache; /* these three from the first way on, for good */
	struct facts *facts;
	struct chain_shared *shared;
	uint32_t questions; /* to other servers at a time; 0: as many as may be */
	struct follow *follow, *follow_tls;
	struct routes *routes; /* NULL: nobody tells of changes */
	uint64_t started_us;
	uint64_t reloads, reloads_failed;
	struct list now, next; /* waiters for the reload that runs, for the one after */
	struct build *build;   /* NULL: none runs */
	struct list asked; /* requests that workers are asked about */
	bool has_job;      /* the cache is being walked */
	bool is_stopping;
	struct log_limit told; /* reloads in the log */
};

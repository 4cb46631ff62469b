/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	STALE_S = 3 * 86400, /* when serve-expired-ttl says 0: no end */
	DATE_LEN = 14
};

static int bad(const struct rpl_config *c, const char *what, struct err *err)
{
	return err_set(
		err, -EINVAL, "line %u: %s: '%s' is no %s", c->line, c->key, c->value, what);
}

static bool is_yes(const char *value)
{
	return strcmp(value, "yes") == 0 || strcmp(value, "on") == 0 ||
	       strcmp(value, "true") == 0;
}

/* YYYYMMDDHHMMSS */
static uint64_t read_date(const char *text)
{
	struct tm tm = { 0 };
	if (strlen(text) != DATE_LEN || !strptime(text, "%Y%m%d%H%M%S", &tm))
		return 0;
	return (uint64_t)timegm(&tm);
}

/* ---- server: ---- */

static void set_server(
	struct subject_opts *opts, uint64_t *wall_s, const struct rpl_config *c, bool *is_stale)
{
	const struct {
		const char *key;
		bool *flag;
	} flags[] = { { "qname-minimisation", &opts->resolve.qname_minimisation },
		{ "query-minimization", &opts->resolve.qname_minimisation },
		{ "use-caps-for-id", &opts->resolve.case_randomisation },
		{ "harden-glue", &opts->resolve.harden_glue },
		{ "do-ip4", &opts->resolve.ipv4 }, { "do-ip6", &opts->resolve.ipv6 },
		{ "serve-expired", is_stale } };
	const struct {
		const char *key;
		uint32_t *number;
	} numbers[] = { { "cache-min-ttl", &opts->resolve.ttl.ttl_min },
		{ "cache-max-ttl", &opts->resolve.ttl.ttl_max },
		{ "cache-max-negative-ttl", &opts->resolve.ttl.negative_max },
		{ "num-queries-per-thread", &opts->asks },
		{ "serve-expired-ttl", &opts->stale_s } };
	for (size_t i = 0; i < array_len(flags); i++)
		if (strcmp(c->key, flags[i].key) == 0)
			*flags[i].flag = is_yes(c->value);
	for (size_t i = 0; i < array_len(numbers); i++)
		if (strcmp(c->key, numbers[i].key) == 0)
			*numbers[i].number = (uint32_t)strtoul(c->value, NULL, 10);
	if (strcmp(c->key, "val-override-date") == 0 && read_date(c->value))
		*wall_s = read_date(c->value);
	if (strcmp(c->key, "val-override-timestamp") == 0)
		*wall_s = strtoull(c->value, NULL, 10);
}

/* ---- zones ---- */

static int add_address(
	struct addr *list, size_t *n, const struct rpl_config *c, struct err *err)
{
	if (*n == RESOLVE_SERVERS_MAX || addr_parse(&list[*n], c->value, 53, NULL) < 0)
		return bad(c, "address, or one too many", err);
	++*n;
	return 0;
}

static const char *find(const struct rpl *rpl, const struct rpl_config *of, const char *key)
{
	for (const struct rpl_config *c = rpl->config; c; c = c->next)
		if (c->clause == of->clause && strcmp(c->key, key) == 0)
			return c->value;
	return NULL;
}

static int read_zone(
	struct name *zone, const struct rpl *rpl, const struct rpl_config *c, struct err *err)
{
	/* Deckard leaves out the stub zone around the servers of the root. */
	const char *text = find(rpl, c, "name");
	struct name name;
	if (!text)
		text = ".";
	if (name_from_text(&name, text, strlen(text), NULL, err) < 0)
		return bad(c, "zone", err);
	zone->len = name.len;
	name_lower(zone->bytes, name.bytes, name.len);
	return 0;
}

static int add_hint(struct subject_opts *opts, const struct rpl_config *c, struct err *err)
{
	struct resolve_hint *hint = &opts->hints[opts->resolve.hints_n];
	char text[32];
	int n = snprintf(text, sizeof text, "hint%zu.invalid.", opts->resolve.hints_n);
	if (opts->resolve.hints_n == SUBJECT_HINTS ||
		addr_parse(&hint->addr, c->value, 53, NULL) < 0 ||
		name_from_text(&hint->name, text, (size_t)n, NULL, err) < 0)
		return bad(c, "address, or one too many", err);
	opts->resolve.hints_n++;
	return 0;
}

static bool yes_of(const struct rpl *rpl, const struct rpl_config *c, const char *key)
{
	const char *value = find(rpl, c, key);
	return value && is_yes(value);
}

static int add_stub(struct subject_opts *opts, const struct rpl *rpl,
	const struct rpl_config *c, struct err *err)
{
	struct name zone;
	if (read_zone(&zone, rpl, c, err) < 0)
		return -EINVAL;
	if (zone.len == 1)
		return add_hint(opts, c, err);
	for (size_t i = 0; i < opts->resolve.stubs_n; i++)
		if (name_is_equal(opts->stubs[i].zone.bytes, zone.bytes))
			return add_address(opts->stubs[i].to, &opts->stubs[i].n, c, err);
	if (opts->resolve.stubs_n == SUBJECT_STUBS)
		return bad(c, "stub zone any more", err);
	struct resolve_stub *stub = &opts->stubs[opts->resolve.stubs_n++];
	stub->zone = zone;
	stub->is_first = yes_of(rpl, c, "stub-first");
	return add_address(stub->to, &stub->n, c, err);
}

static int add_forward(struct subject_opts *opts, const struct rpl *rpl,
	const struct rpl_config *c, struct err *err)
{
	struct name zone;
	if (read_zone(&zone, rpl, c, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < opts->forwards_n; i++)
		if (name_is_equal(opts->forwards[i].zone.bytes, zone.bytes))
			return add_address(opts->forwards[i].to, &opts->forwards[i].n, c, err);
	if (opts->forwards_n == SUBJECT_FORWARDS)
		return bad(c, "forward zone any more", err);
	struct subject_forward *forward = &opts->forwards[opts->forwards_n++];
	forward->zone = zone;
	forward->is_first = yes_of(rpl, c, "forward-first");
	return add_address(forward->to, &forward->n, c, err);
}

int setup_read(
	struct subject_opts *opts, uint64_t *wall_s, const struct rpl *rpl, struct err *err)
{
	bool is_stale = false;
	*opts = (struct subject_opts){ .resolve = { .qname_minimisation = true,
					       .case_randomisation = true,
					       .harden_glue = true,
					       .ipv4 = true,
					       .ipv6 = true,
					       .query_loopback = true,
					       .edns_size = 1232,
					       .server_port = 53,
					       .ttl = { 0, 86400, 3600, 30 } } };
	*wall_s = 1800000000;
	for (const struct rpl_config *c = rpl->config; c; c = c->next) {
		int rc = 0;
		if (strcmp(c->key, "stub-addr") == 0)
			rc = add_stub(opts, rpl, c, err);
		else if (strcmp(c->key, "forward-addr") == 0)
			rc = add_forward(opts, rpl, c, err);
		else
			set_server(opts, wall_s, c, &is_stale);
		if (rc < 0)
			return rc;
	}
	if (!is_stale)
		opts->stale_s = 0;
	else if (!opts->stale_s)
		opts->stale_s = STALE_S;
	return 0;
}

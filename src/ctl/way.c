/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/way.h"

#include "base/hash.h"
#include "ctl/special.h"
#include "links/links.h"
#include "net/ifaces.h"
#include "text/complain.h"
#include "text/source.h"
#include "wire/name.h"
#include "wire/rrtype.h"
#include "zone/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HINTS_MAX = 256,
	ERROR_MAX = 512,
	CONNECTIONS = 1000,
	QUESTIONS = 10000,
	PAD_BYTES = 64 * 1024 * 1024,
	FAILURE_MAX_S = 300, /* RFC 9520 3.2 */
	DNS_PORT = 53,
	REVERSE_LABELS_MAX = 34
};

struct builder {
	struct way *way;
	const struct config *config;
	struct complaints *complaints;
	size_t ifaces_n;
	struct iface_prefix ifaces[IFACES_MAX];
	/* of the link being prepared */
	const struct config_link *link;
	uint64_t digest;
};

static uint64_t mix(uint64_t digest, const void *bytes, size_t n)
{
	struct hash_key key = { digest, n };
	return hash_sip(&key, bytes, n, 2, 4);
}

static void complain_at(
	struct builder *b, bool is_error, const struct config_place *at, const char *reason)
{
	const struct place place = { .file = at->file, .line = at->line, .column = at->column };
	complain(b->complaints, is_error, &place, reason);
}

/* ---- who may ask ---- */

static bool is_meant(const struct iface_prefix *iface, enum config_whom whom)
{
	if (whom == WHOM_CONNECTED)
		return iface->is_private;
	return whom == WHOM_CONNECTED_ALL && !iface->is_loopback;
}

static void add_rule(struct access *access, const struct access_rule *rule)
{
	if (access->n < ACCESS_RULES)
		access->rule[access->n++] = *rule;
}

static void add_loopback(struct access *access, bool is_denied)
{
	struct access_rule rule = { .bits = 104, .is_denied = is_denied };
	rule.prefix.address[10] = rule.prefix.address[11] = 0xff;
	rule.prefix.address[12] = 127;
	add_rule(access, &rule);
	rule = (struct access_rule){ .bits = 128, .is_denied = is_denied };
	rule.prefix.address[15] = 1;
	add_rule(access, &rule);
}

static void fill_access(struct builder *b)
{
	struct access *access = &b->way->serve.access;
	for (size_t i = 0; i < b->config->access.n; i++) {
		const struct config_rule *said = &b->config->access.list[i];
		if (said->whom == WHOM_PREFIX)
			add_rule(access, &said->rule);
		if (said->whom == WHOM_LOOPBACK)
			add_loopback(access, said->rule.is_denied);
		for (size_t j = 0; j < b->ifaces_n; j++)
			if (is_meant(&b->ifaces[j], said->whom))
				add_rule(access,
					&(struct access_rule){ .prefix = b->ifaces[j].prefix,
						.bits = b->ifaces[j].bits,
						.is_denied = said->rule.is_denied });
	}
	b->way->digest = mix(b->way->digest, access->rule, access->n * sizeof access->rule[0]);
}

/* ---- the resolver ---- */

/* The root servers as they are published; RFC 9609 2. */
struct root_server {
	char letter;
	const char *ipv4, *ipv6;
};
static const struct root_server root_servers[] = {
	{ 'a', "198.41.0.4", "2001:503:ba3e::2:30" },
	{ 'b', "170.247.170.2", "2801:1b8:10::b" },
	{ 'c', "192.33.4.12", "2001:500:2::c" },
	{ 'd', "199.7.91.13", "2001:500:2d::d" },
	{ 'e', "192.203.230.10", "2001:500:a8::e" },
	{ 'f', "192.5.5.241", "2001:500:2f::f" },
	{ 'g', "192.112.36.4", "2001:500:12::d0d" },
	{ 'h', "198.97.190.53", "2001:500:1::53" },
	{ 'i', "192.36.148.17", "2001:7fe::53" },
	{ 'j', "192.58.128.30", "2001:503:c27::2:30" },
	{ 'k', "193.0.14.129", "2001:7fd::1" },
	{ 'l', "199.7.83.42", "2001:500:9f::42" },
	{ 'm', "202.12.27.33", "2001:dc3::35" },
};

struct hints {
	struct builder *builder;
	size_t n, names_n;
	struct name names[HINTS_MAX]; /* of the NS set */
	struct resolve_hint *list;
};

static void add_hint(struct hints *h, const struct name *name, const struct addr *addr)
{
	h->list[h->n].name = *name;
	h->list[h->n++].addr = *addr;
}

static void add_known(struct hints *h)
{
	struct err err;
	for (size_t i = 0; i < array_len(root_servers); i++) {
		const struct root_server *s = &root_servers[i];
		const char *text[] = { s->ipv4, s->ipv6 };
		char host[] = "x.root-servers.net.";
		struct name name = { 0 };
		struct addr addr;
		host[0] = s->letter;
		must(name_from_text(&name, host, sizeof host - 1, NULL, &err) == 0);
		for (size_t j = 0; j < array_len(text); j++) {
			must(addr_parse(&addr, text[j], DNS_PORT, &err) == 0);
			add_hint(h, &name, &addr);
		}
	}
}

static bool is_root_server(const struct hints *h, const uint8_t *owner)
{
	for (size_t i = 0; i < h->names_n; i++)
		if (name_is_equal(h->names[i].bytes, owner))
			return true;
	return false;
}

static int on_hint_name(void *user, const struct record *record, struct err *err)
{
	struct hints *h = user;
	if (record->type != TYPE_NS || name_len(record->owner) != 1)
		return 0;
	if (h->names_n == HINTS_MAX)
		return err_set(err, -EINVAL, "over %d root servers", HINTS_MAX);
	struct name *name = &h->names[h->names_n++]; /* zeroed */
	name->len = (uint8_t)record->rdata_len;
	memcpy(name->bytes, record->rdata, record->rdata_len);
	return 0;
}

static int on_hint_address(void *user, const struct record *record, struct err *err)
{
	struct hints *h = user;
	struct addr addr = { 0 };
	if (record->type != TYPE_A && record->type != TYPE_AAAA)
		return 0;
	if (!is_root_server(h, record->owner))
		return err_set(err, 1, "this name is no root server of the file");
	if (h->n == HINTS_MAX)
		return err_set(err, -EINVAL, "over %d addresses of root servers", HINTS_MAX);
	if (record->type == TYPE_A) {
		addr.v4.sin_family = AF_INET;
		addr.v4.sin_port = htons(DNS_PORT);
		memcpy(&addr.v4.sin_addr, record->rdata, 4);
	} else {
		addr.v6.sin6_family = AF_INET6;
		addr.v6.sin6_port = htons(DNS_PORT);
		memcpy(&addr.v6.sin6_addr, record->rdata, 16);
	}
	struct name name = { .len = (uint8_t)name_len(record->owner) };
	memcpy(name.bytes, record->owner, name.len);
	add_hint(h, &name, &addr);
	return 0;
}

static int read_hints(struct builder *b, struct hints *h)
{
	static const uint8_t root[] = { 0 };
	const char *path = b->config->hints;
	size_t before = b->complaints->errors;
	if (zonefile_scan(path, root, on_hint_name, h, b->complaints, &b->way->watched) < 0)
		return -EINVAL;
	zonefile_rescan(path, root, on_hint_address, h, b->complaints);
	if (b->complaints->errors > before)
		return -EINVAL;
	if (h->n)
		return 0;
	const struct config_place at = { path, 1, 1 };
	complain_at(b, true, &at, "root.hints: no root server with an address is here");
	return -EINVAL;
}

static int fill_hints(struct builder *b)
{
	struct resolve_opts *out = &b->way->serve.resolve;
	struct hints *h = mem_new(sizeof *h);
	h->builder = b;
	h->list = arena_new(&b->way->arena, HINTS_MAX * sizeof *h->list);
	int rc = 0;
	if (*b->config->hints)
		rc = read_hints(b, h);
	else
		add_known(h);
	out->hints = h->list;
	out->hints_n = h->n;
	mem_free(h);
	b->digest = mix(b->digest, out->hints, out->hints_n * sizeof *out->hints);
	return rc;
}

static void fill_stubs(struct builder *b)
{
	struct resolve_opts *out = &b->way->serve.resolve;
	size_t n = b->config->stubs_n;
	struct resolve_stub *stubs = arena_new(&b->way->arena, (n + 1) * sizeof *stubs);
	for (size_t i = 0; i < n; i++) {
		const struct config_stub *said = &b->config->stubs[i];
		stubs[i].zone.len = (uint8_t)name_len(said->name);
		memcpy(stubs[i].zone.bytes, said->name, stubs[i].zone.len);
		stubs[i].is_first = said->is_first;
		stubs[i].n = said->to.n;
		memcpy(stubs[i].to, said->to.list, said->to.n * sizeof said->to.list[0]);
	}
	out->stubs = stubs;
	out->stubs_n = n;
	b->digest = mix(b->digest, stubs, n * sizeof *stubs);
}

/* Our own addresses: a listener at every address is one at each of this host's. */
static void fill_own(struct builder *b)
{
	struct resolve_opts *out = &b->way->serve.resolve;
	const struct addrs *listen = &b->config->listen;
	size_t n = 0;
	struct addr *own =
		arena_new(&b->way->arena, listen->n * (b->ifaces_n + 1) * sizeof *own);
	for (size_t i = 0; i < listen->n; i++) {
		own[n++] = listen->list[i];
		for (size_t j = 0; addr_is_wildcard(&listen->list[i]) && j < b->ifaces_n; j++) {
			own[n] = b->ifaces[j].addr;
			own[n++].v4.sin_port = htons(addr_port(&listen->list[i]));
		}
	}
	out->own = own;
	out->own_n = n;
	b->way->digest = mix(b->way->digest, own, n * sizeof *own);
}

static uint32_t seconds(uint64_t ms)
{
	return (uint32_t)((ms + 999) / 1000);
}

static int fill_resolve(struct builder *b)
{
	const struct config *config = b->config;
	struct resolve_opts *out = &b->way->serve.resolve;
	*out = (struct resolve_opts){ .edns_size = 1232,
		.server_port = DNS_PORT,
		.ttl = { .ttl_min = seconds(config->ttl_min_ms),
			.ttl_max = seconds(config->ttl_max_ms),
			.negative_max = seconds(config->negative_max_ms),
			.failure_max = FAILURE_MAX_S } };
	out->qname_minimisation = config->qname_minimisation;
	out->case_randomisation = config->case_randomisation;
	out->harden_glue = config->harden_glue;
	out->is_wordy = !config->minimal_responses;
	out->query_loopback = config->query_loopback;
	out->ipv4 = config->ipv4;
	out->ipv6 = config->ipv6;
	b->digest = mix(0, out, sizeof *out);
	fill_stubs(b);
	int rc = fill_hints(b);
	fill_own(b);
	return rc;
}

/* ---- special-use names ---- */

static void add_special(struct builder *b, struct zone *zone)
{
	struct serve_way *way = &b->way->serve;
	way->special = mem_grow(way->special, (way->special_n + 1) * sizeof(struct zone *));
	way->special[way->special_n++] = zone;
}

static void add_open(struct builder *b, const uint8_t *name)
{
	struct serve_way *way = &b->way->serve;
	way->opens = mem_grow(way->opens, (way->opens_n + 1) * sizeof *way->opens);
	uint8_t *copy = arena_new(&b->way->arena, name_len(name));
	memcpy(copy, name, name_len(name));
	way->opens[way->opens_n++] = copy;
	b->way->digest = mix(b->way->digest, name, name_len(name));
}

static bool are_all_off(const struct config *config)
{
	for (size_t i = 0; i < config->specials_n; i++)
		if (!config->specials[i].name)
			return true;
	return false;
}

static bool is_below_special(const struct serve_way *way, const uint8_t *name)
{
	for (size_t i = 0; i < way->special_n; i++)
		if (name_is_at_or_below(name, way->special[i]->apex_name))
			return true;
	return false;
}

static void apply_said(struct builder *b, const struct config_special *said)
{
	struct serve_way *way = &b->way->serve;
	const uint8_t *name = said->name;
	for (size_t i = 0; name && i < way->special_n; i++)
		if (name_is_equal(way->special[i]->apex_name, name)) {
			if (said->is_local)
				return;
			zone_drop(&way->special[i]);
			way->special[i] = way->special[--way->special_n];
			return;
		}
	if (name && said->is_local)
		add_special(b, special_empty(name));
	else if (name && is_below_special(way, name))
		add_open(b, name);
	else if (name && !are_all_off(b->config))
		complain_at(b, false, &said->place,
			"special-use: this is no special-use name and lies below none: it goes "
			"to the chain anyway");
}

static void fill_special(struct builder *b)
{
	const struct config *config = b->config;
	for (size_t i = 0; !are_all_off(config) && i < special_rows(); i++)
		add_special(b, special_zone(i));
	for (size_t i = 0; i < config->specials_n; i++) {
		const struct config_special *said = &config->specials[i];
		apply_said(b, said);
		b->way->digest = mix(b->way->digest, &said->is_local, sizeof said->is_local);
		if (said->name)
			b->way->digest = mix(b->way->digest, said->name, name_len(said->name));
	}
	for (size_t i = 0; i < config->stubs_n; i++)
		add_open(b, config->stubs[i].name);
}

/* ---- the chain ---- */

/* lan., home.arpa., internal. and the reverse zones of connected private prefixes. */
static const char *const local_names[] = { "lan.", "home.arpa.", "internal." };

static const uint8_t *keep_name(struct builder *b, const char *text)
{
	struct name name;
	struct err err;
	if (name_from_text(&name, text, strlen(text), NULL, &err) < 0)
		return NULL;
	uint8_t *copy = arena_new(&b->way->arena, name.len);
	memcpy(copy, name.bytes, name.len);
	return copy;
}

/* Whole bytes of an IPv4 prefix, whole nibbles of an IPv6 prefix: the nearest zone above. */
static const uint8_t *reverse_of(struct builder *b, const struct iface_prefix *iface)
{
	char text[4 * REVERSE_LABELS_MAX];
	size_t n = 0;
	text[0] = '\0';
	if (iface->addr.any.sa_family == AF_INET) {
		for (size_t i = iface->bits / 8; i-- > 12;)
			n += (size_t)snprintf(
				text + n, sizeof text - n, "%u.", iface->prefix.address[i]);
		(void)snprintf(text + n, sizeof text - n, "in-addr.arpa.");
	} else {
		for (size_t i = iface->bits / 4; i-- > 0;)
			n += (size_t)snprintf(text + n, sizeof text - n, "%x.",
				iface->prefix.address[i / 2] >> (i % 2 ? 0 : 4) & 15);
		(void)snprintf(text + n, sizeof text - n, "ip6.arpa.");
	}
	return keep_name(b, text);
}

static void fill_zones(struct builder *b, struct chain_link *out)
{
	const struct config_link *said = b->link;
	size_t most = said->zones_n + array_len(local_names) + b->ifaces_n, n = 0;
	const uint8_t **zones = arena_new(&b->way->arena, most * sizeof *zones);
	for (size_t i = 0; i < said->zones_n; i++)
		zones[n++] = said->zones[i];
	for (size_t i = 0; said->has_local && i < array_len(local_names); i++)
		zones[n++] = keep_name(b, local_names[i]);
	for (size_t i = 0; said->has_local && i < b->ifaces_n; i++)
		if (b->ifaces[i].is_private)
			zones[n++] = reverse_of(b, &b->ifaces[i]);
	out->zones = zones;
	out->zones_n = n;
	for (size_t i = 0; i < n; i++)
		b->digest = mix(b->digest, zones[i], name_len(zones[i]));
}

static PRINTF(2, 3) void on_warning(void *teller, const char *fmt, ...)
{
	struct builder *b = teller;
	char text[ERROR_MAX], reason[ERROR_MAX + 64];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)snprintf(reason, sizeof reason, "link %s: %s", b->link->name, text);
	complain_at(b, false, &b->link->place, reason);
}

static void on_watch(void *teller, const char *path)
{
	struct builder *b = teller;
	struct zonefile_files *files = &b->way->watched;
	size_t n = files->n;
	source_note(files, path);
	if (files->n == n)
		return;
	const struct zonefile_stat *stat = &files->list[n];
	const uint64_t facts[] = { stat->dev, stat->ino, stat->size, stat->mtime_ns,
		stat->ctime_ns };
	b->digest = mix(b->digest, facts, sizeof facts);
}

/* A link that names the place of one of its values in front is told of there. */
static void complain_link(struct builder *b, const char *error)
{
	const struct link *kind = b->link->kind;
	struct config_place at = b->link->place;
	char reason[ERROR_MAX + 64];
	for (size_t i = 0; i < kind->options_n; i++)
		for (size_t j = 0; j < b->link->values[i].n; j++) {
			const char *place = b->link->values[i].places[j];
			size_t n = strlen(place), file_n = strlen(at.file);
			if (strncmp(error, place, n) != 0 || strncmp(error + n, ": ", 2) != 0 ||
				strncmp(place, at.file, file_n) != 0)
				continue;
			char *end;
			at.line = (uint32_t)strtoul(place + file_n + 1, &end, 10);
			at.column = (uint32_t)strtoul(end + 1, NULL, 10);
			error += n + 2;
		}
	(void)snprintf(reason, sizeof reason, "link %s: %s", b->link->name, error);
	complain_at(b, true, &at, reason);
}

static int prepare(struct builder *b, struct chain_link *out)
{
	const struct config_link *said = b->link;
	char error[ERROR_MAX] = "cannot be prepared";
	if (!said->kind)
		return 0;
	const struct link_given given = { .name = said->name,
		.values = said->values,
		.zones_n = out->zones_n,
		.zones = out->zones,
		.warn = on_warning,
		.watch = on_watch,
		.teller = b };
	out->data = said->kind->prepare(&given, error, sizeof error);
	if (out->data)
		return 0;
	complain_link(b, error);
	return -EINVAL;
}

static int fill_link(struct builder *b, const struct config_link *said)
{
	struct way *way = b->way;
	struct chain_plan *plan = &way->serve.plan;
	struct chain_link *out = &plan->link[plan->n++];
	uint64_t resolver = b->digest;
	b->link = said;
	b->digest = mix(resolver, &said->digest, sizeof said->digest);
	memcpy(out->name, said->name, sizeof out->name);
	out->kind = said->kind;
	out->ttl_max = said->has_ttl_max ? seconds(said->ttl_max_ms) : UINT32_MAX;
	out->budget_ms = (uint32_t)said->budget_ms;
	out->stops = said->stops;
	if (said->has_zones)
		fill_zones(b, out);
	int rc = prepare(b, out);
	if (out->data && out->kind == &link_forward)
		out->off = link_forward_off(out->data);
	for (size_t i = 0; !out->off && i < out->zones_n; i++)
		add_open(b, out->zones[i]);
	out->generation = (uint32_t)(b->digest ^ b->digest >> 32);
	if (out->kind && out->kind->is_local && !out->off)
		plan->generation = (uint32_t)mix(
			plan->generation, &out->generation, sizeof out->generation);
	way->digest = mix(way->digest, &b->digest, sizeof b->digest);
	b->digest = resolver;
	return rc;
}

static int fill_plan(struct builder *b, const struct way_parts *parts)
{
	const struct config *config = b->config;
	struct chain_plan *plan = &b->way->serve.plan;
	const struct rrsets_opts *ttl = &b->way->serve.resolve.ttl;
	plan->generation = 1;
	plan->opts =
		(struct chain_opts){ .ttl = { ttl->ttl_min, ttl->ttl_max, ttl->negative_max },
			.stale_s = seconds(config->stale_ms),
			.is_stale_first = config->consistency == CONSISTENCY_AVAILABLE,
			.failure_max = FAILURE_MAX_S,
			.asks = QUESTIONS,
			.pad_bytes = PAD_BYTES };
	b->way->serve.upstream =
		(struct upstream_opts){ .questions =
						parts->questions ? parts->questions : QUESTIONS,
			.connections = CONNECTIONS };
	b->way->digest = mix(b->way->digest, &plan->opts, sizeof plan->opts);
	int rc = 0;
	for (size_t i = 0; i < config->links_n; i++)
		rc = fill_link(b, &config->links[i]) < 0 ? -EINVAL : rc;
	return rc;
}

static void release(struct serve_way *serve)
{
	struct way *way = way_of(serve);
	chain_plan_release(&serve->plan);
	for (size_t i = 0; i < serve->special_n; i++)
		zone_drop(&serve->special[i]);
	mem_free(serve->special);
	mem_free(serve->opens);
	zonefile_files_fini(&way->watched);
	arena_fini(&way->arena);
	mem_free(way);
}

int way_build(struct way **out, const struct config *config, const struct way_parts *parts,
	struct complaints *complaints)
{
	*out = NULL;
	if (!config->links_n)
		return 0;
	struct builder *b = mem_new(sizeof *b);
	struct way *way = mem_new(sizeof *way);
	*b = (struct builder){ .way = way, .config = config, .complaints = complaints };
	way->serve.cache = parts->cache;
	way->serve.facts = parts->facts;
	way->serve.shared = parts->shared;
	way->serve.release = release;
	struct serve_way *serve = serve_way_hold(&way->serve);
	b->ifaces_n = ifaces_list(b->ifaces, IFACES_MAX);
	fill_access(b);
	int rc = fill_resolve(b);
	if (rc == 0) {
		fill_special(b);
		rc = fill_plan(b, parts);
	}
	mem_free(b);
	if (rc < 0)
		serve_way_drop(&serve);
	else
		*out = way;
	return rc;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/reload.h"

#include "base/clock.h"
#include "ctl/notify.h"
#include "ctl/option.h"
#include "ctl/report.h"
#include "serve/world.h"
#include "zone/zone.h"

#include <stdio.h>
#include <string.h>

enum {
	RESTARTS_MAX = 8
};

struct waiter {
	struct list item;
	struct control_call *call; /* NULL: nobody waits for a reply */
	bool has_zone, is_links;   /* is_links: only the chain's files */
	struct name zone;
};

struct build { /* what the builder makes of the files */
	struct daemon *daemon;
	const struct config *current;
	struct config *config; /* NULL: only zones were asked for, or it is refused */
	struct zones *zones;   /* NULL: refused */
	const struct zones *old;
	struct way *way; /* NULL: it has none */
	struct tls_setup *tls;
	bool is_refused, is_links, is_new; /* is_new: answers can differ */
	struct complaints complaints;
	const uint8_t **names;
	struct zones_wish wish;
	uint64_t started_us;
	json_t *notes; /* list of texts */
	bool is_adopted;
};

static void start_next(struct daemon *d);

static void waiter_free(struct waiter *waiter)
{
	list_drop(&waiter->item);
	mem_free(waiter);
}

/* ---- replies -------------------------------------------------------------------------- */

static json_t *make_reply(const struct build *b)
{
	json_t *complaints = json_array();
	report_complaints(complaints, NULL, &b->complaints);
	if (b->zones)
		report_zones(complaints, b->zones);
	json_t *reply = json_pack("{s:b,s:o,s:I}", "ok",
		!b->is_refused && b->zones && b->zones->refused == 0, "complaints", complaints,
		"took-ms", (json_int_t)((clock_mono_us() - b->started_us) / 1000));
	if (b->notes)
		(void)json_object_set(reply, "notes", b->notes);
	if (b->is_refused || !b->zones) {
		(void)json_object_set_new(reply, "config-refused", json_true());
		return reply;
	}
	(void)json_object_set_new(reply, "zones", json_integer((json_int_t)b->zones->n));
	(void)json_object_set_new(reply, "parsed", json_integer((json_int_t)b->zones->parsed));
	(void)json_object_set_new(
		reply, "refused", json_integer((json_int_t)b->zones->refused));
	return reply;
}

/* Who asked for one zone is answered for that one. */
static json_t *reply_for(const struct waiter *w, const struct build *b, json_t *reply)
{
	char name[NAME_TEXT_MAX], near[NAME_TEXT_MAX], text[3 * NAME_TEXT_MAX];
	if (!w->has_zone || !b->zones)
		return json_incref(reply);
	const struct zone_entry *entry = zones_find(b->zones, w->zone.bytes);
	json_t *own = json_copy(reply);
	(void)json_object_set_new(own, "ok", json_boolean(entry && !entry->is_refused));
	if (!entry) {
		(void)name_print(name, w->zone.bytes);
		const char *found = zones_near(near, b->zones, name);
		(void)snprintf(text, sizeof text, "there is no zone %s%s%s%s", name,
			found ? "; did you mean " : "", found ? found : "", found ? "?" : "");
		(void)json_object_set_new(own, "error", json_string(text));
	}
	return own;
}

static void reply_all(struct daemon *d, const struct build *b)
{
	json_t *reply = make_reply(b);
	while (!list_is_empty(&d->now)) {
		struct waiter *w = container_of(d->now.next, struct waiter, item);
		if (w->call)
			control_reply(w->call, reply_for(w, b, reply), false);
		waiter_free(w);
	}
	json_decref(reply);
}

/* ---- the end of a build --------------------------------------------------------------- */

static void drop_way(struct way **held)
{
	struct serve_way *way = *held ? &(*held)->serve : NULL;
	*held = NULL;
	serve_way_drop(&way);
}

static void build_free(struct build **held)
{
	struct build *b = *held;
	*held = NULL;
	if (!b->is_adopted) {
		config_free(&b->config);
		zones_free(&b->zones);
	}
	drop_way(&b->way);
	tls_setup_drop(&b->tls);
	complaints_fini(&b->complaints);
	mem_free(b->names);
	json_decref(b->notes);
	mem_free(b);
}

static void finish(struct daemon *d)
{
	struct build *b = d->build;
	uint64_t took_ms = (clock_mono_us() - b->started_us) / 1000;
	bool is_good = !b->is_refused && (b->is_links || b->zones->refused == 0);
	d->reloads++;
	d->reloads_failed += !is_good;
	if (b->is_links && is_good)
		log_limited(&d->told, b->is_new ? LOG_INFO : LOG_DEBUG,
			"the chain is made anew in %llu ms: %s", (unsigned long long)took_ms,
			b->is_new ? "a file of it or the network changed"
				  : "nothing of it changed");
	else if (!b->is_refused)
		log_limited(&d->told, LOG_INFO,
			"reloaded in %llu ms: %zu zone%s, %zu parsed, %zu refused",
			(unsigned long long)took_ms, b->zones->n, b->zones->n == 1 ? "" : "s",
			b->zones->parsed, b->zones->refused);
	reply_all(d, b);
	build_free(&d->build);
	notify_send("READY=1");
	if (!d->is_stopping)
		start_next(d);
}

static void on_switched(void *user)
{
	struct daemon *d = user;
	/* At the end of the daemon nobody waits any more. */
	if (d->build)
		finish(d);
}

static void log_refusal(struct daemon *d, const struct build *b)
{
	for (size_t i = 0; i < b->complaints.n; i++) {
		const struct complaint *c = &b->complaints.list[i];
		log_limited(&d->told, c->is_error ? LOG_ERROR : LOG_WARNING, "%.*s",
			(int)strcspn(c->text, "\n"), c->text);
	}
	if (b->is_refused)
		log_limited(&d->told, LOG_ERROR,
			"reload: the configuration is refused, the one before stays in force");
}

static void note_restarts(struct daemon *d, struct build *b)
{
	const struct option *rows[RESTARTS_MAX];
	size_t n = config_compare(d->initial, b->config, rows, RESTARTS_MAX);
	b->notes = json_array();
	for (size_t i = 0; i < n; i++) {
		char text[256];
		(void)snprintf(text, sizeof text,
			"%s changed, which needs a restart; the rest of the file is in force",
			rows[i]->key);
		log_limited(&d->told, LOG_WARNING, "%s", text);
		(void)json_array_append_new(b->notes, json_string(text));
	}
}

static void fill_serve(struct serve_opts *out, const struct config *config)
{
	memset(out, 0, sizeof *out);
	out->edns_size = (uint16_t)config->edns_size;
	out->cookies = config->cookies;
	out->keepalive = (uint16_t)(config->tcp_idle_ms / 100);
	(void)snprintf(out->version, sizeof out->version, "%s", config->version);
	(void)snprintf(out->identity, sizeof out->identity, "%s", config->identity);
	(void)snprintf(out->nsid, sizeof out->nsid, "%s", config->nsid);
}

void reload_follow_tls(struct daemon *d)
{
	d->tls_told = 0;
	follow_set(d->follow_tls, d->tls ? &d->tls->watched : NULL);
	if (!d->tls)
		return;
	log_line(LOG_INFO, "TLS with the certificate of %s, serial %s, %lld days left",
		d->tls->facts.names, d->tls->facts.serial, (long long)tls_days_left(d->tls));
	tls_audit(d->tls, &d->tls_told);
}

void reload_streams(struct stream_opts *out, const struct config *config)
{
	*out = (struct stream_opts){
		.idle_ms = (uint32_t)config->tcp_idle_ms,
		.message_ms = 2000,
		.stall_ms = 5000,
		.connections = (uint32_t)config->tcp_connections,
		.per_client = (uint32_t)config->tcp_per_client,
		.memory = config->tcp_memory,
	};
}

struct world *reload_world(const struct daemon *d)
{
	struct serve_opts opts;
	fill_serve(&opts, d->config);
	struct serve_way *way = d->way ? &d->way->serve : NULL;
	size_t special_n = way ? way->special_n : 0;
	struct zone **list = mem_array(d->zones->n + special_n + 1, sizeof *list);
	size_t n = zones_served(d->zones, list);
	/* A special-use name that the file has as a zone is that zone's. */
	for (size_t i = 0; i < special_n; i++)
		if (!zones_find(d->zones, way->special[i]->apex_name))
			list[n++] = way->special[i];
	struct world *world = world_new(&opts, list, n, way, d->tls ? d->tls->side : NULL);
	mem_free(list);
	return world;
}

static uint64_t digest_of(const struct way *way)
{
	return way ? way->digest : 0;
}

/* True when answers can differ. */
static bool needs_switch(const struct daemon *d, const struct build *b)
{
	struct serve_opts a, z;
	if (digest_of(d->way) != digest_of(b->way) || d->tls != b->tls)
		return true;
	if (b->config) {
		fill_serve(&a, d->config);
		fill_serve(&z, b->config);
		if (memcmp(&a, &z, sizeof a) != 0)
			return true;
	}
	if (!b->zones)
		return false;
	if (b->zones->n != d->zones->n)
		return true;
	for (size_t i = 0; i < b->zones->n; i++) {
		const struct zone_entry *entry = &b->zones->list[i];
		if (!entry->old || entry->zone != d->zones->list[entry->old - 1].zone)
			return true;
	}
	return false;
}

static void take_config(struct daemon *d, struct build *b)
{
	struct stream_opts was, is;
	reload_streams(&was, d->config);
	reload_streams(&is, b->config);
	if (memcmp(&was, &is, sizeof is) != 0)
		server_set_streams(d->server, &is);
	log_set_level((enum log_level)b->config->log_level);
	if (d->config != d->initial)
		config_free(&d->config);
	d->config = b->config;
	b->config = NULL;
}

/* Even one that says the same knows the files as they are now. */
static void take_way(struct daemon *d, struct build *b)
{
	if (digest_of(d->way) != digest_of(b->way)) {
		struct way *before = d->way;
		d->way = b->way;
		b->way = before;
	} else if (d->way) {
		struct zonefile_files watched = d->way->watched;
		d->way->watched = b->way->watched;
		b->way->watched = watched;
	}
	follow_set(d->follow, d->way ? &d->way->watched : NULL);
	drop_way(&b->way);
}

static void take_tls(struct daemon *d, struct build *b)
{
	if (d->tls == b->tls)
		return;
	tls_setup_drop(&d->tls);
	d->tls = b->tls;
	b->tls = NULL;
	reload_follow_tls(d);
}

static void adopt(struct daemon *d, struct build *b)
{
	if (b->zones) {
		zones_adopt(b->zones, d->zones);
		zones_log(b->zones, false);
	}
	b->is_new = needs_switch(d, b);
	if (b->config) {
		note_restarts(d, b);
		take_config(d, b);
	}
	if (b->zones) {
		zones_free(&d->zones);
		d->zones = b->zones;
	}
	b->is_adopted = true;
	take_way(d, b);
	take_tls(d, b);
	if (b->is_new)
		server_switch(d->server, reload_world(d), on_switched, d);
	else
		finish(d);
}

/* ---- the build ------------------------------------------------------------------------ */

enum {
	FACTS_SERVERS = 8192,
	SIZE_MIN = 1024 * 1024
};

int reload_way(struct way **out, struct daemon *d, const struct config *config,
	struct complaints *complaints)
{
	if (config->links_n && !d->cache) {
		const struct cache_opts opts = { .bytes = d->initial->cache_size,
			.workers = (unsigned)d->initial->workers };
		d->cache = cache_new(&opts);
		d->facts = facts_new(FACTS_SERVERS);
		d->shared = chain_shared_new();
	}
	const struct way_parts parts = { d->cache, d->facts, d->shared, d->questions };
	return way_build(out, config, &parts, complaints);
}

static void on_build(void *user)
{
	struct build *b = user;
	const struct config *config = b->current;
	if (b->wish.n == 0 && !b->is_links) {
		b->config = config_read(b->daemon->path, &b->complaints);
		config = b->config;
	}
	b->is_refused = !config || reload_way(&b->way, b->daemon, config, &b->complaints) < 0 ||
			tls_build(&b->tls, config, b->daemon->tls, b->daemon->tickets, false,
				&b->complaints) < 0;
	if (b->is_refused || b->is_links)
		return;
	b->zones = zones_build(config, b->old, &b->wish, &b->complaints);
	b->is_refused = !b->zones;
}

static void on_built(void *user)
{
	struct build *b = user;
	struct daemon *d = b->daemon;
	if (d->is_stopping) {
		build_free(&d->build);
		return;
	}
	log_refusal(d, b);
	if (b->is_refused)
		finish(d);
	else
		adopt(d, b);
}

/* The names that are asked for; none when anybody asked for everything. */
static void fill_wish(struct daemon *d, struct build *b)
{
	size_t n = 0;
	for (struct list *i = d->now.next; i != &d->now; i = i->next) {
		const struct waiter *w = container_of(i, struct waiter, item);
		if (!w->has_zone && !w->is_links)
			return;
		n += w->has_zone;
	}
	b->is_links = n == 0;
	b->names = mem_array(n + 1, sizeof *b->names);
	b->wish.names = b->names;
	for (struct list *i = d->now.next; i != &d->now; i = i->next) {
		const struct waiter *w = container_of(i, struct waiter, item);
		if (w->has_zone)
			b->names[b->wish.n++] = w->zone.bytes;
	}
}

static void start_next(struct daemon *d)
{
	if (list_is_empty(&d->next))
		return;
	while (!list_is_empty(&d->next)) {
		struct list *item = d->next.next;
		list_drop(item);
		list_put(&d->now, item);
	}
	struct build *b = mem_new(sizeof *b);
	b->daemon = d;
	b->started_us = clock_mono_us();
	b->current = d->config;
	b->old = d->zones;
	fill_wish(d, b);
	d->build = b;
	notify_send("RELOADING=1");
	loop_work(d->loop, on_build, on_built, b);
}

/* A signal that waits stands for the ones after it. */
static bool has_signal(struct daemon *d, bool is_links)
{
	for (struct list *i = d->next.next; i != &d->next; i = i->next) {
		const struct waiter *w = container_of(i, struct waiter, item);
		if (!w->call && w->is_links == is_links)
			return true;
	}
	return false;
}

static void wait_for(struct daemon *d, struct waiter *w)
{
	list_put(&d->next, &w->item);
	if (!d->build)
		start_next(d);
}

void reload_links(struct daemon *d)
{
	if (has_signal(d, true))
		return;
	struct waiter *w = mem_new(sizeof *w);
	w->is_links = true;
	wait_for(d, w);
}

void reload_ask(struct daemon *d, const uint8_t *zone, struct control_call *call)
{
	if (!call && has_signal(d, false))
		return;
	struct waiter *w = mem_new(sizeof *w);
	w->call = call;
	if (zone) {
		w->has_zone = true;
		w->zone.len = (uint8_t)name_len(zone);
		memcpy(w->zone.bytes, zone, w->zone.len);
	}
	wait_for(d, w);
}

static void refuse_all(struct list *waiters)
{
	while (!list_is_empty(waiters)) {
		struct waiter *w = container_of(waiters->next, struct waiter, item);
		if (w->call)
			control_reply(w->call,
				json_pack(
					"{s:b,s:s}", "ok", 0, "error", "the daemon is ending"),
				false);
		waiter_free(w);
	}
}

void reload_end(struct daemon *d)
{
	refuse_all(&d->now);
	refuse_all(&d->next);
}

void reload_fini(struct daemon *d)
{
	if (d->build)
		build_free(&d->build);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/daemon.h"

#include "base/clock.h"
#include "ctl/explain.h"
#include "ctl/inside.h"
#include "ctl/kept.h"
#include "ctl/local.h"
#include "ctl/notify.h"
#include "ctl/reload.h"
#include "ctl/report.h"
#include "ctl/status.h"
#include "ctl/user.h"
#include "net/socket.h"
#include "serve/world.h"
#include "wire/key.h"
#include "zone/zone.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILES_BESIDE = 256,       /* descriptors for other things than TCP clients */
	QUESTIONS_WANTED = 10000, /* to other servers at a time, a descriptor each */
	QUESTIONS_LEAST = 64,
	FIRST_INHERITED = 3,
	HOUR_MS = 3600 * 1000
};

/* ---- orders --------------------------------------------------------------------------- */

static void on_stopped(void *user)
{
	struct daemon *d = user;
	loop_stop(d->loop);
}

static void stop(struct daemon *d)
{
	if (d->is_stopping)
		return;
	d->is_stopping = true;
	notify_send("STOPPING=1");
	reload_end(d);
	server_stop(d->server, on_stopped, d);
}

static void on_call(void *user, const struct request *request, struct control_call *call)
{
	struct daemon *d = user;
	if (d->is_stopping) {
		control_reply(call,
			json_pack("{s:b,s:s}", "ok", 0, "error", "the daemon is ending"),
			false);
		return;
	}
	switch (request->verb) {
	case VERB_STATUS:
		control_reply(call, status_report(d), false);
		break;
	case VERB_RELOAD:
		reload_ask(d, request->has_zone ? request->zone.bytes : NULL, call);
		break;
	case VERB_STOP:
		log_line(LOG_INFO, "ending: rootctl asked for it");
		/* The connection stays, so that who waits for its end knows when we are
		 * gone. */
		control_reply(call, json_pack("{s:b}", "ok", 1), true);
		stop(d);
		break;
	case VERB_EXPLAIN:
		explain_ask(d, request, call);
		break;
	case VERB_WHY:
		explain_why(d, request, call);
		break;
	case VERB_CACHE_SHOW:
		kept_show(d, request, call);
		break;
	case VERB_CACHE_FLUSH:
		kept_flush(d, request, call);
		break;
	case VERB_CACHE_DUMP:
		kept_dump(d, call);
		break;
	case VERB_N:
		must(false);
	}
}

static void on_signal(void *user, int number)
{
	struct daemon *d = user;
	if (number == SIGHUP) {
		if (!d->is_stopping)
			reload_ask(d, NULL, NULL);
		return;
	}
	if (!d->is_stopping)
		log_line(LOG_INFO, "ending: signal %s", number == SIGTERM ? "TERM" : "INT");
	stop(d);
}

/* A file that a link of the chain is made of. */
static void on_files(void *user)
{
	struct daemon *d = user;
	if (!d->is_stopping)
		reload_links(d);
}

static void on_hour(void *user)
{
	struct daemon *d = user;
	if (++d->hours % (TICKET_ROTATE_S / 3600) == 0)
		tickets_rotate(d->tickets);
	if (d->tls)
		tls_audit(d->tls, &d->tls_told);
}

/* Another network: what failed may work, other neighbours may ask, other servers are near. */
static void on_routes(void *user)
{
	struct daemon *d = user;
	if (d->is_stopping || !d->facts)
		return;
	facts_forgive(d->facts);
	reload_links(d);
}

/* ---- the start ------------------------------------------------------------------------ */

static void print_complaints(const struct complaints *c)
{
	for (size_t i = 0; i < c->n; i++)
		report_text(stderr, c->list[i].text);
	if (c->n < c->errors + c->warnings)
		(void)fprintf(stderr, "and %zu more\n", c->errors + c->warnings - c->n);
}

/* TCP connections need descriptors; the soft limit is often 1024. */
static void ask_for_files(const struct config *config)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	uint64_t sockets = config->workers * (2 * config->listen.n + config->listen_tls.n);
	/* The streams hold an eighth of all back for others. */
	uint64_t upstream = config->links_n ? QUESTIONS_WANTED : 0;
	uint64_t wanted = (config->tcp_connections + sockets + upstream + FILES_BESIDE) * 8 / 7;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted)
		return;
	struct rlimit more = { .rlim_cur = wanted, .rlim_max = limit.rlim_max };
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted)
		more.rlim_max = wanted; /* root may */
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	log_line(LOG_INFO,
		"%llu TCP connections need %llu descriptors, the limit here is %llu: there "
		"will be fewer",
		(unsigned long long)config->tcp_connections, (unsigned long long)wanted,
		(unsigned long long)limit.rlim_max);
}

/* What is left of few descriptors is shared by clients over TCP and questions to servers. */
static void raise_files(struct daemon *d)
{
	struct rlimit limit;
	ask_for_files(d->config);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return;
	uint64_t taken =
		d->config->workers * (2 * d->config->listen.n + d->config->listen_tls.n) +
		FILES_BESIDE;
	uint64_t left = limit.rlim_cur > taken ? (limit.rlim_cur - taken) / 2 : 0;
	d->questions = (uint32_t)(left > QUESTIONS_WANTED  ? QUESTIONS_WANTED
				  : left < QUESTIONS_LEAST ? QUESTIONS_LEAST
							   : left);
}

/* Without IPv6 on this host its addresses are left out, as long as others remain: a file that
 * names ::1 beside 127.0.0.1 serves in a container as it does elsewhere. */
static size_t fill_listen(struct addr *out, const struct addrs *listen, const char *key)
{
	bool has_ipv6 = socket_has_ipv6();
	size_t n = 0;
	for (size_t i = 0; i < listen->n; i++) {
		const struct addr *addr = &listen->list[i];
		if (addr->any.sa_family != AF_INET6 || has_ipv6)
			out[n++] = *addr;
	}
	if (!n) { /* binding tells what is wrong with the first */
		n = listen->n;
		memcpy(out, listen->list, n * sizeof out[0]);
	} else if (n < listen->n) {
		log_line(LOG_WARNING,
			"this host has no IPv6: such addresses of %s are left out", key);
	}
	return n;
}

/* Sockets handed down as sd_listen_fds(3) describes; returns how many. What is asked for once
 * is not asked for by children: the variables go. */
static size_t inherit_fds(int *fds, size_t most)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	size_t n = 0;
	if (pid && count && strtol(pid, NULL, 10) == (long)getpid()) {
		long wanted = strtol(count, NULL, 10);
		for (; (long)n < wanted && n < most; n++)
			fds[n] = FIRST_INHERITED + (int)n;
		if (wanted > (long)most)
			log_line(LOG_WARNING, "only %zu of %ld inherited sockets are used",
				most, wanted);
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return n;
}

static int listen_all(struct daemon *d)
{
	struct server_opts *opts = mem_new(sizeof *opts);
	struct err err;
	opts->workers = (unsigned)d->config->workers;
	opts->inherited = inherit_fds(opts->inherit, array_len(opts->inherit));
	/* Whose sockets come from a service manager, and who says nothing, wants no others. */
	if (!opts->inherited || d->config->has_own_listen)
		opts->listeners =
			fill_listen(opts->listen, &d->config->listen, "server.listen");
	opts->tls_listeners =
		fill_listen(opts->listen_tls, &d->config->listen_tls, "server.listen-tls");
	reload_streams(&opts->streams, d->config);
	d->server = server_new(opts, d->loop, &err);
	mem_free(opts);
	if (d->server)
		return 0;
	log_line(LOG_ERROR, "%s", err.text);
	return -1;
}

/* The folder of a default socket is made when it is missing. */
static void make_folder(const char *path, const struct user *user)
{
	char folder[LOCAL_PATH_MAX];
	(void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (mkdir(folder, 0755) == 0 && user->is_set &&
		lchown(folder, user->uid, user->gid) < 0)
		log_line(LOG_WARNING, "%s: its owner cannot be set: %s", folder,
			strerror(errno));
}

static int open_control(struct daemon *d, const struct user *user)
{
	struct control_opts opts = { .path = d->config->control,
		.owner = user->uid,
		.group = user->gid,
		.on_call = on_call,
		.user = d };
	struct err err;
	if (*opts.path) {
		d->control = control_open(d->loop, &opts, &err);
		if (!d->control)
			log_line(LOG_ERROR, "server.control: %s", err.text);
		return d->control ? 0 : -1;
	}
	char path[LOCAL_PATH_MAX];
	opts.path = path;
	for (unsigned i = 0; !d->control && local_default(path, i); i++) {
		make_folder(path, user);
		d->control = control_open(d->loop, &opts, &err);
	}
	/* It was not asked for: serving goes before being controlled. */
	if (!d->control)
		log_line(LOG_WARNING,
			"no control socket, rootctl will not find this daemon: %s", err.text);
	return 0;
}

static int open_all(struct daemon *d)
{
	struct user user;
	struct err err;
	if (user_find(&user, d->config->user, &err) < 0) {
		log_line(LOG_ERROR, "server.user: %s", err.text);
		return EXIT_CONFIG;
	}
	raise_files(d);
	if (listen_all(d) < 0 || open_control(d, &user) < 0)
		return EXIT_FAILED;
	if (user.is_set && user_become(&user, &err) < 0) {
		log_line(LOG_ERROR, "%s", err.text);
		return EXIT_FAILED;
	}
	return EXIT_GOOD;
}

static void say_ready(const struct daemon *d)
{
	char line[2048];
	size_t served = 0, n;
	uint64_t records = 0;
	for (size_t i = 0; i < d->zones->n; i++)
		if (d->zones->list[i].zone) {
			served++;
			records += d->zones->list[i].zone->records;
		}
	n = (size_t)snprintf(line, sizeof line,
		"ready in %llu ms: %zu zone%s, %llu record%s, listening on",
		(unsigned long long)(clock_mono_us() - d->started_us) / 1000, served,
		served == 1 ? "" : "s", (unsigned long long)records, records == 1 ? "" : "s");
	for (size_t i = 0; i < server_listeners(d->server) && n < sizeof line; i++) {
		char text[ADDR_TEXT_MAX];
		n += (size_t)snprintf(line + n, sizeof line - n, "%s %s (%s)", i ? "," : "",
			addr_print(text, server_listener(d->server, i)),
			server_listener_kinds(d->server, i));
	}
	/* Said whatever is logged: who started the daemon waits for it. */
	log_set_level(LOG_INFO);
	log_line(LOG_INFO, "%s", line);
	log_set_level((enum log_level)d->config->log_level);
	notify_send("READY=1");
}

static int serve(struct daemon *d, struct complaints *complaints)
{
	static const struct zones_wish whole;
	d->zones = zones_build(d->config, NULL, &whole, complaints);
	bool is_refused = !d->zones || reload_way(&d->way, d, d->config, complaints) < 0 ||
			  tls_build(&d->tls, d->config, NULL, d->tickets, true, complaints) < 0;
	print_complaints(complaints);
	if (is_refused)
		return EXIT_CONFIG;
	zones_log(d->zones, true);
	if (!server_start(d->server, reload_world(d))) {
		log_line(LOG_ERROR, "no thread is to be had for a worker");
		return EXIT_FAILED;
	}
	d->routes = routes_new(d->loop, on_routes, d);
	d->follow = follow_new(d->loop, on_files, d);
	d->follow_tls = follow_new(d->loop, on_files, d);
	d->hourly = loop_timer_new(d->loop, on_hour, d);
	loop_timer_start(d->hourly, HOUR_MS, HOUR_MS);
	reload_follow_tls(d);
	follow_set(d->follow, d->way ? &d->way->watched : NULL);
	say_ready(d);
	loop_run(d->loop);
	log_line(LOG_INFO, "ended");
	return EXIT_GOOD;
}

static int open_and_serve(struct daemon *d, struct complaints *complaints)
{
	d->config = d->initial = config_read(d->path, complaints);
	if (!d->config) {
		print_complaints(complaints);
		return EXIT_CONFIG;
	}
	log_set_level((enum log_level)d->config->log_level);
	d->loop = loop_new();
	if (!d->loop) {
		log_line(LOG_ERROR, "no descriptor is to be had for the loop");
		return EXIT_FAILED;
	}
	loop_on_signal(d->loop, SIGHUP, on_signal, d);
	loop_on_signal(d->loop, SIGTERM, on_signal, d);
	loop_on_signal(d->loop, SIGINT, on_signal, d);
	int rc = open_all(d);
	return rc ? rc : serve(d, complaints);
}

int daemon_run(const char *config_path, uint64_t started_us)
{
	struct daemon d = { .path = config_path, .started_us = started_us };
	struct complaints complaints = { 0 };
	list_init(&d.now);
	list_init(&d.next);
	list_init(&d.asked);
	(void)signal(SIGPIPE, SIG_IGN);
	key_draw_secret();
	d.tickets = tickets_new();
	int rc = open_and_serve(&d, &complaints);
	server_free(&d.server);
	control_close(&d.control);
	follow_free(&d.follow);
	follow_free(&d.follow_tls);
	loop_timer_free(&d.hourly);
	routes_free(&d.routes);
	loop_free(&d.loop);
	reload_fini(&d);
	explain_fini(&d);
	struct serve_way *way = d.way ? &d.way->serve : NULL;
	serve_way_drop(&way);
	tls_setup_drop(&d.tls);
	tickets_free(&d.tickets);
	chain_shared_free(&d.shared);
	facts_free(&d.facts);
	cache_free(&d.cache);
	zones_free(&d.zones);
	if (d.config != d.initial)
		config_free(&d.config);
	config_free(&d.initial);
	complaints_fini(&complaints);
	return rc;
}

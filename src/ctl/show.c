/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/show.h"

#include "base/def.h"
#include "ctl/report.h"
#include "serve/server.h"

#include <stdio.h>
#include <string.h>

enum {
	ZONES_SHOWN = 100,
	TIME_ROOM = 32,
	TEXT_ROOM = 256
};

static long long number(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static bool is(const json_t *object, const char *key, const char *word)
{
	return strcmp(text_of(object, key), word) == 0;
}

/* Seconds as 2d3h, 5m20s, 12s: two units are enough. */
static const char *span(char *out, long long s)
{
	static const struct {
		long long factor;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	size_t i = 0;
	s = s < 0 ? 0 : s;
	while (i < array_len(units) - 1 && s < units[i].factor)
		i++;
	long long rest = s % units[i].factor;
	if (i == array_len(units) - 1 || rest < units[i + 1].factor)
		(void)snprintf(out, TIME_ROOM, "%lld%s", s / units[i].factor, units[i].name);
	else
		(void)snprintf(out, TIME_ROOM, "%lld%s%lld%s", s / units[i].factor,
			units[i].name, rest / units[i + 1].factor, units[i + 1].name);
	return out;
}

/* ---- status and reload ---- */

static void print_size(const char *label, long long bytes)
{
	if (bytes < 10 * 1024 * 1024)
		(void)printf("%s %lld kB", label, bytes / 1024);
	else
		(void)printf("%s %lld MB", label, bytes / (1024 * 1024));
}

static void show_zones(const json_t *zones)
{
	size_t i, shown = 0;
	const json_t *zone;
	json_array_foreach(zones, i, zone)
	{
		bool is_refused = json_is_true(json_object_get(zone, "refused"));
		bool is_served = json_is_true(json_object_get(zone, "served"));
		/* What is wrong is always shown. */
		if (shown++ >= ZONES_SHOWN && !is_refused)
			continue;
		if (is_served)
			(void)printf(
				"  %s serial %lld, %lld records, %lld bytes, loaded %s, %s\n",
				text_of(zone, "name"), number(zone, "serial"),
				number(zone, "records"), number(zone, "bytes"),
				text_of(zone, "loaded"), text_of(zone, "file"));
		else
			(void)printf("  %s NOT SERVED, %s\n", text_of(zone, "name"),
				text_of(zone, "file"));
		if (is_refused) {
			(void)printf("    %s: ", is_served ? "newer file refused" : "refused");
			report_text(stdout, text_of(zone, "error"));
		}
	}
	if (shown > ZONES_SHOWN)
		(void)printf("  and %zu more (--json has all)\n", shown - ZONES_SHOWN);
}

static void show_status(const json_t *reply)
{
	size_t i;
	const json_t *text;
	(void)printf("rootward %s, process %lld, up for %lld s, %lld worker%s\n",
		text_of(reply, "version"), number(reply, "pid"),
		number(reply, "uptime-ms") / 1000, number(reply, "workers"),
		number(reply, "workers") == 1 ? "" : "s");
	(void)printf("configuration %s, reloads %lld, of which failed %lld\n",
		text_of(reply, "config"), number(reply, "reloads"),
		number(reply, "reloads-failed"));
	(void)printf("listening on");
	json_array_foreach(json_object_get(reply, "listening"), i, text)(void)
		printf("%s %s", i ? "," : "", json_string_value(text));
	const json_t *memory = json_object_get(reply, "memory");
	print_size("\nmemory: resident", number(memory, "resident"));
	print_size(", of which anonymous", number(memory, "anonymous"));
	print_size(", at its peak", number(memory, "peak"));
	const json_t *zones = json_object_get(reply, "zones");
	(void)printf("\nzones: %zu, served %lld, %lld records\n", json_array_size(zones),
		number(reply, "served"), number(reply, "records"));
	show_zones(zones);
	(void)puts("counters:");
	for (i = 0; i < COUNT_N; i++)
		(void)printf("  %-16s %12lld  %s\n", server_count_rows[i].name,
			number(json_object_get(reply, "counters"), server_count_rows[i].name),
			server_count_rows[i].help);
}

static void show_reload(const json_t *reply)
{
	size_t i;
	const json_t *note;
	report_print(stderr, json_object_get(reply, "complaints"));
	json_array_foreach(json_object_get(reply, "notes"), i, note)
		report_text(stderr, json_string_value(note) ? json_string_value(note) : "");
	if (json_is_true(json_object_get(reply, "config-refused")))
		(void)fprintf(stderr,
			"the configuration is refused, the one before stays in force\n");
	else if (json_object_get(reply, "zones"))
		(void)printf("reloaded in %lld ms: %lld zones, %lld parsed, %lld refused\n",
			number(reply, "took-ms"), number(reply, "zones"),
			number(reply, "parsed"), number(reply, "refused"));
}

/* ---- explain ---- */

static void print_from(const json_t *from)
{
	if (!from)
		return;
	const char *server = text_of(from, "server");
	if (*text_of(from, "link"))
		(void)printf("; told by %s", text_of(from, "link"));
	if (*server)
		(void)printf(", from %s over %s", server, text_of(from, "transport"));
}

static void print_why(const json_t *row)
{
	char a[TIME_ROOM], b[TIME_ROOM];
	if (is(row, "state", "hit")) {
		(void)printf("%s%s old, for %s yet",
			is_true(row, "failure") ? "a failure, " : "",
			span(a, number(row, "age")), span(b, number(row, "left")));
		print_from(json_object_get(row, "from"));
	} else if (is(row, "state", "answered") || is(row, "state", "failed")) {
		(void)printf("in %lld ms", number(row, "took-ms"));
		print_from(json_object_get(row, "from"));
	} else if (is(row, "state", "off")) {
		report_text(stdout, text_of(row, "why"));
		return;
	} else if (is(row, "state", "skipped")) {
		(void)fputs("not for this name: it is limited to zones", stdout);
	} else if (is(row, "state", "own")) {
		(void)fputs("has the name in its own data", stdout);
	} else if (is(row, "state", "miss") && json_object_get(row, "gone")) {
		(void)printf("had it until %s ago", span(a, number(row, "gone")));
	}
	(void)putchar('\n');
}

static void print_links(const json_t *reply)
{
	size_t i;
	const json_t *row;
	json_array_foreach(json_object_get(reply, "links"), i, row)
	{
		(void)printf("  %-10s %-8s %-9s ", text_of(row, "name"), text_of(row, "kind"),
			text_of(row, "state"));
		print_why(row);
	}
}

static void print_zones(const json_t *reply)
{
	const json_t *zones = json_object_get(reply, "zones");
	const char *zone = text_of(zones, "zone");
	(void)printf("  %-10s %-8s ", "zones", "");
	if (*zone)
		(void)printf("%-9s %s%s\n", "answered", zone,
			is_true(zones, "special-use") ? ", a special-use name" : "");
	else
		(void)printf("%-9s none of ours\n", "pass");
}

static void print_records(const json_t *reply, const char *key)
{
	size_t i;
	const json_t *record;
	json_array_foreach(json_object_get(reply, key), i, record)
	{
		(void)fputs("  ", stdout);
		report_text(stdout, json_string_value(record));
	}
}

static void print_step(const json_t *step)
{
	bool is_reply = is(step, "kind", "reply");
	char what[TEXT_ROOM];
	if (is(step, "kind", "alias")) {
		(void)printf(
			"  %5lld ms  -> %s\n", number(step, "at-ms"), text_of(step, "name"));
		return;
	}
	if (!is_reply && !is(step, "kind", "cached"))
		return;
	(void)snprintf(
		what, sizeof what, "%.120s %s", text_of(step, "name"), text_of(step, "type"));
	if (!is_reply) {
		(void)printf("  %5lld ms  %-38s kept\n", number(step, "at-ms"), what);
		return;
	}
	(void)printf("  %5lld ms  %-38s %s%s%s: %s%s%s, %.1f ms\n", number(step, "at-ms"), what,
		text_of(step, "server"), *text_of(step, "zone") ? " for " : "",
		text_of(step, "zone"), text_of(step, "result"),
		is(step, "result", "error") ? " " : "",
		is(step, "result", "error") ? text_of(step, "rcode") : "",
		(double)number(step, "took-us") / 1000);
}

static void print_steps(const json_t *reply)
{
	size_t i;
	const json_t *step;
	json_array_foreach(json_object_get(reply, "steps"), i, step) print_step(step);
	if (number(reply, "steps-lost"))
		(void)printf("  and %lld steps before the last\n", number(reply, "steps-lost"));
}

static void print_outcome(const json_t *reply)
{
	const json_t *ede = json_object_get(reply, "ede");
	if (!*text_of(reply, "rcode")) {
		if (!is_true(reply, "chain"))
			(void)puts("REFUSED: the configuration has no chain");
		else if (!is_true(reply, "may-recurse"))
			(void)puts("REFUSED: access.recursion does not let this client");
		else
			(void)puts("no link is asked about this type");
		return;
	}
	(void)fputs(text_of(reply, "rcode"), stdout);
	if (json_object_get(reply, "took-ms"))
		(void)printf(" in %lld ms", number(reply, "took-ms"));
	if (is_true(reply, "stale"))
		(void)fputs(", past its time", stdout);
	if (ede) {
		(void)printf(
			" (EDE %lld%s", number(ede, "code"), *text_of(ede, "text") ? ": " : "");
		(void)fputs(text_of(ede, "text"), stdout);
		(void)putchar(')');
	}
	(void)putchar('\n');
	print_records(reply, "answer");
	if (!json_array_size(json_object_get(reply, "answer")))
		print_records(reply, "authority");
}

static void show_explain(const json_t *reply)
{
	(void)printf("%s %s", text_of(reply, "name"), text_of(reply, "type"));
	if (*text_of(reply, "client"))
		(void)printf(" for %s", text_of(reply, "client"));
	(void)puts(is_true(reply, "live") ? ", the caches passed by" : "");
	print_zones(reply);
	print_links(reply);
	print_steps(reply);
	print_outcome(reply);
}

/* ---- why ---- */

static void show_why(const json_t *reply)
{
	size_t i;
	const json_t *failure;
	char ago[TIME_ROOM];
	const json_t *list = json_object_get(reply, "failures");
	if (!json_array_size(list))
		(void)puts("nothing failed lately");
	json_array_foreach(list, i, failure)
	{
		(void)printf("%s %s, %s ago, after %lld ms", text_of(failure, "name"),
			text_of(failure, "type"), span(ago, number(failure, "ago")),
			number(failure, "took-ms"));
		if (*text_of(failure, "text")) {
			(void)fputs(": ", stdout);
			report_text(stdout, text_of(failure, "text"));
		} else {
			(void)putchar('\n');
		}
		print_steps(failure);
	}
}

/* ---- the cache ---- */

static void show_kept(const json_t *reply)
{
	size_t i;
	const json_t *entry, *list = json_object_get(reply, "entries");
	char age[TIME_ROOM], left[TIME_ROOM];
	if (json_object_get(reply, "flushed")) {
		(void)printf("%lld forgotten\n", number(reply, "flushed"));
		return;
	}
	if (!json_array_size(list))
		(void)puts("nothing is kept of it");
	json_array_foreach(list, i, entry)
	{
		(void)printf("%s %s %s: %s old, ", text_of(entry, "name"),
			text_of(entry, "type"), text_of(entry, "kind"),
			span(age, number(entry, "age")));
		if (number(entry, "left") > 0)
			(void)printf("for %s yet", span(left, number(entry, "left")));
		else
			(void)printf("past its time");
		if (*text_of(entry, "rank"))
			(void)printf(", %s", text_of(entry, "rank"));
		if (*text_of(entry, "server"))
			(void)printf(", from %s over %s", text_of(entry, "server"),
				text_of(entry, "transport"));
		(void)putchar('\n');
		print_records(entry, "answer");
		print_records(entry, "authority");
	}
}

void show_reply(const char *verb, const json_t *reply)
{
	static const struct {
		const char *verb;
		void (*show)(const json_t *reply);
	} rows[] = { { "status", show_status }, { "reload", show_reload },
		{ "explain", show_explain }, { "why", show_why }, { "cache", show_kept } };
	const char *error = json_string_value(json_object_get(reply, "error"));
	if (error) {
		(void)fputs("rootctl: ", stderr);
		report_text(stderr, error);
		return;
	}
	for (size_t i = 0; i < array_len(rows); i++)
		if (strcmp(rows[i].verb, verb) == 0)
			rows[i].show(reply);
	if (strcmp(verb, "stop") == 0)
		(void)puts("the daemon has ended");
}

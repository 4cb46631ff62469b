/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check.h"

#include "base/mem.h"
#include "ctl/config.h"
#include "ctl/daemon.h"
#include "ctl/report.h"
#include "ctl/tls.h"
#include "ctl/way.h"
#include "ctl/zones.h"
#include "text/load.h"
#include "text/rdata.h"
#include "wire/name.h"
#include "wire/record.h"
#include "zone/zone.h"

#include <stdio.h>
#include <string.h>

static int verdict(bool is_refused, bool has_warnings, const struct check_opts *opts)
{
	if (is_refused)
		return EXIT_FAILED;
	return opts->is_strict && has_warnings ? EXIT_WARNINGS : EXIT_GOOD;
}

static void print_json(json_t *document)
{
	(void)json_dumpf(document, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	(void)putchar('\n');
	json_decref(document);
}

/* ---- the configuration ---------------------------------------------------------------- */

struct totals {
	size_t errors, warnings;
	uint64_t records;
};

static void add_up(struct totals *totals, const struct complaints *c)
{
	totals->errors += c->errors;
	totals->warnings += c->warnings;
}

static struct totals sum(const struct zones *zones, const struct complaints *complaints)
{
	struct totals totals = { 0 };
	add_up(&totals, complaints);
	for (size_t i = 0; zones && i < zones->n; i++) {
		const struct zone_entry *entry = &zones->list[i];
		totals.records += entry->zone ? zone_records(entry->zone) : 0;
		if (entry->complaints)
			add_up(&totals, entry->complaints);
	}
	return totals;
}

static void say_config(const char *path, const struct zones *zones, const struct totals *totals,
	json_t *list, const struct check_opts *opts)
{
	if (opts->as_json) {
		json_t *name = json_string(path);
		print_json(json_pack("{s:b,s:o,s:b,s:I,s:I,s:I,s:I,s:I,s:O}", "ok",
			zones && zones->refused == 0, "config", name ? name : json_null(),
			"config-refused", zones == NULL, "zones",
			(json_int_t)(zones ? zones->n : 0), "refused",
			(json_int_t)(zones ? zones->refused : 0), "records",
			(json_int_t)totals->records, "errors", (json_int_t)totals->errors,
			"warnings", (json_int_t)totals->warnings, "complaints", list));
		return;
	}
	report_print(stderr, list);
	if (zones)
		(void)printf("%s: %s, %zu zones, %zu refused, %llu records, %zu warnings\n",
			path, zones->refused ? "read" : "good", zones->n, zones->refused,
			(unsigned long long)totals->records, totals->warnings);
	else
		(void)fprintf(stderr, "%s: refused, %zu error%s\n", path, totals->errors,
			totals->errors == 1 ? "" : "s");
}

/* The chain is made as a daemon would, and let go of. */
static bool is_way_good(const struct config *config, struct complaints *complaints)
{
	static const struct way_parts none;
	struct way *way;
	if (way_build(&way, config, &none, complaints) < 0)
		return false;
	struct serve_way *serve = way ? &way->serve : NULL;
	serve_way_drop(&serve);
	return true;
}

static bool is_tls_good(const struct config *config, struct complaints *complaints)
{
	struct tickets *tickets = tickets_new();
	struct tls_setup *setup;
	bool is_good = tls_build(&setup, config, NULL, tickets, false, complaints) == 0;
	tls_setup_drop(&setup);
	tickets_free(&tickets);
	return is_good;
}

int check_config(const char *path, const struct check_opts *opts)
{
	static const struct zones_wish whole;
	struct complaints complaints = { 0 };
	struct config *config = config_read(path, &complaints);
	struct zones *zones = config ? zones_build(config, NULL, &whole, &complaints) : NULL;
	if (zones && (!is_way_good(config, &complaints) || !is_tls_good(config, &complaints)))
		zones_free(&zones);
	struct totals totals = sum(zones, &complaints);
	json_t *list = json_array();
	report_complaints(list, NULL, &complaints);
	if (zones)
		report_zones(list, zones);
	say_config(path, zones, &totals, list, opts);
	int rc = zones ? verdict(zones->refused > 0, totals.warnings > 0, opts) : EXIT_CONFIG;
	json_decref(list);
	complaints_fini(&complaints);
	zones_free(&zones);
	config_free(&config);
	return rc;
}

/* ---- a zone --------------------------------------------------------------------------- */

struct printer {
	char *text; /* heap */
	size_t size;
	json_t *list; /* NULL: to standard output */
};

static void print_record(void *user, const struct record *record)
{
	struct printer *printer = user;
	size_t n = record_print(printer->text, printer->size, record);
	if (n >= printer->size) {
		printer->size = n + 1;
		printer->text = mem_grow(printer->text, printer->size);
		(void)record_print(printer->text, printer->size, record);
	}
	if (printer->list)
		(void)json_array_append_new(printer->list, json_string(printer->text));
	else
		(void)puts(printer->text);
}

static void print_zone(const struct zone *zone, json_t *list)
{
	struct printer printer = { .size = 4096, .text = mem_new(4096), .list = list };
	zone_walk(zone, print_record, &printer);
	mem_free(printer.text);
}

static void say_zone_json(
	const char *name, const struct load *load, json_t *list, const struct check_opts *opts)
{
	json_t *out = json_pack("{s:b,s:s,s:I,s:I,s:O}", "ok", load->zone != NULL, "zone", name,
		"errors", (json_int_t)load->complaints.errors, "warnings",
		(json_int_t)load->complaints.warnings, "complaints", list);
	if (load->zone) {
		(void)json_object_set_new(out, "serial", json_integer(zone_serial(load->zone)));
		(void)json_object_set_new(
			out, "records", json_integer((json_int_t)zone_records(load->zone)));
	}
	if (load->zone && opts->prints) {
		json_t *records = json_array();
		print_zone(load->zone, records);
		(void)json_object_set_new(out, "print", records);
	}
	print_json(out);
}

static void say_zone(
	const char *name, const struct load *load, json_t *list, const struct check_opts *opts)
{
	const struct complaints *c = &load->complaints;
	/* With --print standard output is records alone. */
	FILE *out = opts->prints || !load->zone ? stderr : stdout;
	report_print(stderr, list);
	if (c->n < c->errors + c->warnings)
		(void)fprintf(stderr, "and %zu more\n", c->errors + c->warnings - c->n);
	if (!load->zone) {
		(void)fprintf(out, "zone %s: refused, %zu error%s\n", name, c->errors,
			c->errors == 1 ? "" : "s");
		return;
	}
	if (opts->prints)
		print_zone(load->zone, NULL);
	/* Both may go to the same place: not one within a line of the other. */
	(void)fflush(stdout);
	(void)fprintf(out, "zone %s: good, serial %u, %llu records, %zu warning%s\n", name,
		(unsigned)zone_serial(load->zone), (unsigned long long)zone_records(load->zone),
		c->warnings, c->warnings == 1 ? "" : "s");
}

int check_zone(const char *origin, const char *path, const struct check_opts *opts)
{
	struct name name;
	struct err err;
	struct load load;
	char text[NAME_TEXT_MAX];
	if (name_from_text(&name, origin, strlen(origin), NULL, &err) < 0) {
		(void)fprintf(stderr, "rootctl: %s is no zone's name: %s\n", origin, err.text);
		return EXIT_FAILED;
	}
	name_lower(name.bytes, name.bytes, name.len);
	(void)name_print(text, name.bytes);
	int rc = load_zone(&load, path, name.bytes, NULL);
	json_t *list = json_array();
	report_complaints(list, NULL, &load.complaints);
	if (opts->as_json)
		say_zone_json(text, &load, list, opts);
	else
		say_zone(text, &load, list, opts);
	json_decref(list);
	int code = verdict(rc<0, load.complaints.warnings> 0, opts);
	if (load.zone)
		zone_drop(&load.zone);
	load_fini(&load);
	return code;
}

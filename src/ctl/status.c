/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/status.h"

#include "base/clock.h"
#include "ctl/inside.h"
#include "ctl/report.h"
#include "zone/zone.h"

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rows of /proc/self/status that tell memory in kB. */
static const struct {
	const char *row, *name;
} memory_rows[] = { { "VmRSS:", "resident" }, { "RssAnon:", "anonymous" },
	{ "VmHWM:", "peak" } };

static json_t *report_memory(void)
{
	json_t *out = json_object();
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	while (file && fgets(line, sizeof line, file))
		for (size_t i = 0; i < array_len(memory_rows); i++) {
			size_t n = strlen(memory_rows[i].row);
			if (strncmp(line, memory_rows[i].row, n) == 0)
				(void)json_object_set_new(out, memory_rows[i].name,
					json_integer(1024 * strtoll(line + n, NULL, 10)));
		}
	if (file)
		(void)fclose(file);
	return out;
}

static json_t *report_counters(const struct daemon *d)
{
	uint64_t counts[COUNT_N];
	server_counts(d->server, counts);
	json_t *out = json_object();
	for (size_t i = 0; i < COUNT_N; i++)
		(void)json_object_set_new(
			out, server_count_rows[i].name, json_integer((json_int_t)counts[i]));
	return out;
}

static json_t *report_listeners(const struct daemon *d)
{
	json_t *out = json_array();
	for (size_t i = 0; i < server_listeners(d->server); i++) {
		char text[ADDR_TEXT_MAX];
		(void)json_array_append_new(
			out, json_string(addr_print(text, server_listener(d->server, i))));
	}
	return out;
}

json_t *status_report(const struct daemon *d)
{
	json_int_t served = 0, records = 0;
	for (size_t i = 0; i < d->zones->n; i++) {
		const struct zone *zone = d->zones->list[i].zone;
		served += zone != NULL;
		records += zone ? (json_int_t)zone->records : 0;
	}
	json_t *path = json_string(d->path);
	return json_pack("{s:b,s:s,s:i,s:I,s:o,s:I,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:o}", "ok", 1,
		"version", PACKAGE_VERSION, "pid", (int)getpid(), "uptime-ms",
		(json_int_t)((clock_mono_us() - d->started_us) / 1000), "config",
		path ? path : json_null(), "workers", (json_int_t)d->initial->workers,
		"listening", report_listeners(d), "memory", report_memory(), "counters",
		report_counters(d), "reloads", (json_int_t)d->reloads, "reloads-failed",
		(json_int_t)d->reloads_failed, "served", served, "records", records, "zones",
		report_status(d->zones));
}

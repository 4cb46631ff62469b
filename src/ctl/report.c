/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report.h"

#include "base/log.h"
#include "ctl/zones.h"
#include "wire/name.h"
#include "zone/zone.h"

#include <string.h>
#include <time.h>

void report_complaints(json_t *list, const char *zone, const struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->n; i++) {
		const struct complaint *c = &complaints->list[i];
		if (json_array_size(list) >= REPORT_COMPLAINTS_MAX)
			return;
		size_t n = strcspn(c->text, "\n");
		json_t *row = json_pack("{s:s,s:s%}", "level",
			c->is_error ? "error" : "warning", "text", c->text, n);
		if (!row)
			continue;
		if (zone)
			(void)json_object_set_new(row, "zone", json_string(zone));
		if (c->text[n])
			(void)json_object_set_new(row, "shown", json_string(c->text + n + 1));
		(void)json_array_append_new(list, row);
	}
}

void report_zones(json_t *list, const struct zones *zones)
{
	for (size_t i = 0; i < zones->n; i++) {
		const struct zone_entry *entry = &zones->list[i];
		if (!entry->was_parsed || !entry->complaints)
			continue;
		char name[NAME_TEXT_MAX];
		(void)name_print(name, entry->name);
		report_complaints(list, name, entry->complaints);
	}
}

static void put_error(json_t *row, const struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->n; i++) {
		const char *text = complaints->list[i].text;
		if (!complaints->list[i].is_error)
			continue;
		(void)json_object_set_new(
			row, "error", json_stringn(text, strcspn(text, "\n")));
		return;
	}
}

json_t *report_status(const struct zones *zones)
{
	json_t *list = json_array();
	for (size_t i = 0; i < zones->n; i++) {
		const struct zone_entry *entry = &zones->list[i];
		const struct zone *zone = entry->zone;
		char name[NAME_TEXT_MAX], when[40] = "";
		time_t loaded = (time_t)entry->loaded_s;
		struct tm tm;
		(void)name_print(name, entry->name);
		if (zone && gmtime_r(&loaded, &tm))
			(void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
		json_t *row = json_pack("{s:s,s:s,s:b,s:b}", "name", name, "file", entry->path,
			"served", zone != NULL, "refused", entry->is_refused);
		if (!row)
			row = json_pack("{s:s,s:b}", "name", name, "served", zone != NULL);
		if (zone) {
			(void)json_object_set_new(
				row, "serial", json_integer(zone_serial(zone)));
			(void)json_object_set_new(
				row, "records", json_integer((json_int_t)zone->records));
			(void)json_object_set_new(
				row, "bytes", json_integer((json_int_t)zone->bytes));
			(void)json_object_set_new(row, "loaded", json_string(when));
		}
		if (entry->is_refused && entry->complaints)
			put_error(row, entry->complaints);
		(void)json_array_append_new(list, row);
	}
	return list;
}

void report_text(FILE *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n\t");
		char safe[512];
		while (n) {
			size_t part = n < 100 ? n : 100;
			(void)log_escape(safe, sizeof safe, text, part);
			(void)fputs(safe, out);
			text += part;
			n -= part;
		}
		if (*text)
			(void)fputc(*text++, out);
	}
	(void)fputc('\n', out);
}

void report_print(FILE *out, const json_t *complaints)
{
	size_t i;
	const json_t *row;
	json_array_foreach(complaints, i, row)
	{
		const char *text = json_string_value(json_object_get(row, "text"));
		const char *shown = json_string_value(json_object_get(row, "shown"));
		if (text)
			report_text(out, text);
		if (shown)
			report_text(out, shown);
	}
}

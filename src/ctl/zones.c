/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/zones.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/near.h"
#include "ctl/config.h"
#include "text/complain.h"
#include "text/load.h"
#include "wire/key.h"
#include "zone/zone.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NEAR_MAX = 1000, /* names looked at for a suggestion */
	FOLDER_MAX = 1000000
};

struct plan { /* a list while it is made */
	struct zones *zones;
	struct complaints *complaints;
	size_t size;
	const char *file, *file_copy; /* many zones come from one file */
};

/* ---- the table of names --------------------------------------------------------------- */

static uint32_t *find_slot(const struct zones *zones, const uint8_t *name)
{
	uint32_t i = (uint32_t)key_hash(name) & zones->mask;
	while (zones->table[i] && !name_is_equal(zones->list[zones->table[i] - 1].name, name))
		i = (i + 1) & zones->mask;
	return &zones->table[i];
}

static void grow_table(struct zones *zones)
{
	size_t slots = zones->mask ? ((size_t)zones->mask + 1) * 2 : 16;
	mem_free(zones->table);
	zones->table = mem_array(slots, sizeof zones->table[0]);
	zones->mask = (uint32_t)(slots - 1);
	for (size_t i = 0; i < zones->n; i++)
		*find_slot(zones, zones->list[i].name) = (uint32_t)i + 1;
}

struct zone_entry *zones_find(const struct zones *zones, const uint8_t *name)
{
	if (!zones->table)
		return NULL;
	uint8_t lower[NAME_MAX_LEN];
	name_lower(lower, name, name_len(name));
	uint32_t i = *find_slot(zones, lower);
	return i ? &zones->list[i - 1] : NULL;
}

const char *zones_near(char *out, const struct zones *zones, const char *name)
{
	size_t n = zones->n < NEAR_MAX ? zones->n : NEAR_MAX;
	const char **words = mem_array(n, sizeof *words);
	struct arena arena = { 0 };
	char text[NAME_TEXT_MAX];
	for (size_t i = 0; i < n; i++) {
		size_t len = name_print(text, zones->list[i].name);
		words[i] = arena_text(&arena, text, len);
	}
	const char *near = near_find(name, words, n);
	if (near)
		(void)snprintf(out, NAME_TEXT_MAX, "%s", near);
	arena_fini(&arena);
	mem_free(words);
	return near ? out : NULL;
}

/* ---- the plan ------------------------------------------------------------------------- */

static void plan_complain(const struct plan *plan, const struct config_zone *said,
	bool is_error, const char *reason)
{
	struct place place = { .file = said->file, .line = said->line, .column = said->column };
	complain(plan->complaints, is_error, &place, reason);
}

/* name and path must live as long as the list. */
static void plan_zone(struct plan *plan, const struct config_zone *said, const uint8_t *name,
	const char *path)
{
	struct zones *zones = plan->zones;
	if (zones->n * 2 >= zones->mask)
		grow_table(zones);
	uint32_t *slot = find_slot(zones, name);
	if (*slot) {
		const struct zone_entry *first = &zones->list[*slot - 1];
		char text[NAME_TEXT_MAX], reason[2 * NAME_TEXT_MAX];
		(void)name_print(text, name);
		(void)snprintf(reason, sizeof reason,
			"zone %s is named twice: first in %s:%u (%s), here as %s", text,
			first->file, first->line, first->path, path);
		plan_complain(plan, said, true, reason);
		return;
	}
	if (zones->n == plan->size) {
		plan->size = plan->size ? 2 * plan->size : 8;
		zones->list = mem_grow(zones->list, plan->size * sizeof zones->list[0]);
	}
	if (plan->file != said->file) {
		plan->file = said->file;
		plan->file_copy = arena_text(&zones->arena, said->file, strlen(said->file));
	}
	zones->list[zones->n++] = (struct zone_entry){
		.name = name,
		.path = path,
		.file = plan->file_copy,
		.line = said->line,
		.column = said->column,
	};
	*slot = (uint32_t)zones->n;
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Files NAME.zone of a folder, sorted; -errno. The words are in arena. */
static int list_folder(const char *path, const char ***out, size_t *n, struct arena *arena)
{
	DIR *dir = opendir(path);
	if (!dir)
		return -errno;
	const char **list = NULL;
	size_t used = 0, size = 0;
	for (const struct dirent *d; used < FOLDER_MAX && (d = readdir(dir));) {
		size_t len = strlen(d->d_name);
		/* Editors leave files that begin with a dot. */
		if (len < 6 || d->d_name[0] == '.' || strcmp(d->d_name + len - 5, ".zone") != 0)
			continue;
		if (used == size) {
			size = size ? 2 * size : 16;
			list = mem_grow(list, size * sizeof list[0]);
		}
		list[used++] = arena_text(arena, d->d_name, len);
	}
	(void)closedir(dir);
	if (used)
		qsort(list, used, sizeof list[0], compare_words);
	*out = list;
	*n = used;
	return 0;
}

static void plan_file(struct plan *plan, const struct config_zone *said, const char *word)
{
	struct arena *arena = &plan->zones->arena;
	struct name name;
	struct err err;
	size_t folder_n = strlen(said->path), n = strlen(word);
	/* "root.zone" would be a top-level domain: the root has to be named. */
	if (name_from_text(&name, word, n - 5, NULL, &err) < 0) {
		char reason[sizeof err.text + 300];
		(void)snprintf(
			reason, sizeof reason, "%s: its name is no zone's: %s", word, err.text);
		plan_complain(plan, said, true, reason);
		return;
	}
	uint8_t *stored = arena_new(arena, name.len);
	name_lower(stored, name.bytes, name.len);
	char *path = arena_new(arena, folder_n + n + 2);
	(void)snprintf(path, folder_n + n + 2, "%s/%s", said->path, word);
	plan_zone(plan, said, stored, path);
}

static void plan_folder(struct plan *plan, const struct config_zone *said)
{
	struct arena arena = { 0 };
	const char **list = NULL;
	size_t n = 0;
	int rc = list_folder(said->path, &list, &n, &arena);
	char reason[1024];
	if (rc < 0) {
		(void)snprintf(reason, sizeof reason, "folder %s cannot be read: %s",
			said->path, strerror(-rc));
		plan_complain(plan, said, true, reason);
	} else if (n == 0) {
		(void)snprintf(
			reason, sizeof reason, "folder %s has no file NAME.zone", said->path);
		plan_complain(plan, said, false, reason);
	}
	for (size_t i = 0; i < n; i++)
		plan_file(plan, said, list[i]);
	mem_free(list);
	arena_fini(&arena);
}

static struct zones *make_plan(const struct config *config, struct complaints *complaints)
{
	struct plan plan = { .zones = mem_new(sizeof *plan.zones), .complaints = complaints };
	struct arena *arena = &plan.zones->arena;
	size_t before = complaints->errors;
	grow_table(plan.zones);
	for (size_t i = 0; i < config->zones_n; i++) {
		const struct config_zone *said = &config->zones[i];
		if (!said->name) {
			plan_folder(&plan, said);
			continue;
		}
		size_t n = name_len(said->name);
		uint8_t *name = arena_new(arena, n);
		memcpy(name, said->name, n);
		plan_zone(&plan, said, name, arena_text(arena, said->path, strlen(said->path)));
	}
	if (complaints->errors > before)
		zones_free(&plan.zones);
	return plan.zones;
}

/* ---- loading -------------------------------------------------------------------------- */

static bool is_wished(const struct zones_wish *wish, const uint8_t *name)
{
	for (size_t i = 0; i < wish->n; i++)
		if (name_is_equal(wish->names[i], name))
			return true;
	return false;
}

static bool is_unchanged(const struct zone_entry *entry, const struct zone_entry *old)
{
	/* What was refused is tried again: the reason may lie outside the file. */
	return old && !old->is_refused && strcmp(entry->path, old->path) == 0 &&
	       !zonefile_files_changed(&old->files);
}

static void load_entry(struct zone_entry *entry, const struct zone_entry *old)
{
	struct load load;
	int rc = load_zone(&load, entry->path, entry->name, old ? old->zone : NULL);
	entry->was_parsed = true;
	entry->is_refused = rc < 0;
	entry->zone = load.zone;
	entry->loaded_s = clock_wall_s();
	entry->files = load.files;
	load.files = (struct zonefile_files){ 0 };
	if (load.complaints.errors + load.complaints.warnings) {
		entry->complaints = mem_copy(&load.complaints, sizeof load.complaints);
		load.complaints = (struct complaints){ 0 };
	}
	load_fini(&load);
}

struct zones *zones_build(const struct config *config, const struct zones *old,
	const struct zones_wish *wish, struct complaints *complaints)
{
	struct zones *zones = make_plan(config, complaints);
	if (!zones)
		return NULL;
	for (size_t i = 0; i < zones->n; i++) {
		struct zone_entry *entry = &zones->list[i];
		const struct zone_entry *before = old ? zones_find(old, entry->name) : NULL;
		entry->old = before ? (uint32_t)(before - old->list) + 1 : 0;
		bool is_carried = wish->n ? before && !is_wished(wish, entry->name)
					  : is_unchanged(entry, before);
		if (is_carried) {
			entry->is_refused = before->is_refused;
		} else {
			load_entry(entry, before);
			zones->parsed++;
		}
		zones->refused += entry->is_refused;
	}
	return zones;
}

static void move_entry(struct zone_entry *entry, struct zone_entry *old)
{
	entry->loaded_s = old->loaded_s;
	entry->files = old->files;
	entry->complaints = old->complaints;
	old->files = (struct zonefile_files){ 0 };
	old->complaints = NULL;
}

void zones_adopt(struct zones *zones, struct zones *old)
{
	for (size_t i = 0; i < zones->n; i++) {
		struct zone_entry *entry = &zones->list[i];
		if (!entry->old)
			continue;
		struct zone_entry *before = &old->list[entry->old - 1];
		if (!entry->was_parsed)
			move_entry(entry, before);
		if (!entry->zone && before->zone) {
			entry->zone = zone_hold(before->zone);
			entry->loaded_s = before->loaded_s;
		}
	}
}

void zones_free(struct zones **held)
{
	struct zones *zones = *held;
	*held = NULL;
	if (!zones)
		return;
	for (size_t i = 0; i < zones->n; i++) {
		struct zone_entry *entry = &zones->list[i];
		if (entry->zone)
			zone_drop(&entry->zone);
		zonefile_files_fini(&entry->files);
		if (entry->complaints)
			complaints_fini(entry->complaints);
		mem_free(entry->complaints);
	}
	mem_free(zones->list);
	mem_free(zones->table);
	arena_fini(&zones->arena);
	mem_free(zones);
}

size_t zones_served(const struct zones *zones, struct zone **out)
{
	size_t n = 0;
	for (size_t i = 0; i < zones->n; i++)
		if (zones->list[i].zone)
			out[n++] = zones->list[i].zone;
	return n;
}

/* ---- the log -------------------------------------------------------------------------- */

static void log_complaint(const struct complaint *complaint, bool is_whole)
{
	enum log_level level = complaint->is_error ? LOG_ERROR : LOG_WARNING;
	const char *p = complaint->text;
	do {
		int n = (int)strcspn(p, "\n");
		log_line(level, "%.*s", n, p);
		p += n;
	} while (is_whole && *p++);
}

static void log_entry(const struct zone_entry *entry, bool is_start)
{
	char name[NAME_TEXT_MAX], left[64] = "it is not served";
	const struct complaints *c = entry->complaints;
	(void)name_print(name, entry->name);
	for (size_t i = 0; i < c->n; i++)
		log_complaint(&c->list[i], is_start);
	if (c->n < c->errors + c->warnings)
		log_line(c->errors ? LOG_ERROR : LOG_WARNING, "zone %s: and %zu more", name,
			c->errors + c->warnings - c->n);
	if (!entry->is_refused)
		return;
	if (entry->zone)
		(void)snprintf(left, sizeof left, "the version with serial %u is served on",
			(unsigned)zone_serial(entry->zone));
	log_line(LOG_ERROR, "zone %s: refused, %zu error%s; %s", name, c->errors,
		c->errors == 1 ? "" : "s", left);
}

void zones_log(const struct zones *zones, bool is_start)
{
	for (size_t i = 0; i < zones->n; i++)
		if (zones->list[i].was_parsed && zones->list[i].complaints)
			log_entry(&zones->list[i], is_start);
}

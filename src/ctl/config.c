/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/config.h"

#include "base/near.h"
#include "ctl/option.h"
#include "ctl/tree.h"
#include "ctl/user.h"
#include "wire/name.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum {
	KEY_MAX = 64
};

struct said { /* where a key was said first */
	const char *file;
	unsigned line;
};

struct file { /* a file that was read */
	uint64_t dev, ino;
};

struct reader {
	struct config *config;
	struct complaints *complaints;
	struct said said[OPTIONS_N];     /* of rows */
	struct said sections[OPTIONS_N]; /* of sections, by their first row */
	struct file files[CONFIG_FILES_MAX];
	size_t files_n, zones_size;
	bool is_alone; /* no other files are read */
};

struct source { /* one file of the configuration */
	struct reader *reader;
	struct tree tree;
	const char *path, *folder;
	unsigned depth;
};

static void read_file(struct reader *reader, const char *path, unsigned depth,
	const struct source *from, const struct tree_node *node);

static void *slot(struct config *config, const struct option *row)
{
	return (char *)config + row->offset;
}

static bool is_list(enum option_kind kind)
{
	return kind == OPTION_ADDRS || kind == OPTION_ZONES || kind == OPTION_INCLUDE ||
	       kind == OPTION_EMPTY;
}

/* ---- values --------------------------------------------------------------------------- */

static void read_value(struct source *source, const struct option *row,
	const struct tree_node *node, const char *key)
{
	struct reader *r = source->reader;
	if (node->kind != TREE_WORD) {
		tree_complain(&source->tree, node, r->complaints,
			"%s: one value is expected, not a %s", key,
			node->kind == TREE_LIST ? "list" : "map");
		return;
	}
	struct option_word word = {
		.text = node->text,
		.len = node->len,
		.is_plain = node->is_plain,
		.folder = source->folder,
	};
	struct err err;
	int rc = option_read(row, &word, slot(r->config, row), &r->config->arena, &err);
	struct user user;
	if (rc == 0 && row->offset == offsetof(struct config, user) && row->kind == OPTION_TEXT)
		rc = user_find(&user, r->config->user, &err);
	if (rc < 0)
		tree_complain(&source->tree, node, r->complaints, "%s: %s", key, err.text);
}

static void read_addrs(
	struct source *source, const struct option *row, const struct tree_node *list)
{
	struct config *config = source->reader->config;
	if (!config->has_own_listen)
		config->listen.n = 0;
	config->has_own_listen = true;
	if (!list->first)
		tree_complain(&source->tree, list, source->reader->complaints,
			"%s: at least one address is expected", row->key);
	for (const struct tree_node *node = list->first; node; node = node->next)
		read_value(source, row, node, row->key);
}

static const char *const zone_words[] = { "name", "file", "folder" };
enum {
	ZONE_NAME,
	ZONE_FILE,
	ZONE_FOLDER,
	ZONE_WORDS
};

/* The words of one zone by key; false when something was wrong with them. */
static bool read_zone_words(struct source *source, const struct tree_node *map,
	const struct tree_node *out[ZONE_WORDS])
{
	struct complaints *complaints = source->reader->complaints;
	size_t before = complaints->errors;
	for (const struct tree_node *key = map->first; key; key = key->next) {
		size_t i = 0;
		while (i < ZONE_WORDS && strcmp(zone_words[i], key->text) != 0)
			i++;
		if (i == ZONE_WORDS) {
			const char *near = near_find(key->text, zone_words, ZONE_WORDS);
			tree_complain(&source->tree, key, complaints,
				"unknown key '%.40s' of a zone%s%s%s", key->text,
				near ? "; did you mean '" : "; it has name and file, or folder",
				near ? near : "", near ? "'?" : "");
		} else if (out[i]) {
			tree_complain(&source->tree, key, complaints,
				"'%s' is said twice; first in line %u", zone_words[i],
				out[i]->line);
		} else if (key->value->kind != TREE_WORD || key->value->len == 0) {
			tree_complain(&source->tree, key->value, complaints,
				"%s: one word is expected", zone_words[i]);
		} else {
			out[i] = key->value;
		}
	}
	return complaints->errors == before;
}

static bool is_whole_zone(struct source *source, const struct tree_node *map,
	const struct tree_node *const words[ZONE_WORDS])
{
	bool has_name = words[ZONE_NAME], has_file = words[ZONE_FILE];
	if (words[ZONE_FOLDER] && (has_name || has_file)) {
		tree_complain(&source->tree, words[ZONE_FOLDER], source->reader->complaints,
			"a zone has either name and file, or folder");
		return false;
	}
	if (!words[ZONE_FOLDER] && !(has_name && has_file)) {
		tree_complain(&source->tree, map, source->reader->complaints,
			"a zone has name and file, or folder: %s",
			has_name   ? "file is missing"
			: has_file ? "name is missing"
				   : "neither is here");
		return false;
	}
	return true;
}

static struct config_zone *new_zone(struct reader *r)
{
	struct config *config = r->config;
	if (config->zones_n == r->zones_size) {
		r->zones_size = r->zones_size ? 2 * r->zones_size : 8;
		config->zones =
			mem_grow(config->zones, r->zones_size * sizeof config->zones[0]);
	}
	return &config->zones[config->zones_n++];
}

static void read_zone(struct source *source, const struct tree_node *map)
{
	struct reader *r = source->reader;
	const struct tree_node *words[ZONE_WORDS] = { NULL };
	if (map->kind != TREE_MAP) {
		tree_complain(&source->tree, map, r->complaints,
			"a zone is expected: { name: ..., file: ... } or { folder: ... }");
		return;
	}
	if (!read_zone_words(source, map, words) || !is_whole_zone(source, map, words))
		return;
	struct name name;
	struct err err;
	const struct tree_node *said = words[ZONE_NAME];
	if (said && name_from_text(&name, said->text, said->len, NULL, &err) < 0) {
		tree_complain(&source->tree, said, r->complaints, "name: %s", err.text);
		return;
	}
	struct arena *arena = &r->config->arena;
	struct config_zone *zone = new_zone(r);
	uint8_t *stored = NULL;
	if (said) {
		stored = arena_new(arena, name.len);
		name_lower(stored, name.bytes, name.len);
	} else {
		said = words[ZONE_FOLDER];
	}
	*zone = (struct config_zone){
		.name = stored,
		.path = option_path(
			arena, source->folder, stored ? words[ZONE_FILE]->text : said->text),
		.file = source->path,
		.line = said->line,
		.column = said->column,
	};
}

static void read_list(
	struct source *source, const struct option *row, const struct tree_node *list)
{
	struct complaints *complaints = source->reader->complaints;
	if (list->kind != TREE_LIST) {
		tree_complain(&source->tree, list, complaints,
			"%s: a list is expected: [ ... ]", row->key);
		return;
	}
	if (row->kind == OPTION_ADDRS) {
		read_addrs(source, row, list);
		return;
	}
	for (const struct tree_node *node = list->first; node; node = node->next) {
		if (row->kind == OPTION_ZONES) {
			read_zone(source, node);
		} else if (row->kind == OPTION_EMPTY) {
			tree_complain(&source->tree, node, complaints,
				"%s: not in this version, which takes only []", row->key);
			return;
		}
	}
}

/* ---- keys ----------------------------------------------------------------------------- */

static bool begins_with(const char *key, const char *section, size_t n)
{
	return strncmp(key, section, n) == 0 && key[n] == '.';
}

static size_t find_row(const char *key)
{
	for (size_t i = 0; i < OPTIONS_N; i++)
		if (strcmp(option_rows[i].key, key) == 0)
			return i;
	return OPTIONS_N;
}

static size_t find_section(const char *key)
{
	for (size_t i = 0; i < OPTIONS_N; i++)
		if (begins_with(option_rows[i].key, key, strlen(key)))
			return i;
	return OPTIONS_N;
}

static void complain_unknown(
	struct source *source, const struct tree_node *key, const char *section)
{
	char words[OPTIONS_N][KEY_MAX];
	const char *list[OPTIONS_N], *home = NULL;
	size_t n = 0, section_n = strlen(section);
	for (size_t i = 0; i < OPTIONS_N; i++) {
		const char *word = option_rows[i].key, *dot = strrchr(word, '.');
		if (dot && strcmp(dot + 1, key->text) == 0)
			home = word;
		if (section_n && !begins_with(word, section, section_n))
			continue;
		word += section_n ? section_n + 1 : 0;
		(void)snprintf(words[n], KEY_MAX, "%.*s", (int)strcspn(word, "."), word);
		list[n] = words[n];
		n++;
	}
	const char *near = near_find(key->text, list, n);
	char hint[2 * KEY_MAX] = "";
	if (!section_n && strchr(key->text, '.') && find_row(key->text) < OPTIONS_N)
		(void)snprintf(hint, sizeof hint, "; a dot means a map: '%.*s: { %s: ... }'",
			(int)strcspn(key->text, "."), key->text, strchr(key->text, '.') + 1);
	else if (near)
		(void)snprintf(hint, sizeof hint, "; did you mean '%s'?", near);
	else if (home)
		(void)snprintf(hint, sizeof hint, "; it belongs under '%.*s:'",
			(int)strcspn(home, "."), home);
	tree_complain(&source->tree, key, source->reader->complaints,
		"unknown key '%.40s'%s%s%s", key->text, section_n ? " in " : "", section, hint);
}

/* False when the key was said before where it may be said once. */
static bool is_first(struct source *source, const struct tree_node *key, const char *full,
	struct said *said, bool may_repeat)
{
	if (!said->file) {
		*said = (struct said){ .file = source->path, .line = key->line };
		return true;
	}
	/* Same file, same pointer: a file is read once. */
	if (said->file != source->path && may_repeat)
		return true;
	tree_complain(&source->tree, key, source->reader->complaints,
		"'%s' is said twice; first in %s:%u", full, said->file, said->line);
	return false;
}

static void read_row(struct source *source, const struct tree_node *key, size_t i)
{
	const struct option *row = &option_rows[i];
	struct reader *r = source->reader;
	if (row->kind == OPTION_ABSENT) {
		tree_complain(&source->tree, key, r->complaints, "'%s' is not in this version",
			row->key);
		return;
	}
	if (!is_first(source, key, row->key, &r->said[i], is_list(row->kind)))
		return;
	if (is_list(row->kind))
		read_list(source, row, key->value);
	else
		read_value(source, row, key->value, row->key);
}

static void read_map(struct source *source, const struct tree_node *map, const char *section)
{
	struct reader *r = source->reader;
	for (const struct tree_node *key = map->first; key; key = key->next) {
		char full[KEY_MAX];
		int n = snprintf(
			full, sizeof full, "%s%s%s", section, *section ? "." : "", key->text);
		bool is_long = n < 0 || (size_t)n >= sizeof full;
		size_t row = is_long ? OPTIONS_N : find_row(full);
		/* A dot in the key itself would read as a section. */
		if (row < OPTIONS_N && !strchr(key->text, '.')) {
			read_row(source, key, row);
			continue;
		}
		size_t first =
			is_long || *section || key->len == 0 ? OPTIONS_N : find_section(full);
		if (first == OPTIONS_N) {
			complain_unknown(source, key, section);
			continue;
		}
		if (!is_first(source, key, full, &r->sections[first], true))
			continue;
		if (key->value->kind != TREE_MAP)
			tree_complain(&source->tree, key->value, r->complaints,
				"%s: a map is expected", full);
		else
			read_map(source, key->value, full);
	}
}

/* ---- files ---------------------------------------------------------------------------- */

static const struct tree_node *find_includes(const struct source *source)
{
	for (const struct tree_node *key = source->tree.root->first; key; key = key->next)
		if (strcmp(key->text, "include") == 0 && key->value->kind == TREE_LIST)
			return key->value->first;
	return NULL;
}

static void read_includes(struct source *source)
{
	struct reader *r = source->reader;
	for (const struct tree_node *n = find_includes(source); n; n = n->next) {
		if (n->kind != TREE_WORD || n->len == 0) {
			tree_complain(&source->tree, n, r->complaints,
				"include: the path of a file is expected");
			continue;
		}
		if (r->is_alone) {
			tree_complain(&source->tree, n, r->complaints,
				"include: this text stands alone");
			continue;
		}
		const char *path = option_path(&r->config->arena, source->folder, n->text);
		read_file(r, path, source->depth + 1, source, n);
	}
}

/* What the file is not allowed to be; from: the one that includes it. */
static const char *judge_file(const struct reader *r, const struct tree *tree, unsigned depth)
{
	for (size_t i = 0; i < r->files_n; i++)
		if (r->files[i].dev == tree->dev && r->files[i].ino == tree->ino)
			return "this file is read already; a file may be included once";
	if (depth > CONFIG_DEPTH_MAX)
		return "files included by each other: over 8 deep";
	if (r->files_n == CONFIG_FILES_MAX)
		return "over 16 files";
	return NULL;
}

static const char *folder_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return "";
	return arena_text(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

static void read_root(struct source *source)
{
	const struct tree_node *root = source->tree.root;
	if (root && root->kind == TREE_MAP) {
		read_map(source, root, "");
		read_includes(source);
	} else if (root && !(root->kind == TREE_WORD && root->is_plain && root->len == 0)) {
		tree_complain(&source->tree, root, source->reader->complaints,
			"a map of keys is expected, as in 'zones: [ ... ]'");
	}
	tree_fini(&source->tree);
}

static void read_file(struct reader *r, const char *path, unsigned depth,
	const struct source *from, const struct tree_node *node)
{
	struct source source = { .reader = r, .path = path, .depth = depth };
	if (tree_read(&source.tree, path, r->complaints) < 0)
		return;
	const char *reason = judge_file(r, &source.tree, depth);
	if (reason && from) {
		tree_complain(
			&from->tree, node, r->complaints, "include: %s: %s", path, reason);
		tree_fini(&source.tree);
		return;
	}
	source.folder = folder_of(&r->config->arena, path);
	r->files[r->files_n++] = (struct file){ source.tree.dev, source.tree.ino };
	read_root(&source);
}

static uint64_t count_cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	int n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (uint64_t)n;
}

static void set_default(struct config *config, const struct option *row)
{
	struct err err;
	const char *p = row->fallback;
	while (p && *p) {
		/* The words of the default as a file would list them. */
		p += strspn(p, " ,[]");
		bool is_quoted = *p == '"';
		p += is_quoted;
		size_t n = strcspn(p, is_quoted ? "\"" : " ,[]");
		if (n == 0 && !is_quoted)
			break;
		struct option_word word = { .text = arena_text(&config->arena, p, n),
			.len = n,
			.is_plain = !is_quoted,
			.folder = "" };
		must(option_read(row, &word, slot(config, row), &config->arena, &err) == 0);
		p += n + is_quoted;
	}
}

static void set_defaults(struct config *config)
{
	for (size_t i = 0; i < OPTIONS_N; i++) {
		enum option_kind kind = option_rows[i].kind;
		if (!is_list(kind) || kind == OPTION_ADDRS)
			set_default(config, &option_rows[i]);
	}
	config->workers = count_cores();
	config->control = "";
}

static struct reader *start(struct complaints *complaints)
{
	struct reader *r = mem_new(sizeof *r);
	r->config = mem_new(sizeof *r->config);
	r->complaints = complaints;
	set_defaults(r->config);
	return r;
}

/* before: how many errors there were. */
static struct config *end(struct reader *r, size_t before)
{
	struct config *config = r->config;
	if (r->complaints->errors > before)
		config_free(&config);
	mem_free(r);
	return config;
}

struct config *config_read(const char *path, struct complaints *complaints)
{
	size_t before = complaints->errors;
	struct reader *r = start(complaints);
	read_file(r, arena_text(&r->config->arena, path, strlen(path)), 0, NULL, NULL);
	return end(r, before);
}

struct config *config_read_text(
	const char *name, const char *text, size_t n, struct complaints *complaints)
{
	size_t before = complaints->errors;
	struct reader *r = start(complaints);
	const char *path = arena_text(&r->config->arena, name, strlen(name));
	struct source source = { .reader = r, .path = path, .folder = "" };
	r->is_alone = true;
	if (tree_read_text(&source.tree, path, text, n, complaints) == 0)
		read_root(&source);
	return end(r, before);
}

void config_free(struct config **config)
{
	if (!*config)
		return;
	arena_fini(&(*config)->arena);
	mem_free((*config)->zones);
	mem_free(*config);
	*config = NULL;
}

static bool is_same(const struct option *row, const void *a, const void *b)
{
	if (row->kind == OPTION_NUMBER)
		return *(const uint64_t *)a == *(const uint64_t *)b;
	if (row->kind == OPTION_ADDRS) {
		const struct addrs *x = a, *y = b;
		bool same = x->n == y->n;
		for (size_t i = 0; same && i < x->n; i++)
			same = addr_is_equal(&x->list[i], &y->list[i]);
		return same;
	}
	return strcmp(*(const char *const *)a, *(const char *const *)b) == 0;
}

size_t config_compare(
	const struct config *a, const struct config *b, const struct option **out, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < OPTIONS_N && n < size; i++) {
		const struct option *row = &option_rows[i];
		if (!row->needs_restart || row->kind == OPTION_ABSENT)
			continue;
		if (!is_same(row, (const char *)a + row->offset, (const char *)b + row->offset))
			out[n++] = row;
	}
	return n;
}

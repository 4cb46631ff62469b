/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/config.h"

#include "base/near.h"
#include "ctl/reader.h"
#include "ctl/user.h"
#include "wire/name.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum {
	KEY_MAX = 64
};

static void read_file(struct config_reader *reader, const char *path, unsigned depth,
	const struct text *from, const struct tree_node *node);

static void *slot(struct config *config, const struct option *row)
{
	return (char *)config + row->offset;
}

static bool is_list(enum option_kind kind)
{
	return option_is_words(kind) || kind == OPTION_ZONES || kind == OPTION_INCLUDE ||
	       kind == OPTION_STUBS || kind == OPTION_LINKS;
}

/* ---- values --------------------------------------------------------------------------- */

bool text_read_word(struct text *text, const struct option *row, const struct tree_node *node,
	const char *key, void *slot)
{
	struct config_reader *r = text->reader;
	if (node->kind != TREE_WORD) {
		text_complain(text, node, "%s: one value is expected, not a %s", key,
			node->kind == TREE_LIST ? "list" : "map");
		return false;
	}
	struct option_word word = {
		.text = node->text,
		.len = node->len,
		.is_plain = node->is_plain,
		.folder = text->folder,
	};
	struct err err;
	int rc = option_read(row, &word, slot, &r->config->arena, &err);
	if (rc < 0)
		text_complain(text, node, "%s: %s", key, err.text);
	return rc == 0;
}

static void read_value(struct text *text, const struct option *row,
	const struct tree_node *node, const char *key)
{
	struct config *config = text->reader->config;
	struct user user;
	struct err err;
	if (text_read_word(text, row, node, key, slot(config, row)) &&
		row->kind == OPTION_TEXT && row->offset == offsetof(struct config, user) &&
		user_find(&user, config->user, &err) < 0)
		text_complain(text, node, "%s: %s", key, err.text);
}

/* The first list that is said takes the place of the default. */
static void read_words(struct text *text, const struct option *row,
	const struct tree_node *list, bool is_first)
{
	struct config *config = text->reader->config;
	if (is_first)
		*(size_t *)slot(config, row) = 0;
	if (row->kind == OPTION_ADDRS)
		config->has_own_listen = true;
	if (!list->first && row->min)
		text_complain(text, list, "%s: at least one address is expected", row->key);
	for (const struct tree_node *node = list->first; node; node = node->next)
		read_value(text, row, node, row->key);
}

static void read_list(struct text *text, const struct option *row, const struct tree_node *list,
	bool is_first)
{
	if (list->kind != TREE_LIST) {
		text_complain(text, list, "%s: a list is expected: [ ... ]", row->key);
		return;
	}
	if (option_is_words(row->kind)) {
		read_words(text, row, list, is_first);
		return;
	}
	if (row->kind == OPTION_LINKS)
		text->reader->config->has_own_chain = true;
	for (const struct tree_node *node = list->first; node; node = node->next) {
		if (row->kind == OPTION_ZONES)
			parts_read_zone(text, node);
		else if (row->kind == OPTION_STUBS)
			parts_read_stub(text, node);
		else if (row->kind == OPTION_LINKS)
			links_read(text, node);
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
	struct text *text, const struct tree_node *key, const char *section)
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
	tree_complain(&text->tree, key, text->reader->complaints, "unknown key '%.40s'%s%s%s",
		key->text, section_n ? " in " : "", section, hint);
}

/* False when the key was said before where it may be said once. */
static bool is_first(struct text *text, const struct tree_node *key, const char *full,
	struct config_said *said, bool may_repeat)
{
	if (!said->file) {
		*said = (struct config_said){ .file = text->path, .line = key->line };
		return true;
	}
	/* Same file, same pointer: a file is read once. */
	if (said->file != text->path && may_repeat)
		return true;
	tree_complain(&text->tree, key, text->reader->complaints,
		"'%s' is said twice; first in %s:%u", full, said->file, said->line);
	return false;
}

static void read_row(struct text *text, const struct tree_node *key, size_t i)
{
	const struct option *row = &option_rows[i];
	struct config_reader *r = text->reader;
	if (row->kind == OPTION_ABSENT) {
		tree_complain(&text->tree, key, r->complaints, "'%s' is not in this version",
			row->key);
		return;
	}
	bool is_new = !r->said[i].file;
	if (is_new)
		r->config->places[i] = (struct config_place){ text->path, key->value->line,
			key->value->column };
	if (!is_first(text, key, row->key, &r->said[i], is_list(row->kind)))
		return;
	if (is_list(row->kind))
		read_list(text, row, key->value, is_new);
	else if (row->kind == OPTION_SPECIAL)
		parts_read_special(text, key->value);
	else if (row->kind == OPTION_STALE)
		parts_read_consistency(text, key->value);
	else
		read_value(text, row, key->value, row->key);
}

static void read_map(struct text *text, const struct tree_node *map, const char *section)
{
	struct config_reader *r = text->reader;
	for (const struct tree_node *key = map->first; key; key = key->next) {
		char full[KEY_MAX];
		int n = snprintf(
			full, sizeof full, "%s%s%s", section, *section ? "." : "", key->text);
		bool is_long = n < 0 || (size_t)n >= sizeof full;
		size_t row = is_long ? OPTIONS_N : find_row(full);
		/* A dot in the key itself would read as a section. */
		if (row < OPTIONS_N && !strchr(key->text, '.')) {
			read_row(text, key, row);
			continue;
		}
		size_t first =
			is_long || *section || key->len == 0 ? OPTIONS_N : find_section(full);
		if (first == OPTIONS_N) {
			complain_unknown(text, key, section);
			continue;
		}
		if (!is_first(text, key, full, &r->sections[first], true))
			continue;
		if (key->value->kind != TREE_MAP)
			tree_complain(&text->tree, key->value, r->complaints,
				"%s: a map is expected", full);
		else
			read_map(text, key->value, full);
	}
}

/* ---- files ---------------------------------------------------------------------------- */

static const struct tree_node *find_includes(const struct text *text)
{
	for (const struct tree_node *key = text->tree.root->first; key; key = key->next)
		if (strcmp(key->text, "include") == 0 && key->value->kind == TREE_LIST)
			return key->value->first;
	return NULL;
}

static void read_includes(struct text *text)
{
	struct config_reader *r = text->reader;
	for (const struct tree_node *n = find_includes(text); n; n = n->next) {
		if (n->kind != TREE_WORD || n->len == 0) {
			tree_complain(&text->tree, n, r->complaints,
				"include: the path of a file is expected");
			continue;
		}
		if (r->is_alone) {
			tree_complain(&text->tree, n, r->complaints,
				"include: this text stands alone");
			continue;
		}
		const char *path = option_path(&r->config->arena, text->folder, n->text);
		read_file(r, path, text->depth + 1, text, n);
	}
}

/* What the file is not allowed to be; from: the one that includes it. */
static const char *judge_file(
	const struct config_reader *r, const struct tree *tree, unsigned depth)
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

static void read_root(struct text *text)
{
	const struct tree_node *root = text->tree.root;
	if (root && root->kind == TREE_MAP) {
		read_map(text, root, "");
		read_includes(text);
	} else if (root && !(root->kind == TREE_WORD && root->is_plain && root->len == 0)) {
		tree_complain(&text->tree, root, text->reader->complaints,
			"a map of keys is expected, as in 'zones: [ ... ]'");
	}
	tree_fini(&text->tree);
}

static void read_file(struct config_reader *r, const char *path, unsigned depth,
	const struct text *from, const struct tree_node *node)
{
	struct text text = { .reader = r, .path = path, .depth = depth };
	if (tree_read(&text.tree, path, r->complaints) < 0)
		return;
	const char *reason = judge_file(r, &text.tree, depth);
	if (reason && from) {
		tree_complain(
			&from->tree, node, r->complaints, "include: %s: %s", path, reason);
		tree_fini(&text.tree);
		return;
	}
	text.folder = folder_of(&r->config->arena, path);
	r->files[r->files_n++] = (struct config_seen){ text.tree.dev, text.tree.ino };
	read_root(&text);
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
		bool is_map = kind == OPTION_SPECIAL || kind == OPTION_STALE;
		if (option_is_words(kind) || !(is_list(kind) || is_map))
			set_default(config, &option_rows[i]);
	}
	config->workers = count_cores();
	config->control = config->hints = "";
	config->tls_certificate = config->tls_key = "";
	config->tls_client_ca = config->tls_client_crl = "";
}

static struct config_reader *start(struct complaints *complaints)
{
	struct config_reader *r = mem_new(sizeof *r);
	r->config = mem_new(sizeof *r->config);
	r->config->places = mem_array(OPTIONS_N, sizeof *r->config->places);
	r->complaints = complaints;
	set_defaults(r->config);
	return r;
}

/* before: how many errors there were. */
static struct config *end(struct config_reader *r, size_t before)
{
	struct config *config = r->config;
	if (!config->has_own_chain)
		links_set_default(r);
	if (r->complaints->errors > before)
		config_free(&config);
	mem_free(r);
	return config;
}

struct config *config_read(const char *path, struct complaints *complaints)
{
	size_t before = complaints->errors;
	struct config_reader *r = start(complaints);
	read_file(r, arena_text(&r->config->arena, path, strlen(path)), 0, NULL, NULL);
	return end(r, before);
}

struct config *config_read_text(
	const char *name, const char *text, size_t n, struct complaints *complaints)
{
	size_t before = complaints->errors;
	struct config_reader *r = start(complaints);
	const char *path = arena_text(&r->config->arena, name, strlen(name));
	struct text alone = { .reader = r, .path = path, .folder = "" };
	r->is_alone = true;
	if (tree_read_text(&alone.tree, path, text, n, complaints) == 0)
		read_root(&alone);
	return end(r, before);
}

struct config_place config_place_of(const struct config *config, const char *key)
{
	size_t i = find_row(key);
	must(i < OPTIONS_N);
	return config->places[i];
}

void config_free(struct config **config)
{
	if (!*config)
		return;
	arena_fini(&(*config)->arena);
	mem_free((*config)->zones);
	mem_free((*config)->stubs);
	mem_free((*config)->specials);
	mem_free((*config)->places);
	mem_free(*config);
	*config = NULL;
}

static bool is_same(const struct option *row, const void *a, const void *b)
{
	if (row->kind == OPTION_NUMBER || row->kind == OPTION_SIZE)
		return *(const uint64_t *)a == *(const uint64_t *)b;
	if (row->kind == OPTION_ADDRS || row->kind == OPTION_ADDRS_TLS) {
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

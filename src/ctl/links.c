/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"
#include "base/near.h"
#include "chain/load.h"
#include "ctl/reader.h"
#include "links/links.h"

#include <stdio.h>
#include <string.h>

enum {
	WORDS_MAX = 48,     /* keys of a link: its own and those that all have */
	PLACE_MAX = 32,     /* ":line:column" */
	ENTRIES_MAX = 4096, /* of a list */
	ZONES_MAX = 10000
};

/* The chain of a file that says none; see doc/CHAIN.md. */
static const char default_chain[] =
	"- browser: { kind: cache, ttl-max: 60s }\n"
	"- os: { kind: hosts, files: [/etc/hosts], ttl-max: 5m }\n"
	"- router: { kind: forward, to: [network], zones: [local] }\n"
	"- isp: { kind: forward, to: [] }\n"
	"- root: { kind: recurse }\n";

static const struct link *const kinds[] = { &link_hosts, &link_forward, &link_recurse };

static const char *const common_words[] = { "kind", "ttl-max", "budget", "on-fail", "zones" };
enum {
	WORD_KIND,
	WORD_TTL_MAX,
	WORD_BUDGET,
	WORD_ON_FAIL,
	WORD_ZONES,
	COMMON_WORDS
};

struct link_reader {
	struct text *text;
	struct config_link *link;
};

static void digest(struct config_link *link, const void *bytes, size_t n)
{
	struct hash_key key = { link->digest, n };
	link->digest = hash_sip(&key, bytes, n, 2, 4);
}

/* All that is said of a link, so that saying something else makes it another. */
static void digest_node(struct config_link *link, const struct tree_node *node)
{
	digest(link, &node->kind, sizeof node->kind);
	if (node->kind == TREE_WORD)
		digest(link, node->text, node->len);
	for (const struct tree_node *at = node->first; at; at = at->next) {
		if (node->kind == TREE_MAP)
			digest(link, at->text, at->len);
		digest_node(link, node->kind == TREE_MAP ? at->value : at);
	}
}

/* ---- the options of a kind ---- */

static struct option row_of(const struct link_option *row)
{
	static const enum option_kind kind[] = { [LINK_OPTION_TEXT] = OPTION_TEXT,
		[LINK_OPTION_TEXTS] = OPTION_TEXT,
		[LINK_OPTION_PATHS] = OPTION_PATH,
		[LINK_OPTION_DURATION] = OPTION_DURATION,
		[LINK_OPTION_NUMBER] = OPTION_NUMBER,
		[LINK_OPTION_BOOL] = OPTION_BOOL };
	bool is_text = row->kind == LINK_OPTION_TEXT || row->kind == LINK_OPTION_TEXTS;
	return (struct option){ .key = row->key,
		.kind = kind[row->kind],
		.min = row->min,
		.max = is_text ? 1024 : row->max };
}

static const char *place_of(struct text *text, const struct tree_node *node)
{
	size_t size = strlen(text->path) + PLACE_MAX;
	char *place = arena_new(&text->reader->config->arena, size);
	(void)snprintf(place, size, "%s:%u:%u", text->path, node->line, node->column);
	return place;
}

/* n words from first on. */
static bool read_entries(struct text *text, const struct link_option *row,
	const struct tree_node *first, size_t n, struct link_value *value)
{
	struct option option = row_of(row);
	struct arena *arena = &text->reader->config->arena;
	const char **texts = arena_new(arena, (n + 1) * sizeof *texts);
	const char **places = arena_new(arena, (n + 1) * sizeof *places);
	const struct tree_node *node = first;
	for (size_t i = 0; i < n; i++, node = node->next) {
		if (!text_read_word(text, &option, node, row->key, &texts[i]))
			return false;
		places[i] = place_of(text, node);
	}
	value->n = n;
	value->texts = texts;
	value->places = places;
	return true;
}

static bool read_link_value(struct text *text, const struct link_option *row,
	const struct tree_node *node, struct link_value *value)
{
	struct option option = row_of(row);
	if (row->kind == LINK_OPTION_TEXT)
		return read_entries(text, row, node, 1, value);
	if (row->kind == LINK_OPTION_BOOL) {
		bool is_true = false;
		bool is_good = text_read_word(text, &option, node, row->key, &is_true);
		value->number = is_true;
		return is_good;
	}
	if (row->kind != LINK_OPTION_TEXTS && row->kind != LINK_OPTION_PATHS)
		return text_read_word(text, &option, node, row->key, &value->number);
	if (node->kind != TREE_LIST) {
		text_complain(text, node, "%s: a list is expected: [ ... ]", row->key);
		return false;
	}
	size_t n = 0, most = row->max && row->max < ENTRIES_MAX ? row->max : ENTRIES_MAX;
	for (const struct tree_node *at = node->first; at; at = at->next)
		n++;
	if (n > most) {
		text_complain(text, node, "%s: over %zu entries", row->key, most);
		return false;
	}
	return read_entries(text, row, node->first, n, value);
}

static bool read_fallback(
	struct text *text, const struct link_option *row, struct link_value *value)
{
	struct text own = { .reader = text->reader, .path = "default", .folder = "" };
	bool is_good = tree_read_text(&own.tree, row->key, row->fallback, strlen(row->fallback),
			       text->reader->complaints) == 0 &&
		       own.tree.root && read_link_value(&own, row, own.tree.root, value);
	tree_fini(&own.tree);
	return is_good;
}

static void read_options(const struct link_reader *r, const struct tree_node *const *said)
{
	const struct link *kind = r->link->kind;
	size_t n = kind ? kind->options_n : 0;
	r->link->values =
		arena_new(&r->text->reader->config->arena, (n + 1) * sizeof *r->link->values);
	for (size_t i = 0; i < n; i++) {
		const struct link_option *row = &kind->options[i];
		struct link_value *value = &r->link->values[i];
		value->is_given = said[i] != NULL;
		if (said[i])
			(void)read_link_value(r->text, row, said[i], value);
		else if (row->fallback)
			(void)read_fallback(r->text, row, value);
	}
}

/* ---- what all links have ---- */

static void read_zones(const struct link_reader *r, const struct tree_node *list)
{
	struct config_link *link = r->link;
	size_t n = 0;
	if (list->kind != TREE_LIST || !list->first) {
		text_complain(
			r->text, list, "zones: a list of names is expected: [ corp.example. ]");
		return;
	}
	for (const struct tree_node *node = list->first; node; node = node->next)
		n++;
	if (n > ZONES_MAX) {
		text_complain(r->text, list, "zones: over %d names", ZONES_MAX);
		return;
	}
	link->has_zones = true;
	link->zones = arena_new(&r->text->reader->config->arena, n * sizeof *link->zones);
	for (const struct tree_node *node = list->first; node; node = node->next) {
		if (node->kind == TREE_WORD && strcmp(node->text, "local") == 0) {
			link->has_local = true;
			continue;
		}
		const uint8_t *name = text_read_name(r->text, node, "zones");
		if (name)
			link->zones[link->zones_n++] = name;
	}
}

static void read_common(const struct link_reader *r, const struct tree_node *const *said)
{
	static const char *const on_fail[] = { "next", "stop" };
	static const struct option rows[] = {
		{ .key = "ttl-max", .kind = OPTION_DURATION, .max = 7ull * 24 * 3600 * 1000 },
		{ .key = "budget", .kind = OPTION_DURATION, .min = 1, .max = 30000 },
		{ .key = "on-fail", .kind = OPTION_WORD, .max = 1, .words = on_fail },
	};
	struct config_link *link = r->link;
	uint64_t stops = 0;
	if (said[WORD_TTL_MAX])
		link->has_ttl_max = text_read_word(
			r->text, &rows[0], said[WORD_TTL_MAX], "ttl-max", &link->ttl_max_ms);
	if (said[WORD_BUDGET])
		(void)text_read_word(
			r->text, &rows[1], said[WORD_BUDGET], "budget", &link->budget_ms);
	if (said[WORD_ZONES])
		read_zones(r, said[WORD_ZONES]);
	/* No private name, and no question meant for few, falls to a link further out. */
	stops = link->has_zones;
	if (said[WORD_ON_FAIL])
		(void)text_read_word(r->text, &rows[2], said[WORD_ON_FAIL], "on-fail", &stops);
	link->stops = stops;
}

/* ---- a link ---- */

static bool load_plugin(const struct link_reader *r, const struct tree_node *node)
{
	struct arena *arena = &r->text->reader->config->arena;
	struct err err;
	const char *path = option_path(arena, r->text->folder, node->text);
	r->link->kind = chain_plugin_load(path, &err);
	if (!r->link->kind) {
		text_complain(r->text, node, "kind: %s", err.text);
		return false;
	}
	for (size_t i = 0; i < r->link->kind->options_n; i++)
		for (size_t j = 0; j < COMMON_WORDS; j++)
			if (strcmp(r->link->kind->options[i].key, common_words[j]) == 0) {
				text_complain(r->text, node,
					"kind: %s: its option %s is one that all links have",
					path, common_words[j]);
				return false;
			}
	return true;
}

static bool find_kind(const struct link_reader *r, const struct tree_node *node)
{
	const char *names[array_len(kinds) + 1] = { "cache" };
	for (size_t i = 0; i < array_len(kinds); i++)
		names[i + 1] = kinds[i]->kind;
	if (node->kind != TREE_WORD) {
		text_complain(r->text, node, "kind: one word is expected");
		return false;
	}
	r->link->kind_text = arena_text(&r->text->reader->config->arena, node->text, node->len);
	if (strchr(node->text, '/') && !r->text->reader->is_alone)
		return load_plugin(r, node);
	r->link->kind = chain_kind(kinds, array_len(kinds), node->text);
	if (r->link->kind || strcmp(node->text, "cache") == 0)
		return true;
	const char *near = near_find(node->text, names, array_len(names));
	text_complain(r->text, node,
		"kind: '%.40s' is none of cache, hosts, forward, recurse, or a path to a "
		"plugin%s%s%s",
		node->text, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return false;
}

/* A word that stands in tables and options: letters, digits and hyphens. */
static bool is_link_name(const char *name, size_t len)
{
	return len > 0 && len < CHAIN_NAME &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

static bool is_new_link(struct text *text, const struct tree_node *key)
{
	const struct config *config = text->reader->config;
	for (size_t i = 0; i < config->links_n; i++)
		if (strcmp(config->links[i].name, key->text) == 0) {
			text_complain(text, key,
				"chain: there is a link '%s' already, in %s:%u", key->text,
				config->links[i].place.file, config->links[i].place.line);
			return false;
		}
	if (!is_link_name(key->text, key->len)) {
		text_complain(text, key,
			"chain: the name of a link is 1 to %d of a-z, 0-9, - and _",
			CHAIN_NAME - 1);
		return false;
	}
	if (config->links_n == CHAIN_LINKS) {
		text_complain(text, key, "chain: over %d links", CHAIN_LINKS);
		return false;
	}
	return true;
}

static const struct tree_node *find_key(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map->first;
	while (node && strcmp(node->text, key) != 0)
		node = node->next;
	return node ? node->value : NULL;
}

static void read_link(const struct link_reader *r, const struct tree_node *map)
{
	const char *list[WORDS_MAX], *has = "it has kind, ttl-max, budget, on-fail, zones";
	const struct tree_node *said[WORDS_MAX] = { NULL };
	const struct tree_node *kind = find_key(map, "kind");
	char what[CHAIN_NAME + 32];
	if (!kind) {
		text_complain(r->text, map, "chain: link %s: kind is missing", r->link->name);
		return;
	}
	if (!find_kind(r, kind))
		return;
	size_t n = COMMON_WORDS;
	memcpy(list, common_words, sizeof common_words);
	for (size_t i = 0; r->link->kind && i < r->link->kind->options_n && n < WORDS_MAX; i++)
		list[n++] = r->link->kind->options[i].key;
	(void)snprintf(what, sizeof what, "a link of kind %.30s", r->link->kind_text);
	const struct words words = { what, has, n, list };
	if (!text_read_map(r->text, map, &words, said))
		return;
	digest_node(r->link, map);
	read_common(r, said);
	read_options(r, said + COMMON_WORDS);
}

void links_read(struct text *text, const struct tree_node *node)
{
	struct config *config = text->reader->config;
	const struct tree_node *key = node->kind == TREE_MAP ? node->first : NULL;
	if (!key || key->next || key->value->kind != TREE_MAP) {
		text_complain(text, key && key->next ? key->next : node,
			"chain: a link is expected: - NAME: { kind: ... }");
		return;
	}
	if (!is_new_link(text, key))
		return;
	struct config_link *link = &config->links[config->links_n++];
	struct link_reader r = { text, link };
	(void)snprintf(link->name, sizeof link->name, "%s", key->text);
	link->place = (struct config_place){ text->path, key->line, key->column };
	digest(link, key->text, key->len);
	read_link(&r, key->value);
}

void links_set_default(struct config_reader *reader)
{
	struct text text = { .reader = reader, .path = "the default chain", .folder = "" };
	if (tree_read_text(&text.tree, text.path, default_chain, sizeof default_chain - 1,
		    reader->complaints) < 0)
		return;
	for (const struct tree_node *node = text.tree.root->first; node; node = node->next)
		links_read(&text, node);
	tree_fini(&text.tree);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/near.h"
#include "ctl/reader.h"
#include "wire/name.h"

#include <string.h>

enum {
	SPECIALS_MAX = 256,
	STUBS_MAX = 1024
};

bool text_read_map(struct text *text, const struct tree_node *map, const struct words *words,
	const struct tree_node **out)
{
	size_t before = text->reader->complaints->errors;
	for (const struct tree_node *key = map->first; key; key = key->next) {
		size_t i = 0;
		while (i < words->n && strcmp(words->list[i], key->text) != 0)
			i++;
		if (i == words->n) {
			const char *near = near_find(key->text, words->list, words->n);
			text_complain(text, key, "unknown key '%.40s' of %s; %s%s%s", key->text,
				words->what, near ? "did you mean '" : words->has,
				near ? near : "", near ? "'?" : "");
		} else if (out[i]) {
			text_complain(text, key, "'%s' is said twice; first in line %u",
				words->list[i], out[i]->line);
		} else {
			out[i] = key->value;
		}
	}
	return text->reader->complaints->errors == before;
}

static bool is_word(struct text *text, const struct tree_node *node, const char *key)
{
	if (!node || (node->kind == TREE_WORD && node->len))
		return true;
	text_complain(text, node, "%s: one word is expected", key);
	return false;
}

const uint8_t *text_read_name(struct text *text, const struct tree_node *node, const char *key)
{
	struct name name;
	struct err err;
	if (!is_word(text, node, key))
		return NULL;
	if (name_from_text(&name, node->text, node->len, NULL, &err) < 0) {
		text_complain(text, node, "%s: %s", key, err.text);
		return NULL;
	}
	uint8_t *stored = arena_new(&text->reader->config->arena, name.len);
	name_lower(stored, name.bytes, name.len);
	return stored;
}

/* ---- zones ---- */

static const char *const zone_words[] = { "name", "file", "folder" };
enum {
	ZONE_NAME,
	ZONE_FILE,
	ZONE_FOLDER,
	ZONE_WORDS
};
static const struct words zone_map = { "a zone", "it has name and file, or folder", ZONE_WORDS,
	zone_words };

static bool is_whole_zone(struct text *text, const struct tree_node *map,
	const struct tree_node *const words[ZONE_WORDS])
{
	bool has_name = words[ZONE_NAME], has_file = words[ZONE_FILE];
	if (words[ZONE_FOLDER] && (has_name || has_file)) {
		text_complain(
			text, words[ZONE_FOLDER], "a zone has either name and file, or folder");
		return false;
	}
	if (!words[ZONE_FOLDER] && !(has_name && has_file)) {
		text_complain(text, map, "a zone has name and file, or folder: %s",
			has_name   ? "file is missing"
			: has_file ? "name is missing"
				   : "neither is here");
		return false;
	}
	return true;
}

static struct config_zone *new_zone(struct config_reader *r)
{
	struct config *config = r->config;
	if (config->zones_n == r->zones_size) {
		r->zones_size = r->zones_size ? 2 * r->zones_size : 8;
		config->zones =
			mem_grow(config->zones, r->zones_size * sizeof config->zones[0]);
	}
	return &config->zones[config->zones_n++];
}

void parts_read_zone(struct text *text, const struct tree_node *map)
{
	const struct tree_node *words[ZONE_WORDS] = { NULL };
	bool is_good = true;
	if (map->kind != TREE_MAP) {
		text_complain(text, map,
			"a zone is expected: { name: ..., file: ... } or { folder: ... }");
		return;
	}
	if (!text_read_map(text, map, &zone_map, words))
		return;
	for (size_t i = 0; i < ZONE_WORDS; i++)
		is_good = is_word(text, words[i], zone_words[i]) && is_good;
	if (!is_good || !is_whole_zone(text, map, words))
		return;
	const struct tree_node *said = words[ZONE_NAME];
	const uint8_t *name = said ? text_read_name(text, said, "name") : NULL;
	if (said && !name)
		return;
	said = said ? said : words[ZONE_FOLDER];
	const char *path = name ? words[ZONE_FILE]->text : said->text;
	*new_zone(text->reader) = (struct config_zone){
		.name = name,
		.path = option_path(&text->reader->config->arena, text->folder, path),
		.file = text->path,
		.line = said->line,
		.column = said->column,
	};
}

/* ---- stub zones ---- */

static const char *const stub_words[] = { "zone", "to", "first" };
enum {
	STUB_ZONE,
	STUB_TO,
	STUB_FIRST,
	STUB_WORDS
};
static const struct words stub_map = { "a stub zone", "it has zone, to, first", STUB_WORDS,
	stub_words };

static bool read_stub_to(
	struct text *text, struct config_stub *stub, const struct tree_node *list)
{
	static const struct option row = { .key = "to", .kind = OPTION_ADDRS };
	if (list->kind != TREE_LIST || !list->first) {
		text_complain(
			text, list, "to: a list of addresses is expected: [ 192.0.2.1@53 ]");
		return false;
	}
	for (const struct tree_node *node = list->first; node; node = node->next) {
		if (!text_read_word(text, &row, node, "to", &stub->to))
			return false;
		if (stub->to.n > RESOLVE_SERVERS_MAX) {
			text_complain(text, node, "to: over %d addresses", RESOLVE_SERVERS_MAX);
			return false;
		}
	}
	return true;
}

static bool is_stub_known(const struct config *config, const uint8_t *name)
{
	for (size_t i = 0; i < config->stubs_n; i++)
		if (name_is_equal(config->stubs[i].name, name))
			return true;
	return false;
}

void parts_read_stub(struct text *text, const struct tree_node *map)
{
	static const struct option row = { .key = "first", .kind = OPTION_BOOL };
	struct config *config = text->reader->config;
	const struct tree_node *words[STUB_WORDS] = { NULL };
	struct config_stub stub = { 0 };
	if (map->kind != TREE_MAP) {
		text_complain(text, map, "a stub zone is expected: { zone: ..., to: [ ... ] }");
		return;
	}
	if (!text_read_map(text, map, &stub_map, words))
		return;
	if (!words[STUB_ZONE] || !words[STUB_TO]) {
		text_complain(text, map, "a stub zone has zone and to: %s is missing",
			words[STUB_ZONE] ? "to" : "zone");
		return;
	}
	stub.name = text_read_name(text, words[STUB_ZONE], "zone");
	if (!stub.name || !read_stub_to(text, &stub, words[STUB_TO]))
		return;
	if (words[STUB_FIRST] &&
		!text_read_word(text, &row, words[STUB_FIRST], "first", &stub.is_first))
		return;
	if (is_stub_known(config, stub.name)) {
		text_complain(text, words[STUB_ZONE], "zone: there is this stub already");
		return;
	}
	if (config->stubs_n == STUBS_MAX) {
		text_complain(text, words[STUB_ZONE], "zone: over %d stub zones", STUBS_MAX);
		return;
	}
	config->stubs = mem_grow(config->stubs, (config->stubs_n + 1) * sizeof stub);
	config->stubs[config->stubs_n++] = stub;
}

/* ---- special-use names ---- */

static void read_special(struct text *text, const struct tree_node *key)
{
	struct config *config = text->reader->config;
	struct config_special special = { .place = { text->path, key->line, key->column } };
	const struct tree_node *value = key->value;
	bool is_all = strcmp(key->text, "all") == 0;
	const char *word = value->kind == TREE_WORD ? value->text : "";
	if (is_all && strcmp(word, "off") != 0) {
		text_complain(text, value, "all: off is expected");
		return;
	}
	special.is_local = strcmp(word, "local") == 0;
	if (!is_all && !special.is_local && strcmp(word, "forward") != 0) {
		text_complain(text, value, "%.40s: local or forward is expected", key->text);
		return;
	}
	special.name = is_all ? NULL : text_read_name(text, key, "special-use");
	if (!is_all && !special.name)
		return;
	if (config->specials_n == SPECIALS_MAX) {
		text_complain(text, key, "special-use: over %d names", SPECIALS_MAX);
		return;
	}
	config->specials =
		mem_grow(config->specials, (config->specials_n + 1) * sizeof special);
	config->specials[config->specials_n++] = special;
}

void parts_read_special(struct text *text, const struct tree_node *map)
{
	if (map->kind != TREE_MAP) {
		text_complain(text, map, "special-use: a map is expected: { NAME: forward }");
		return;
	}
	for (const struct tree_node *key = map->first; key; key = key->next) {
		const struct tree_node *before = map->first;
		while (before != key && strcmp(before->text, key->text) != 0)
			before = before->next;
		if (before == key)
			read_special(text, key);
		else
			text_complain(text, key, "'%.40s' is said twice; first in line %u",
				key->text, before->line);
	}
}

/* ---- consistency ---- */

void parts_read_consistency(struct text *text, const struct tree_node *node)
{
	enum {
		BOUND_MAX_MS = 3 * 24 * 3600 * 1000 /* RFC 8767 5: one to three days */
	};
	static const struct option row = {
		.key = "", .kind = OPTION_DURATION, .min = 1000, .max = BOUND_MAX_MS
	};
	static const char *const modes[] = { "strict", "bounded", "available" };
	struct config *config = text->reader->config;
	const struct tree_node *key = node->kind == TREE_MAP ? node->first : NULL;
	if (node->kind == TREE_WORD && strcmp(node->text, "strict") == 0)
		return;
	for (size_t i = 1; key && !key->next && i < array_len(modes); i++)
		if (strcmp(key->text, modes[i]) == 0) {
			config->consistency = (enum consistency)i;
			(void)text_read_word(
				text, &row, key->value, modes[i], &config->stale_ms);
			return;
		}
	text_complain(text, key ? key : node,
		"cache.consistency: strict, { bounded: 1h } or { available: 1d } is expected");
}

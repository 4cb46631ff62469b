/* SPDX-License-Identifier: BSD-2-Clause */
/* reader.h -- what the files that read rootward.yaml share; for config.c and parts.c, links.c
 *
 * What     config.c walks files, sections and rows; parts.c reads the lists and maps that have
 *          a form of their own, links.c the chain.
 */
#pragma once

#include "ctl/config.h"
#include "ctl/option.h"
#include "ctl/tree.h"

struct config_said { /* open: where a key was said first */
	const char *file;
	unsigned line;
};

struct config_seen { /* open: a file that was read */
	uint64_t dev, ino;
};

struct config_reader { /* open */
	struct config *config;
	struct complaints *complaints;
	struct config_said said[OPTIONS_N];     /* of rows */
	struct config_said sections[OPTIONS_N]; /* of sections, by their first row */
	struct config_seen files[CONFIG_FILES_MAX];
	size_t files_n, zones_size;
	bool is_alone; /* no other files are read */
};

struct text { /* open: one file of the configuration */
	struct config_reader *reader;
	struct tree tree;
	const char *path, *folder;
	unsigned depth;
};

/* An error at node, in this file. */
#define text_complain(text, node, ...)                                                         \
	tree_complain(&(text)->tree, node, (text)->reader->complaints, __VA_ARGS__)

/* One word of a row into *slot; key: how it is called in a complaint. False: it is wrong. */
bool text_read_word(struct text *text, const struct option *row, const struct tree_node *node,
	const char *key, void *slot);

/* ---- parts.c */

struct words {            /* open: the keys a map may have */
	const char *what; /* "a zone" */
	const char *has;  /* "it has name and file, or folder" */
	size_t n;
	const char *const *list;
};
/* The values of a map by key into out[words->n]; false when something was wrong with them. */
bool text_read_map(struct text *text, const struct tree_node *map, const struct words *words,
	const struct tree_node **out);
/* A name, in lower case in the configuration's arena; NULL, told, when it is none. */
const uint8_t *text_read_name(struct text *text, const struct tree_node *node, const char *key);

void parts_read_zone(struct text *text, const struct tree_node *node);
void parts_read_stub(struct text *text, const struct tree_node *node);
void parts_read_special(struct text *text, const struct tree_node *map);
void parts_read_consistency(struct text *text, const struct tree_node *node);

/* ---- links.c */
void links_read(struct text *text, const struct tree_node *node);
/* The chain of a file that says none. */
void links_set_default(struct config_reader *reader);

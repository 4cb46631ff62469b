/* SPDX-License-Identifier: BSD-2-Clause */
/* tree.h -- a YAML file as a tree whose every node knows its place
 *
 * What     Only what JSON could say too: words, lists and maps. Aliases, anchors, tags and a
 *          second document are refused; a key that comes twice is the reader's affair.
 * Memory   One arena. Nothing is kept of a file that was refused.
 * Limits   16 MiB, depth 16, 500,000 nodes: counted on events, before anything is built
 *          (hazard C11).
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "base/mem.h"
#include "text/zonefile.h"

enum {
	TREE_FILE_MAX = 16 * 1024 * 1024,
	TREE_DEPTH_MAX = 16,
	TREE_NODES_MAX = 500000
};

enum tree_kind {
	TREE_WORD,
	TREE_LIST,
	TREE_MAP
};

struct tree_node { /* open */
	enum tree_kind kind;
	bool is_plain;         /* a word without quotes */
	uint32_t line, column; /* 1.., in characters as an editor counts them */
	const char *text;      /* of a word; terminated */
	size_t len;
	struct tree_node *first; /* a list's items; a map's keys, which are words */
	struct tree_node *next;
	struct tree_node *value; /* of a key */
};

struct tree { /* open: zero-initialise, tree_fini() */
	struct arena arena;
	const char *file; /* as complaints name it */
	char *bytes;      /* what was read */
	size_t n;
	struct tree_node *root; /* NULL: the file says nothing */
	uint64_t dev, ino;
};

/* 0, or -EINVAL with the reasons in complaints. path must outlive the tree. */
int tree_read(struct tree *tree, const char *path, struct complaints *complaints) CHECKED;
int tree_read_text(struct tree *tree, const char *name, const char *text, size_t n,
	struct complaints *complaints) CHECKED;
void tree_fini(struct tree *tree);

/* An error at node. */
void tree_complain(const struct tree *tree, const struct tree_node *node,
	struct complaints *complaints, const char *fmt, ...) PRINTF(4, 5);

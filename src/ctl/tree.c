/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/tree.h"

#include "text/complain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

struct grow { /* a tree while its events come */
	struct tree *tree;
	struct complaints *complaints;
	struct tree_node *open[TREE_DEPTH_MAX]; /* lists and maps around the next node */
	struct tree_node *last[TREE_DEPTH_MAX]; /* the newest child of each */
	size_t depth, nodes, documents;
};

/* Bytes of the line break at p, 0 for none: the breaks that the parser counts. */
static size_t break_len(const char *p, const char *end)
{
	size_t n = (size_t)(end - p);
	if (n >= 2 && p[0] == '\r' && p[1] == '\n')
		return 2;
	if (n >= 1 && (*p == '\r' || *p == '\n'))
		return 1;
	if (n >= 2 && memcmp(p, "\xc2\x85", 2) == 0)
		return 2;
	if (n >= 3 && (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

static const char *line_find(const struct tree *tree, uint32_t line)
{
	const char *p = tree->bytes, *end = p + tree->n;
	while (line > 1 && p < end) {
		size_t n = break_len(p, end);
		p += n ? n : 1;
		line -= n > 0;
	}
	return p;
}

/* The byte, counted from 1, that the character column is. */
static unsigned byte_column(const char *line, const char *end, uint32_t column)
{
	const char *p = line;
	for (uint32_t i = 1; i < column && p < end && !break_len(p, end); i++)
		do
			p++;
		while (p < end && ((uint8_t)*p & 0xc0) == 0x80);
	return (unsigned)(p - line) + 1;
}

static void complain_at(const struct tree *tree, uint32_t line, uint32_t column,
	struct complaints *complaints, const char *reason)
{
	if (!complain_is_kept(complaints, true)) {
		complaints->errors++;
		return;
	}
	struct place place = { .file = tree->file, .line = line, .column = column };
	if (tree->n) {
		place.line_start = line_find(tree, line);
		place.end = tree->bytes + tree->n;
		place.column = byte_column(place.line_start, place.end, column);
	}
	complain(complaints, true, &place, reason);
}

void tree_complain(const struct tree *tree, const struct tree_node *node,
	struct complaints *complaints, const char *fmt, ...)
{
	struct err err;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(err.text, sizeof err.text, fmt, ap);
	va_end(ap);
	complain_at(tree, node->line, node->column, complaints, err.text);
}

static int refuse(const struct grow *grow, const yaml_mark_t *mark, const char *reason)
{
	complain_at(grow->tree, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1,
		grow->complaints, reason);
	return -EINVAL;
}

/* The parser's own words for a file that is no YAML. */
static int refuse_syntax(const struct grow *grow, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "out of memory";
	char reason[256];
	if (parser->error == YAML_READER_ERROR) {
		/* Told as an offset: bytes that are no text. */
		size_t at = parser->problem_offset < grow->tree->n ? parser->problem_offset
								   : grow->tree->n;
		uint32_t line = 1, column = 1;
		const char *p = grow->tree->bytes, *end = p + at;
		while (p < end) {
			size_t n = break_len(p, end);
			column = n ? 1 : column + (((uint8_t)*p & 0xc0) != 0x80);
			line += n > 0;
			p += n ? n : 1;
		}
		(void)snprintf(reason, sizeof reason, "%s (byte 0x%02x)", problem,
			at < grow->tree->n ? (uint8_t)grow->tree->bytes[at] : 0u);
		complain_at(grow->tree, line, column, grow->complaints, reason);
		return -EINVAL;
	}
	(void)snprintf(reason, sizeof reason, "%s%s%s", parser->context ? parser->context : "",
		parser->context ? ": " : "", problem);
	return refuse(grow, &parser->problem_mark, reason);
}

/* Hangs a node into the list or map that is open. */
static int put_node(struct grow *grow, struct tree_node *node, const yaml_mark_t *mark)
{
	if (grow->depth == 0) {
		grow->tree->root = node;
		return 0;
	}
	struct tree_node *parent = grow->open[grow->depth - 1];
	struct tree_node **last = &grow->last[grow->depth - 1];
	if (parent->kind == TREE_MAP && *last && !(*last)->value) {
		(*last)->value = node;
		return 0;
	}
	if (parent->kind == TREE_MAP && node->kind != TREE_WORD)
		return refuse(grow, mark, "a key must be a word");
	if (*last)
		(*last)->next = node;
	else
		parent->first = node;
	*last = node;
	return 0;
}

static struct tree_node *new_node(
	struct grow *grow, enum tree_kind kind, const yaml_mark_t *mark)
{
	if (++grow->nodes > TREE_NODES_MAX) {
		(void)refuse(grow, mark, "too much in this file: over 500000 words and lists");
		return NULL;
	}
	struct tree_node *node = arena_new(&grow->tree->arena, sizeof *node);
	node->kind = kind;
	node->line = (uint32_t)mark->line + 1;
	node->column = (uint32_t)mark->column + 1;
	return node;
}

static int on_word(struct grow *grow, const yaml_event_t *event)
{
	const yaml_mark_t *mark = &event->start_mark;
	if (event->data.scalar.anchor)
		return refuse(grow, mark, "anchors (&) are not taken: write it out");
	if (event->data.scalar.tag)
		return refuse(grow, mark, "tags (!) are not taken");
	const char *text = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;
	if (memchr(text, 0, n))
		return refuse(grow, mark, "a zero byte in a word");
	struct tree_node *node = new_node(grow, TREE_WORD, mark);
	if (!node)
		return -EINVAL;
	node->text = arena_text(&grow->tree->arena, text, n);
	node->len = n;
	node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return put_node(grow, node, mark);
}

static int on_open(struct grow *grow, const yaml_event_t *event, enum tree_kind kind)
{
	const yaml_mark_t *mark = &event->start_mark;
	bool is_map = kind == TREE_MAP;
	if (is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor)
		return refuse(grow, mark, "anchors (&) are not taken: write it out");
	if (is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag)
		return refuse(grow, mark, "tags (!) are not taken");
	if (grow->depth == TREE_DEPTH_MAX)
		return refuse(grow, mark, "lists and maps within each other: over 16 deep");
	struct tree_node *node = new_node(grow, kind, mark);
	if (!node || put_node(grow, node, mark) < 0)
		return -EINVAL;
	grow->last[grow->depth] = NULL;
	grow->open[grow->depth++] = node;
	return 0;
}

/* 1: the end. */
static int on_event(struct grow *grow, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_DOCUMENT_START_EVENT:
		if (grow->documents++)
			return refuse(grow, &event->start_mark,
				"a second document begins here; one file is one document");
		return 0;
	case YAML_ALIAS_EVENT:
		return refuse(
			grow, &event->start_mark, "aliases (*) are not taken: write it out");
	case YAML_SCALAR_EVENT:
		return on_word(grow, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(grow, event, TREE_LIST);
	case YAML_MAPPING_START_EVENT:
		return on_open(grow, event, TREE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		must(grow->depth > 0);
		grow->depth--;
		return 0;
	}
	return 0;
}

static int parse(struct tree *tree, struct complaints *complaints)
{
	struct grow grow = { .tree = tree, .complaints = complaints };
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser)) {
		complain_at(tree, 1, 1, complaints, "out of memory");
		return -EINVAL;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)tree->bytes, tree->n);
	int rc = 0;
	while (rc == 0) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			rc = refuse_syntax(&grow, &parser);
			break;
		}
		rc = on_event(&grow, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return rc < 0 ? rc : 0;
}

int tree_read_text(struct tree *tree, const char *name, const char *text, size_t n,
	struct complaints *complaints)
{
	tree->file = name;
	/* A byte-order mark would count as a column. */
	size_t skip = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	tree->n = n - skip;
	tree->bytes = mem_text(text + skip, tree->n);
	int rc = parse(tree, complaints);
	if (rc < 0)
		tree_fini(tree);
	return rc;
}

/* All bytes of fd; -errno. */
static int read_all(int fd, char **bytes, size_t *n)
{
	size_t size = 4096, used = 0;
	char *p = mem_new(size);
	for (;;) {
		ssize_t got = read(fd, p + used, size - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || used + (size_t)got > TREE_FILE_MAX) {
			int code = got < 0 ? errno : EFBIG;
			mem_free(p);
			return -code;
		}
		if (got == 0)
			break;
		used += (size_t)got;
		if (used == size)
			p = mem_grow(p, size *= 2);
	}
	*bytes = p;
	*n = used;
	return 0;
}

static int open_file(struct tree *tree, const char *path, struct err *err)
{
	/* Not blocking, so that a FIFO under the file's name holds nobody up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0)
		return err_set(err, -errno, "cannot be read: %s", strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return err_set(err, -EINVAL, "cannot be read: it is not a regular file");
	}
	tree->dev = (uint64_t)st.st_dev;
	tree->ino = (uint64_t)st.st_ino;
	return fd;
}

int tree_read(struct tree *tree, const char *path, struct complaints *complaints)
{
	struct err err;
	struct place place = { .file = path, .line = 1, .column = 1 };
	int fd = open_file(tree, path, &err);
	if (fd < 0) {
		complain(complaints, true, &place, err.text);
		return -EINVAL;
	}
	char *bytes = NULL;
	size_t n = 0;
	int rc = read_all(fd, &bytes, &n);
	(void)close(fd);
	if (rc < 0) {
		(void)err_set(&err, 0, "cannot be read: %s",
			rc == -EFBIG ? "over 16 MiB" : strerror(-rc));
		complain(complaints, true, &place, err.text);
		return -EINVAL;
	}
	if (n == 0) {
		/* As an editor or a full disk leaves it: no reason to take every zone away. */
		mem_free(bytes);
		complain(complaints, true, &place,
			"the file is empty; {} stands for nothing but defaults");
		return -EINVAL;
	}
	rc = tree_read_text(tree, path, bytes, n, complaints);
	mem_free(bytes);
	return rc;
}

void tree_fini(struct tree *tree)
{
	arena_fini(&tree->arena);
	mem_free(tree->bytes);
	*tree = (struct tree){ 0 };
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.h -- what the pieces of the zone file scanner share
 *
 * What     scan: what goes on from file to file. entry: the line being read. Whoever
 *          refuses one fills at and err; the complaint is made in one place, after
 *          the rest of the entry was seen (an open parenthesis explains much).
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "text/rdata.h"
#include "text/source.h"
#include "text/zonefile.h"
#include "wire/name.h"

enum {
	TYPE_SEEN_MAX = 8
};

struct included { /* open */
	uint64_t dev, ino;
};

struct scan { /* open */
	zonefile_record_fn *on_record;
	void *user;
	struct complaints *complaints;
	struct zonefile_files *files; /* or NULL */
	const char *path;             /* of the first file; NULL: no $INCLUDE */
	/* where that lies, links resolved; heap, NULL: not asked yet */
	char *folder;
	bool is_quiet, is_over;
	long records;
	size_t errors, includes, generated, generated_bytes;
	struct included *included;         /* heap; the files read by $INCLUDE so far */
	size_t included_n, included_again; /* bytes of those that came a second time */

	struct name owner; /* of the last record */
	bool has_owner;
	bool has_default, has_stated;
	uint32_t default_ttl, stated_ttl; /* $TTL; the last one a record stated */
	uint16_t last_type; /* of the last record handed on, when it has the same owner */
	uint32_t last_ttl;

	char type_seen[TYPE_SEEN_MAX]; /* the last type word and what it means: most are like
					  the one before */
	size_t type_seen_n;
	uint16_t type_seen_code;

	uint8_t rdata[RDATA_MAX_LEN]; /* last: what is above begins as zero */
};

struct entry {                 /* open */
	struct token owner_at; /* the owner, or the first word when the owner is the last one */
	bool knows_owner, knows_type, has_ttl, has_class;
	bool is_judged; /* on_record said what is in err */
	uint16_t type;
	uint32_t ttl;
	struct token at; /* of the refusal */
	struct err err;
};

int entry_fail(struct entry *entry, const struct token *at, const char *fmt, ...)
	PRINTF(3, 4) CHECKED;
/* The next token; LEX_ERROR has filled the entry. */
enum lex_kind entry_next(struct source *source, struct entry *entry, struct token *token);
/* The end of the line; -EINVAL when there is something else. */
int entry_end(struct source *source, struct entry *entry) CHECKED;
/* A TTL in seconds or with units; -EINVAL with the entry filled. */
int entry_read_ttl(struct entry *entry, const struct token *token, uint32_t *ttl) CHECKED;
/* TTL, class and type from *token on. */
int entry_read_type(struct scan *scan, struct source *source, struct entry *entry,
	struct token *token) CHECKED;
/* The owner in text becomes the scan's. */
int entry_read_owner(struct scan *scan, const struct source *source, struct entry *entry,
	const char *text, size_t n) CHECKED;
/* Hands on the record with scan->rdata[0..n-1]. */
int entry_emit(
	struct scan *scan, const struct source *source, struct entry *entry, size_t n) CHECKED;
/* Makes the complaint: the entry's err at its at. */
void entry_tell(struct scan *scan, const struct source *source, const struct entry *entry,
	bool is_error);
/* All entries of a source, till its end. */
void scan_source(struct scan *scan, struct source *source);

/* directive.c: the line that begins with the word at token, a '$' in front. */
int directive_read(struct scan *scan, struct source *source, struct entry *entry,
	const struct token *token) CHECKED;

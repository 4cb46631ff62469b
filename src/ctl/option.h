/* SPDX-License-Identifier: BSD-2-Clause */
/* option.h -- every key of rootward.yaml, one row each
 *
 * What     The row is parser, default, check, `rootward --show-options` and the manual page.
 * Threads  Pure.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>

enum option_kind {
	OPTION_BOOL,      /* bool */
	OPTION_NUMBER,    /* uint64_t */
	OPTION_SIZE,      /* uint64_t, bytes: 64MB */
	OPTION_DURATION,  /* uint64_t, milliseconds: 1h30m */
	OPTION_TEXT,      /* const char *, at most max bytes */
	OPTION_PATH,      /* const char *, counted from the file's folder */
	OPTION_WORD,      /* uint64_t, the index into words */
	OPTION_ADDRS,     /* struct addrs; port 53 unless said */
	OPTION_ADDRS_TLS, /* the same; port 853 */
	OPTION_ZONES,     /* a list of maps, see config.c */
	OPTION_INCLUDE,   /* a list of files */
	OPTION_ACCESS,    /* struct config_access */
	OPTION_STUBS,     /* a list of maps, see parts.c */
	OPTION_SPECIAL,   /* a map from names, see parts.c */
	OPTION_STALE,     /* enum consistency and a time, see parts.c */
	OPTION_LINKS,     /* a list of links, see links.c */
	OPTION_ABSENT,    /* known, but not in this version */
};

struct option {          /* open */
	const char *key; /* server.listen */
	enum option_kind kind;
	bool needs_restart;   /* a reload cannot change it */
	size_t offset;        /* in struct config */
	const char *fallback; /* the default as the file would say it; NULL: see help */
	uint64_t min, max;
	const char *const *words; /* of OPTION_WORD, max + 1 of them */
	const char *help;         /* one sentence */
};

enum {
	OPTIONS_N = 44
};
extern const struct option option_rows[OPTIONS_N];

/* Reads one word into the row's value at *slot (of the type named above). folder: what a
 * relative path counts from. -EINVAL with the reason in err. */
struct option_word { /* open: what the file says */
	const char *text;
	size_t len;
	bool is_plain; /* without quotes */
	const char *folder;
};
int option_read(const struct option *row, const struct option_word *word, void *slot,
	struct arena *arena, struct err *err) CHECKED;
/* A list of words, each read by option_read() into the same slot. */
static inline bool option_is_words(enum option_kind kind)
{
	return kind == OPTION_ADDRS || kind == OPTION_ADDRS_TLS || kind == OPTION_ACCESS;
}
/* A path as the file means it. */
const char *option_path(struct arena *arena, const char *folder, const char *path);
/* What the value may be, for a reader: "10ms..1d". Returns out. */
const char *option_range(char *out, size_t size, const struct option *row);
/* All rows as a table, or as the part of the manual page made from them. */
void option_show(FILE *out, bool as_manual);

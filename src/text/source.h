/* SPDX-License-Identifier: BSD-2-Clause */
/* source.h -- a text being scanned: memory, or a file seen through a window
 *
 * What     A file is read through a window that always holds the next record whole,
 *          so that a file of any size costs two megabytes. Knows which files a zone
 *          was made of, and keeps $INCLUDE inside the zone's folder.
 * Limits   A record with its comments is at most SOURCE_RECORD_MAX bytes of text.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "text/lex.h"
#include "text/zonefile.h"
#include "wire/name.h"

enum {
	SOURCE_RECORD_MAX = 1024 * 1024
};

struct source { /* open: the scan moves lex and origin on */
	struct lex lex;
	const char *name;    /* as complaints call it */
	struct name origin;  /* what relative names of this text are completed with */
	struct source *from; /* the text whose $INCLUDE led here, or NULL */
	unsigned depth;      /* of $INCLUDE */
	bool is_begun;       /* the window was filled once */
	bool is_whole;       /* nothing is left to be read behind the window */
	int fd;              /* -1: text in memory */
	uint64_t dev, ino, size;
	char *path, *window; /* heap */
	size_t window_n;
};

void source_text(struct source *source, const char *name, const char *text, size_t n);
/* Opens the file at path; path is copied. real: what to open instead, symbolic links resolved,
 * or NULL. files (may be NULL) gets its row even when it cannot be read. */
int source_open(struct source *source, const char *path, const char *real,
	struct zonefile_files *files, struct err *err) CHECKED;
/* Notes a file that is not opened, so that its coming or change is seen. */
void source_note(struct zonefile_files *files, const char *path);
void source_close(struct source *source);
/* At the start of a line: makes the window hold the next record. -EIO when the file cannot be
 * read. */
int source_fill(struct source *source, struct err *err) CHECKED;

/* The folder a file lies in, symbolic links of the folder resolved; heap, or NULL when it is
 * not there. */
char *source_folder(const char *path) CHECKED;
/* Resolves what a $INCLUDE in from names to *path (as written) and *real (resolved, inside
 * folder); heap, the caller's. -EINVAL with the reason; *path is set even then, unless it is
 * too long. */
int source_resolve(char **path, char **real, const struct source *from, const char *folder,
	const char *text, size_t n, struct err *err) CHECKED;

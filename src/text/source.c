/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/source.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WINDOW_MAX =
		2 * SOURCE_RECORD_MAX, /* refilled when less than a longest record is left */
	WINDOW_MIN = 4096,
};

static uint64_t ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_nsec;
}

/* st NULL: the file is not there, which is a state to compare with too. */
static void stat_fill(struct zonefile_stat *out, const struct stat *st)
{
	char *path = out->path;
	*out = (struct zonefile_stat){ .path = path };
	if (!st)
		return;
	out->dev = (uint64_t)st->st_dev;
	out->ino = (uint64_t)st->st_ino;
	out->size = (uint64_t)st->st_size;
	out->mtime_ns = ns_of(&st->st_mtim);
	out->ctime_ns = ns_of(&st->st_ctim);
}

static void files_put(struct zonefile_files *files, const char *path, const struct stat *st)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->n; i++)
		if (st && files->list[i].ino == (uint64_t)st->st_ino &&
			strcmp(files->list[i].path, path) == 0)
			return;
	if ((files->n & (files->n - 1)) == 0)
		files->list = mem_grow(
			files->list, (files->n ? 2 * files->n : 1) * sizeof files->list[0]);
	struct zonefile_stat *row = &files->list[files->n++];
	row->path = mem_text(path, strlen(path));
	stat_fill(row, st);
}

void zonefile_files_fini(struct zonefile_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		mem_free(files->list[i].path);
	mem_free(files->list);
	*files = (struct zonefile_files){ 0 };
}

bool zonefile_files_changed(const struct zonefile_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct zonefile_stat *was = &files->list[i];
		struct zonefile_stat is = { 0 };
		struct stat st;
		stat_fill(&is, stat(was->path, &st) == 0 ? &st : NULL);
		if (is.dev != was->dev || is.ino != was->ino || is.size != was->size ||
			is.mtime_ns != was->mtime_ns || is.ctime_ns != was->ctime_ns)
			return true;
	}
	return false;
}

void source_text(struct source *source, const char *name, const char *text, size_t n)
{
	*source = (struct source){ .name = name, .fd = -1, .is_whole = true };
	lex_init(&source->lex, text, n);
}

void source_note(struct zonefile_files *files, const char *path)
{
	struct stat st;
	files_put(files, path, stat(path, &st) == 0 ? &st : NULL);
}

int source_open(struct source *source, const char *path, const char *real,
	struct zonefile_files *files, struct err *err)
{
	*source = (struct source){ .fd = -1 };
	/* Not blocking, so that a FIFO under the name of a zone holds nobody up. */
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (real ? O_NOFOLLOW : 0);
	int fd = open(real ? real : path, flags);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		int code = errno;
		if (fd >= 0)
			(void)close(fd);
		files_put(files, path, NULL);
		return err_set(err, -code, "cannot read '%s': %s", path, strerror(code));
	}
	files_put(files, path, &st);
	if (!S_ISREG(st.st_mode)) {
		(void)close(fd);
		return err_set(
			err, -EINVAL, "cannot read '%s': it is not a regular file", path);
	}
	source->fd = fd;
	source->dev = (uint64_t)st.st_dev;
	source->ino = (uint64_t)st.st_ino;
	source->size = (uint64_t)st.st_size;
	source->path = mem_text(path, strlen(path));
	source->name = source->path;
	source->window_n = WINDOW_MIN;
	if (st.st_size >= WINDOW_MAX)
		source->window_n = WINDOW_MAX;
	else if (st.st_size >= WINDOW_MIN)
		source->window_n = (size_t)st.st_size + 1;
	source->window = mem_try(source->window_n);
	if (!source->window) {
		source_close(source);
		return err_set(err, -ENOMEM, "no memory to read '%s'", path);
	}
	lex_init(&source->lex, source->window, 0);
	return 0;
}

void source_close(struct source *source)
{
	if (source->fd >= 0)
		(void)close(source->fd);
	mem_free(source->window);
	mem_free(source->path);
	*source = (struct source){ .fd = -1 };
}

/* Moves what is left to the front of the window, which grows when that leaves no room. */
static int window_room(struct source *source, size_t left)
{
	struct lex *lex = &source->lex;
	memmove(source->window, lex->p, left);
	if (left == source->window_n) {
		char *window = mem_try_grow(source->window, WINDOW_MAX);
		if (!window)
			return -ENOMEM;
		source->window = window;
		source->window_n = WINDOW_MAX;
	}
	lex->p = lex->line_start = source->window;
	lex->end = lex->p + left;
	return 0;
}

/* An editor's mark of UTF-8 at the start of a file is no part of the first owner. */
static void mark_skip(struct lex *lex)
{
	if (lex->end - lex->p >= 3 && memcmp(lex->p, "\xef\xbb\xbf", 3) == 0) {
		lex->p += 3;
		lex->line_start = lex->p;
	}
}

int source_fill(struct source *source, struct err *err)
{
	struct lex *lex = &source->lex;
	while (!source->is_whole && (size_t)(lex->end - lex->p) < SOURCE_RECORD_MAX) {
		size_t left = (size_t)(lex->end - lex->p);
		if (window_room(source, left) < 0)
			return err_set(err, -ENOMEM, "no memory to read the file");
		ssize_t n = read(source->fd, source->window + left, source->window_n - left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -EIO, "cannot read the file: %s", strerror(errno));
		source->is_whole = n == 0;
		lex->end += n;
	}
	if (!source->is_begun)
		mark_skip(lex);
	source->is_begun = true;
	return 0;
}

char *source_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_text(path, slash == path ? 1 : (size_t)(slash - path))
			     : mem_text(".", 1);
	char real[PATH_MAX];
	bool is_there = realpath(folder, real) != NULL;
	mem_free(folder);
	return is_there ? mem_text(real, strlen(real)) : NULL;
}

static bool is_inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	if (n == 1) /* the root folder */
		return true;
	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

int source_resolve(char **path, char **real, const struct source *from, const char *folder,
	const char *text, size_t n, struct err *err)
{
	*path = *real = NULL;
	const char *slash = n > 0 && text[0] == '/' ? NULL : strrchr(from->path, '/');
	size_t folder_n = slash ? (size_t)(slash + 1 - from->path) : 0;
	if (n == 0 || folder_n + n >= PATH_MAX)
		return err_set(err, -EINVAL, "the name of the file to include is %s",
			n ? "too long" : "empty");
	char *joined = mem_new(folder_n + n + 1);
	memcpy(joined, from->path, folder_n);
	memcpy(joined + folder_n, text, n);
	*path = joined;

	char resolved[PATH_MAX];
	if (!realpath(joined, resolved))
		return err_set(err, -EINVAL, "cannot read '%s': %s", joined, strerror(errno));
	if (!is_inside(resolved, folder))
		return err_set(err, -EINVAL,
			"'%s' lies outside the folder of the zone file, '%s'", joined, folder);
	*real = mem_text(resolved, strlen(resolved));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/follow.h"

#include "base/mem.h"
#include "net/loop.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	QUIET_MS = 20,  /* an editor writes in several steps */
	LOOK_MS = 3000, /* for what is not told */
	PATH_ROOM = 4096
};

struct follow {
	struct loop *loop;
	struct loop_timer *timer;
	const struct zonefile_files *files;
	size_t n;
	struct loop_watch *watch[FOLLOW_FOLDERS];
	char *folder[FOLLOW_FOLDERS]; /* heap */
	bool is_partial;              /* something is not watched */
	void (*on_change)(void *user);
	void *user;
};

static void look_later(struct follow *f)
{
	if (f->is_partial)
		loop_timer_start(f->timer, LOOK_MS, 0);
}

static void on_time(void *user)
{
	struct follow *f = user;
	if (f->files && zonefile_files_changed(f->files))
		f->on_change(f->user);
	else
		look_later(f);
}

static void on_event(void *user)
{
	struct follow *f = user;
	loop_timer_start(f->timer, QUIET_MS, 0);
}

struct follow *follow_new(struct loop *loop, void (*on_change)(void *user), void *user)
{
	struct follow *f = mem_new(sizeof *f);
	f->loop = loop;
	f->on_change = on_change;
	f->user = user;
	f->timer = loop_timer_new(loop, on_time, f);
	return f;
}

static void let_go(struct follow *f)
{
	for (size_t i = 0; i < f->n; i++) {
		loop_watch_free(&f->watch[i]);
		mem_free(f->folder[i]);
	}
	f->n = 0;
	f->is_partial = false;
}

static void add_folder(struct follow *f, const char *folder)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->folder[i], folder) == 0)
			return;
	struct loop_watch *watch =
		f->n < FOLLOW_FOLDERS ? loop_watch_new(f->loop, folder, on_event, f) : NULL;
	if (!watch) {
		f->is_partial = true;
		return;
	}
	f->watch[f->n] = watch;
	f->folder[f->n++] = mem_text(folder, strlen(folder));
}

static void add_folder_of(struct follow *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_ROOM];
	int n = snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
		slash ? path : ".");
	add_folder(f, n > 0 && (size_t)n < sizeof folder ? folder : "/");
}

/* A link's target lies, and changes, elsewhere. */
static void add_file(struct follow *f, const char *path)
{
	char target[PATH_ROOM];
	add_folder_of(f, path);
	ssize_t n = readlink(path, target, sizeof target - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	if (*target == '/')
		add_folder_of(f, target);
	else
		f->is_partial = true;
}

void follow_set(struct follow *f, const struct zonefile_files *files)
{
	let_go(f);
	f->files = files;
	if (!files || !files->n) {
		loop_timer_stop(f->timer);
		return;
	}
	for (size_t i = 0; i < files->n; i++)
		add_file(f, files->list[i].path);
	loop_timer_start(f->timer, QUIET_MS, 0);
}

void follow_free(struct follow **held)
{
	struct follow *f = *held;
	*held = NULL;
	if (!f)
		return;
	let_go(f);
	loop_timer_free(&f->timer);
	mem_free(f);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	OPTIONS_MAX = 32,
	WORD_MAX = 31,
	HELP_MAX = 512
};

static bool is_word(const char *word)
{
	return word && *word >= 'a' && *word <= 'z' &&
	       strnlen(word, WORD_MAX + 1) <= WORD_MAX &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(word);
}

static bool is_text(const char *text)
{
	return text && *text && strnlen(text, HELP_MAX + 1) <= HELP_MAX;
}

static const char *judge_options(const struct link *link)
{
	if (link->options_n > OPTIONS_MAX || (link->options_n && !link->options))
		return "its table of options is missing, or has over 32 rows";
	for (size_t i = 0; i < link->options_n; i++) {
		const struct link_option *row = &link->options[i];
		if (!is_word(row->key))
			return "the key of an option is no word of a-z, 0-9 and -";
		if ((unsigned)row->kind > LINK_OPTION_BOOL || !is_text(row->help))
			return "an option has no kind or no sentence of help";
		for (size_t j = 0; j < i; j++)
			if (strcmp(link->options[j].key, row->key) == 0)
				return "an option comes twice";
	}
	return NULL;
}

/* Why the link cannot be used; NULL: it can. */
static const char *judge(const struct link *link)
{
	if (!is_word(link->kind))
		return "its kind is no word of a-z, 0-9 and -";
	if (!is_text(link->help))
		return "it has no sentence of help";
	if (!link->prepare || !link->release || !link->open || !link->ask)
		return "one of prepare, release, open and ask is missing";
	if (!link->is_local && (!link->event || !link->cancel))
		return "it may wait, but event or cancel is missing";
	return judge_options(link);
}

/* A file that anybody can write would let anybody be us. */
static int check_file(const char *path, struct err *err)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s: not a regular file", path);
	if (st.st_mode & S_IWOTH)
		return err_set(err, -EPERM, "%s: everybody may write it", path);
	return 0;
}

static const struct link *find_link(void *object, const char *path, struct err *err)
{
	const struct link *link = dlsym(object, "rootward_link");
	if (!link) {
		(void)err_set(
			err, -EINVAL, "%s: no link: the symbol rootward_link is missing", path);
		return NULL;
	}
	if (link->abi != ROOTWARD_LINK_ABI) {
		(void)err_set(err, -EINVAL,
			"%s: made for ABI %u, this rootward has ABI %u: build it anew", path,
			(unsigned)link->abi, (unsigned)ROOTWARD_LINK_ABI);
		return NULL;
	}
	const char *why = judge(link);
	if (why)
		(void)err_set(err, -EINVAL, "%s: %s", path, why);
	return why ? NULL : link;
}

const struct link *chain_plugin_load(const char *path, struct err *err)
{
	char real[PATH_MAX];
	if (check_file(path, err) < 0)
		return NULL;
	if (!realpath(path, real)) {
		(void)err_set(err, -errno, "%s: %s", path, strerror(errno));
		return NULL;
	}
	void *object = dlopen(real, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!object) {
		const char *why = dlerror();
		(void)err_set(err, -EINVAL, "%s", why ? why : "it cannot be loaded");
		return NULL;
	}
	const struct link *link = find_link(object, path, err);
	(void)dlclose(object); /* RTLD_NODELETE: it stays */
	return link;
}

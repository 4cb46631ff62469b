/* SPDX-License-Identifier: BSD-2-Clause */
/* ferret.h -- the zone files of the Ferret suite, when it lies beside the project */
#pragma once

#include "unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FERRET_FOLDERS_OPEN = 16
};

static inline const char *ferret_root(void)
{
	const char *root = getenv("srcdir");
	return root ? root : ".";
}

/* Unpacks into a new folder, whose name goes to folder. False, and says so, without a suite. */
static inline bool ferret_unpack(char folder[32])
{
	char archive[4096], command[4096 + 128];
	struct stat st;
	(void)snprintf(archive, sizeof archive, "%s/../shared/suites/ferret-even.tar.xz",
		ferret_root());
	if (stat(archive, &st) < 0) {
		puts("skipped: ../shared/suites/ferret-even.tar.xz is not there");
		return false;
	}
	(void)snprintf(folder, 32, "/tmp/rootward-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(command, sizeof command,
		"tar -xJf '%s' -C %s --wildcards '*/ZoneFiles/*.txt'", archive, folder);
	ck_assert_int_eq(system(command), 0);
	return true;
}

static inline int ferret_remove_one(
	const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void ferret_remove(const char *folder)
{
	ck_assert_int_eq(
		nftw(folder, ferret_remove_one, FERRET_FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS), 0);
}

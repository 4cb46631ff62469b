/* SPDX-License-Identifier: BSD-2-Clause */
/* user.h -- from root to the user that shall serve */
#pragma once

#include "base/def.h"
#include "base/err.h"

#include <sys/types.h>

struct user {        /* open */
	bool is_set; /* there is someone to become */
	char name[64];
	uid_t uid;
	gid_t gid;
};

/* Who name is: is_set when it is somebody else and this process may become them. An empty name
 * is nobody. -ENOENT when there is no such user. */
int user_find(struct user *out, const char *name, struct err *err) CHECKED;
/* Becomes user for good: groups, group, user, no way back, no new privileges by exec. */
int user_become(const struct user *user, struct err *err) CHECKED;

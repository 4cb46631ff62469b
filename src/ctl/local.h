/* SPDX-License-Identifier: BSD-2-Clause */
/* local.h -- a socket in the file system
 *
 * What     Made with mode 0660 from its first moment; one that a dead daemon left behind is
 *          replaced, one that is listened on is not. Paths may be longer than a sockaddr.
 */
#pragma once

#include "base/def.h"
#include "base/err.h"

#include <sys/types.h>

struct local {          /* open: zero-initialise */
	int fd, folder; /* listening; where it lies */
	char name[128];
	dev_t dev;
	ino_t ino;
};

/* Listens at path. owner: who shall own the socket, -1: nobody else. -errno with the reason. */
int local_listen(struct local *local, const char *path, uid_t owner, gid_t group,
	struct err *err) CHECKED;
/* Ends listening and takes the socket's name away if it is still this one's. */
void local_close(struct local *local);
/* A connection to path: fd or -errno. */
int local_connect(const char *path, struct err *err) CHECKED;

enum {
	LOCAL_PATH_MAX = 4096
};
/* Where the socket is when nobody says: the first place, then the second. False: there is no
 * such place. */
bool local_default(char out[LOCAL_PATH_MAX], unsigned place);

/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int user_find(struct user *out, const char *name, struct err *err)
{
	*out = (struct user){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (!*name)
		return 0;
	errno = 0;
	const struct passwd *row = getpwnam(name);
	if (!row)
		return err_set(err, -ENOENT, "there is no user '%s' on this system", name);
	if (geteuid() != 0 || row->pw_uid == 0)
		return 0;
	(void)snprintf(out->name, sizeof out->name, "%s", name);
	out->uid = row->pw_uid;
	out->gid = row->pw_gid;
	out->is_set = true;
	return 0;
}

int user_become(const struct user *user, struct err *err)
{
	const char *step = NULL;
	if (initgroups(user->name, user->gid) < 0)
		step = "groups";
	else if (setresgid(user->gid, user->gid, user->gid) < 0)
		step = "group";
	else if (setresuid(user->uid, user->uid, user->uid) < 0)
		step = "user";
	if (step)
		return err_set(err, -errno, "cannot become user %s: %s: %s", user->name, step,
			strerror(errno));
	/* What could be taken back was not given away. */
	if (setuid(0) == 0 || seteuid(0) == 0 || getuid() != user->uid ||
		geteuid() != user->uid || getgid() != user->gid || getegid() != user->gid)
		return err_set(err, -EPERM, "became user %s, but could go back", user->name);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "no_new_privs: %s", strerror(errno));
	return 0;
}

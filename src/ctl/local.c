/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	BACKLOG = 16,
	LOCK_TRIES = 50
};

/* Opens the folder of path and cuts off the name. */
static int open_folder(const char *path, char *name, size_t name_size, struct err *err)
{
	char folder[LOCAL_PATH_MAX];
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (!*last || strlen(last) >= name_size || n >= sizeof folder)
		return err_set(err, -EINVAL, "%s is no path for a socket", path);
	(void)snprintf(name, name_size, "%s", last);
	(void)snprintf(folder, sizeof folder, "%.*s", (int)n, path);
	const char *open_path = !slash ? "." : n ? folder : "/";
	int fd = open(open_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "socket %s: folder %s: %s", path, open_path,
			strerror(errno));
	return fd;
}

/* The address of path; a longer one than fits is said by its folder's descriptor. */
static void make_addr(struct sockaddr_un *out, const char *path, int folder, const char *name)
{
	memset(out, 0, sizeof *out);
	out->sun_family = AF_UNIX;
	if (strlen(path) < sizeof out->sun_path)
		(void)snprintf(out->sun_path, sizeof out->sun_path, "%s", path);
	else
		(void)snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%.80s",
			folder, name);
}

static int connect_to(const struct sockaddr_un *addr, int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0)
		return fd;
	int code = errno;
	(void)close(fd);
	return -code;
}

/* Two daemons that start together look one after the other. */
static void lock_folder(int folder)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	for (int i = 0; i < LOCK_TRIES && flock(folder, LOCK_EX | LOCK_NB) < 0; i++)
		(void)nanosleep(&pause, NULL);
}

static int bind_once(int fd, const struct sockaddr_un *addr)
{
	mode_t was = umask(0117);
	int rc = bind(fd, (const struct sockaddr *)addr, sizeof *addr) < 0 ? -errno : 0;
	(void)umask(was);
	return rc;
}

/* Takes away a socket that nobody listens on. */
static int remove_stale(const struct local *local, const struct sockaddr_un *addr,
	const char *path, struct err *err)
{
	struct stat st;
	if (fstatat(local->folder, local->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		!S_ISSOCK(st.st_mode))
		return err_set(err, -EEXIST,
			"socket %s: something is there that is no socket; it is left alone",
			path);
	int fd = connect_to(addr, SOCK_NONBLOCK);
	if (fd >= 0 || fd == -EAGAIN) {
		if (fd >= 0)
			(void)close(fd);
		return err_set(
			err, -EADDRINUSE, "socket %s: another daemon listens there", path);
	}
	if (fd != -ECONNREFUSED)
		return err_set(err, fd, "socket %s: %s", path, strerror(-fd));
	if (unlinkat(local->folder, local->name, 0) < 0 && errno != ENOENT)
		return err_set(err, -errno, "socket %s: an old one cannot be removed: %s", path,
			strerror(errno));
	return 0;
}

static int bind_at(struct local *local, const char *path, struct err *err)
{
	struct sockaddr_un addr;
	make_addr(&addr, path, local->folder, local->name);
	int rc = bind_once(local->fd, &addr);
	if (rc == -EADDRINUSE) {
		rc = remove_stale(local, &addr, path, err);
		if (rc < 0)
			return rc;
		rc = bind_once(local->fd, &addr);
	}
	if (rc == 0 && listen(local->fd, BACKLOG) < 0)
		rc = -errno;
	if (rc < 0)
		return err_set(err, rc, "socket %s: %s", path, strerror(-rc));
	return 0;
}

int local_listen(
	struct local *local, const char *path, uid_t owner, gid_t group, struct err *err)
{
	*local = (struct local){ .fd = -1, .folder = -1 };
	int rc = open_folder(path, local->name, sizeof local->name, err);
	if (rc < 0)
		return rc;
	local->folder = rc;
	local->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (local->fd < 0) {
		rc = err_set(err, -errno, "socket %s: %s", path, strerror(errno));
		goto out;
	}
	lock_folder(local->folder);
	rc = bind_at(local, path, err);
	(void)flock(local->folder, LOCK_UN);
	if (rc < 0)
		goto out;
	struct stat st;
	if (fstatat(local->folder, local->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		local->dev = st.st_dev;
		local->ino = st.st_ino;
	}
	if ((owner != (uid_t)-1 || group != (gid_t)-1) &&
		fchownat(local->folder, local->name, owner, group, AT_SYMLINK_NOFOLLOW) < 0)
		rc = err_set(err, -errno, "socket %s: its owner cannot be set: %s", path,
			strerror(errno));
out:
	if (rc < 0)
		local_close(local);
	return rc;
}

void local_close(struct local *local)
{
	struct stat st;
	if (local->ino && fstatat(local->folder, local->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_dev == local->dev && st.st_ino == local->ino)
		(void)unlinkat(local->folder, local->name, 0);
	if (local->fd >= 0)
		(void)close(local->fd);
	if (local->folder >= 0)
		(void)close(local->folder);
	*local = (struct local){ .fd = -1, .folder = -1 };
}

int local_connect(const char *path, struct err *err)
{
	char name[128];
	int folder = open_folder(path, name, sizeof name, err);
	if (folder < 0)
		return folder;
	struct sockaddr_un addr;
	make_addr(&addr, path, folder, name);
	int fd = connect_to(&addr, 0);
	(void)close(folder);
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return err_set(err, fd, "no daemon listens at %s", path);
	if (fd < 0)
		return err_set(err, fd, "socket %s: %s", path, strerror(-fd));
	return fd;
}

bool local_default(char out[LOCAL_PATH_MAX], unsigned place)
{
	if (place == 0) {
		(void)snprintf(out, LOCAL_PATH_MAX, "/run/rootward/control.sock");
		return true;
	}
	const char *folder = getenv("XDG_RUNTIME_DIR");
	if (place > 1 || !folder || *folder != '/')
		return false;
	int n = snprintf(out, LOCAL_PATH_MAX, "%s/rootward/control.sock", folder);
	return n > 0 && n < LOCAL_PATH_MAX;
}

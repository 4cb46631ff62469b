/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/mem.h"
#include "ctl/control.h"
#include "ctl/local.h"
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct rig {
	char folder[64], path[128];
	struct loop *loop;
	struct control *control;
	struct loop_timer *timer;
	unsigned calls;
	struct control_call *held;
	bool holds;
};

static void on_call(void *user, const struct request *request, struct control_call *call)
{
	struct rig *rig = user;
	rig->calls++;
	if (rig->holds) {
		rig->held = call;
		return;
	}
	control_reply(call, json_pack("{s:s}", "did", verb_rows[request->verb].name), false);
}

static void on_time(void *user)
{
	loop_stop(((struct rig *)user)->loop);
}

/* Gives the loop ms to do what there is to do. */
static void turn(struct rig *rig, uint64_t ms)
{
	loop_timer_start(rig->timer, ms, 0);
	loop_run(rig->loop);
}

static void setup(struct rig *rig)
{
	struct err err;
	memset(rig, 0, sizeof *rig);
	(void)snprintf(rig->folder, sizeof rig->folder, "/tmp/rootward-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig->folder));
	(void)snprintf(rig->path, sizeof rig->path, "%s/s", rig->folder);
	rig->loop = loop_new();
	ck_assert_ptr_nonnull(rig->loop);
	rig->timer = loop_timer_new(rig->loop, on_time, rig);
	struct control_opts opts = { .path = rig->path,
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
		.on_call = on_call,
		.user = rig };
	rig->control = control_open(rig->loop, &opts, &err);
	ck_assert_ptr_nonnull(rig->control);
}

static void teardown(struct rig *rig)
{
	control_close(&rig->control);
	loop_timer_free(&rig->timer);
	loop_free(&rig->loop);
	ck_assert_int_eq(rmdir(rig->folder), 0); /* the socket's name is gone */
}

static int join(const struct rig *rig)
{
	struct err err;
	int fd = local_connect(rig->path, &err);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What came and whether the other side closed. */
static bool get(int fd, char *out, size_t size)
{
	size_t n = 0;
	ssize_t got;
	while ((got = recv(fd, out + n, size - 1 - n, 0)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	return got == 0 || errno == ECONNRESET;
}

START_TEST(a_request_in_pieces_gets_one_reply_and_the_end)
{
	struct rig rig;
	char reply[256];
	setup(&rig);
	int fd = join(&rig);
	put(fd, "{\"ve");
	turn(&rig, 20);
	ck_assert(!get(fd, reply, sizeof reply));
	put(fd, "rb\":\n\"status\"}\n");
	turn(&rig, 20);
	ck_assert(get(fd, reply, sizeof reply));
	ck_assert_str_eq(reply, "{\"did\":\"status\"}\n");
	ck_assert_uint_eq(rig.calls, 1);
	close(fd);
	teardown(&rig);
}
END_TEST

START_TEST(the_socket_is_for_owner_and_group_only)
{
	struct rig rig;
	struct stat st;
	setup(&rig);
	ck_assert_int_eq(lstat(rig.path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	teardown(&rig);
}
END_TEST

START_TEST(what_is_too_large_is_refused_at_64_kib)
{
	struct rig rig;
	char reply[256], piece[4097];
	setup(&rig);
	int fd = join(&rig);
	memset(piece, 'x', sizeof piece - 1);
	piece[sizeof piece - 1] = '\0';
	put(fd, "{\"verb\":\"");
	size_t sent = 0;
	bool is_closed = false;
	while (!is_closed && sent < 64 * 4096) {
		ssize_t n = send(fd, piece, 4096, MSG_NOSIGNAL);
		is_closed = n < 0 && errno != EAGAIN;
		sent += n > 0 ? (size_t)n : 0;
		turn(&rig, 5);
	}
	ck_assert(is_closed);
	ck_assert(get(fd, reply, sizeof reply));
	ck_assert_ptr_nonnull(strstr(reply, "at most 64 KiB"));
	ck_assert_uint_le(sent, REQUEST_MAX + 3 * 4096);
	ck_assert_uint_eq(rig.calls, 0);
	close(fd);
	teardown(&rig);
}
END_TEST

START_TEST(the_seventeenth_is_told_that_others_are_served)
{
	struct rig rig;
	char reply[256];
	int fd[CONTROL_CLIENTS_MAX + 1];
	setup(&rig);
	for (size_t i = 0; i < array_len(fd); i++) {
		fd[i] = join(&rig);
		turn(&rig, 5);
	}
	ck_assert(get(fd[CONTROL_CLIENTS_MAX], reply, sizeof reply));
	ck_assert_ptr_nonnull(strstr(reply, "busy"));
	close(fd[3]);
	turn(&rig, 20);
	int again = join(&rig);
	put(again, "{\"verb\":\"status\"}");
	turn(&rig, 20);
	ck_assert(get(again, reply, sizeof reply));
	ck_assert_str_eq(reply, "{\"did\":\"status\"}\n");
	close(again);
	for (size_t i = 0; i < array_len(fd); i++)
		if (i != 3)
			close(fd[i]);
	teardown(&rig);
}
END_TEST

START_TEST(who_says_nothing_is_closed_after_five_seconds)
{
	struct rig rig;
	char reply[256];
	setup(&rig);
	int idle = join(&rig), slow = join(&rig);
	put(slow, "{");
	turn(&rig, CONTROL_WAIT_MS - 1500);
	/* A byte now and then buys no time. */
	put(slow, " ");
	ck_assert(!get(idle, reply, sizeof reply));
	turn(&rig, 3000);
	ck_assert(get(idle, reply, sizeof reply));
	ck_assert(get(slow, reply, sizeof reply));
	close(idle);
	close(slow);
	teardown(&rig);
}
END_TEST

START_TEST(a_reply_may_come_later_and_to_nobody)
{
	struct rig rig;
	setup(&rig);
	rig.holds = true;
	int fd = join(&rig);
	put(fd, "{\"verb\":\"reload\"}");
	turn(&rig, 20);
	ck_assert_ptr_nonnull(rig.held);
	close(fd);
	turn(&rig, 20);
	control_reply(rig.held, json_pack("{s:b}", "ok", 1), false);
	turn(&rig, 20);
	teardown(&rig);
}
END_TEST

START_TEST(another_user_is_closed_before_a_byte_is_read)
{
	struct rig rig;
	if (geteuid() != 0) {
		printf("skipped: another user: not root here\n");
		return;
	}
	setup(&rig);
	ck_assert_int_eq(chmod(rig.folder, 0755), 0);
	ck_assert_int_eq(chmod(rig.path, 0666), 0);
	pid_t child = fork();
	if (child == 0) {
		char reply[64];
		struct err err;
		if (setgroups(0, NULL) < 0 || setresgid(65533, 65533, 65533) < 0 ||
			setresuid(65533, 65533, 65533) < 0)
			_exit(3);
		int fd = local_connect(rig.path, &err);
		if (fd < 0)
			_exit(4);
		(void)send(fd, "{\"verb\":\"stop\"}", 15, MSG_NOSIGNAL);
		_exit(recv(fd, reply, sizeof reply, 0) > 0 ? 5 : 0);
	}
	int status = -1;
	for (int i = 0; i < 100 && waitpid(child, &status, WNOHANG) == 0; i++)
		turn(&rig, 20);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_eq(rig.calls, 0);
	teardown(&rig);
}
END_TEST

START_TEST(a_dead_daemons_socket_is_replaced_a_living_ones_is_not)
{
	struct rig rig;
	struct local local;
	struct err err;
	setup(&rig);
	ck_assert_int_eq(
		local_listen(&local, rig.path, (uid_t)-1, (gid_t)-1, &err), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(err.text, "another daemon"));
	char stale[200];
	(void)snprintf(stale, sizeof stale, "%s/stale", rig.folder);
	ck_assert_int_eq(local_listen(&local, stale, (uid_t)-1, (gid_t)-1, &err), 0);
	close(local.fd); /* as a killed daemon leaves it */
	close(local.folder);
	ck_assert_int_eq(local_listen(&local, stale, (uid_t)-1, (gid_t)-1, &err), 0);
	local_close(&local);
	FILE *file = fopen(stale, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(local_listen(&local, stale, (uid_t)-1, (gid_t)-1, &err), -EEXIST);
	ck_assert_int_eq(unlink(stale), 0);
	teardown(&rig);
}
END_TEST

START_TEST(a_path_may_be_longer_than_an_address)
{
	struct rig rig;
	struct local local;
	struct err err;
	char folder[200], path[250];
	setup(&rig);
	(void)snprintf(folder, sizeof folder, "%s/%0100d", rig.folder, 0);
	(void)snprintf(path, sizeof path, "%s/control.sock", folder);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(local_listen(&local, path, (uid_t)-1, (gid_t)-1, &err), 0);
	int fd = local_connect(path, &err);
	ck_assert_int_ge(fd, 0);
	close(fd);
	local_close(&local);
	ck_assert_int_eq(rmdir(folder), 0);
	teardown(&rig);
}
END_TEST

UNIT_MAIN("ctl/control", a_request_in_pieces_gets_one_reply_and_the_end,
	the_socket_is_for_owner_and_group_only, what_is_too_large_is_refused_at_64_kib,
	the_seventeenth_is_told_that_others_are_served,
	who_says_nothing_is_closed_after_five_seconds, a_reply_may_come_later_and_to_nobody,
	another_user_is_closed_before_a_byte_is_read,
	a_dead_daemons_socket_is_replaced_a_living_ones_is_not,
	a_path_may_be_longer_than_an_address)

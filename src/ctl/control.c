/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/control.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "ctl/local.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct control {
	struct loop *loop;
	struct local local;
	struct loop_poll *poll;
	gid_t group;
	struct list calls;
	unsigned n;
	struct log_limit refused;
	void (*on_call)(void *user, const struct request *request, struct control_call *call);
	void *user;
};

struct control_call { /* a connection */
	struct list item;
	struct control *control;
	struct loop_poll *poll;
	struct loop_timer *timer;
	int fd;
	bool stays;
	struct request_scan scan;
	char *in, *out; /* heap */
	size_t in_n, out_n, out_at, out_size;
};

static void call_free(struct control_call *call)
{
	list_drop(&call->item);
	call->control->n--;
	loop_poll_free(&call->poll);
	loop_timer_free(&call->timer);
	(void)close(call->fd);
	mem_free(call->in);
	mem_free(call->out);
	mem_free(call);
}

/* ---- who may speak -------------------------------------------------------------------- */

/* Beside its first group a peer has others, which the kernel tells as they were when it
 * connected. */
static bool is_member(int fd, gid_t group)
{
	gid_t groups[256];
	socklen_t n = sizeof groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0)
		return false;
	for (size_t i = 0; i < n / sizeof groups[0]; i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool may_speak(struct control *control, int fd)
{
	struct ucred peer;
	socklen_t n = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid() || peer.gid == control->group ||
		is_member(fd, control->group))
		return true;
	log_limited(&control->refused, LOG_WARNING,
		"control: user %u (process %d) was turned away", (unsigned)peer.uid,
		(int)peer.pid);
	return false;
}

/* ---- replies -------------------------------------------------------------------------- */

static void write_some(struct control_call *call)
{
	while (call->out_at < call->out_n) {
		ssize_t n = send(call->fd, call->out + call->out_at, call->out_n - call->out_at,
			MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			loop_poll_set(call->poll, LOOP_WRITE);
			return;
		}
		if (n < 0) {
			call_free(call);
			return;
		}
		call->out_at += (size_t)n;
		loop_timer_start(call->timer, CONTROL_WAIT_MS, 0);
	}
	if (!call->stays) {
		call_free(call);
		return;
	}
	loop_poll_set(call->poll, 0);
	loop_timer_stop(call->timer);
}

static int append(const char *text, size_t n, void *user)
{
	struct control_call *call = user;
	if (!n)
		return 0;
	while (call->out_size - call->out_n < n) {
		call->out_size = call->out_size ? 2 * call->out_size : 1024;
		call->out = mem_grow(call->out, call->out_size);
	}
	memcpy(call->out + call->out_n, text, n);
	call->out_n += n;
	return 0;
}

void control_reply_text(struct control_call *call, const char *text, size_t n)
{
	must(call->out_n == 0);
	(void)append(text, n, call);
	loop_timer_start(call->timer, CONTROL_WAIT_MS, 0);
	write_some(call);
}

void control_reply(struct control_call *call, json_t *reply, bool stays)
{
	must(call->out_n == 0);
	(void)json_dump_callback(reply, append, call, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(reply);
	(void)append("\n", 1, call);
	call->stays = stays;
	loop_timer_start(call->timer, CONTROL_WAIT_MS, 0);
	write_some(call);
}

static void refuse(struct control_call *call, const struct err *err)
{
	control_reply(call, json_pack("{s:b,s:s}", "ok", 0, "error", err->text), false);
}

/* ---- requests ------------------------------------------------------------------------- */

static void answer(struct control_call *call)
{
	struct request request;
	struct err err;
	loop_poll_set(call->poll, 0);
	loop_timer_stop(call->timer);
	if (request_read(&request, call->in, call->in_n, &err) < 0) {
		refuse(call, &err);
		return;
	}
	mem_free(call->in);
	call->in = NULL;
	call->control->on_call(call->control->user, &request, call);
}

static void read_some(struct control_call *call)
{
	char bytes[4096];
	ssize_t got = recv(call->fd, bytes, sizeof bytes, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		call_free(call);
		return;
	}
	struct err err;
	size_t end = (size_t)got;
	int rc = request_scan(&call->scan, bytes, (size_t)got, &end, &err);
	if (rc < 0) {
		refuse(call, &err);
		return;
	}
	call->in = mem_grow(call->in, call->in_n + end);
	memcpy(call->in + call->in_n, bytes, end);
	call->in_n += end;
	if (rc == 1)
		answer(call);
}

static void on_ready(void *user, int events)
{
	struct control_call *call = user;
	(void)events;
	if (call->out_n)
		write_some(call);
	else
		read_some(call);
}

static void on_time(void *user)
{
	call_free(user);
}

static void turn_away(int fd)
{
	static const char busy[] =
		"{\"ok\":false,\"error\":\"busy: 16 others are being served\"}\n";
	(void)send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL);
	(void)close(fd);
}

static void on_connect(void *user, int events)
{
	struct control *control = user;
	(void)events;
	int fd = accept4(control->local.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (!may_speak(control, fd)) {
		(void)close(fd);
		return;
	}
	if (control->n == CONTROL_CLIENTS_MAX) {
		turn_away(fd);
		return;
	}
	struct control_call *call = mem_new(sizeof *call);
	call->control = control;
	call->fd = fd;
	call->poll = loop_poll_new(control->loop, fd, LOOP_READ, on_ready, call);
	call->timer = loop_timer_new(control->loop, on_time, call);
	list_put(&control->calls, &call->item);
	control->n++;
	if (!call->poll) {
		call_free(call);
		return;
	}
	loop_timer_start(call->timer, CONTROL_WAIT_MS, 0);
}

struct control *control_open(
	struct loop *loop, const struct control_opts *opts, struct err *err)
{
	struct control *control = mem_new(sizeof *control);
	list_init(&control->calls);
	control->loop = loop;
	control->group = opts->group == (gid_t)-1 ? getegid() : opts->group;
	control->on_call = opts->on_call;
	control->user = opts->user;
	if (local_listen(&control->local, opts->path, opts->owner, opts->group, err) < 0) {
		mem_free(control);
		return NULL;
	}
	control->poll = loop_poll_new(loop, control->local.fd, LOOP_READ, on_connect, control);
	if (!control->poll) {
		(void)err_set(err, -ENOMEM, "socket %s cannot be watched", opts->path);
		control_close(&control);
	}
	return control;
}

void control_close(struct control **held)
{
	struct control *control = *held;
	*held = NULL;
	if (!control)
		return;
	while (!list_is_empty(&control->calls))
		call_free(container_of(control->calls.next, struct control_call, item));
	loop_poll_free(&control->poll);
	local_close(&control->local);
	mem_free(control);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/routes.h"

#include "base/mem.h"
#include "net/loop.h"

#include <config.h>

#ifdef HAVE_MNL

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

enum {
	QUIET_MS = 100, /* an interface comes up in many steps */
	READS_MAX = 64, /* in one turn */
	BUFFER = 32768
};

struct routes {
	struct mnl_socket *socket;
	struct loop_poll *poll;
	struct loop_timer *timer;
	void (*on_change)(void *user);
	void *user;
};

static void on_time(void *user)
{
	struct routes *r = user;
	r->on_change(r->user);
}

/* Messages are only counted; those that were lost (ENOBUFS) are news as well. */
static void on_ready(void *user, int events)
{
	struct routes *r = user;
	char buffer[BUFFER];
	bool is_news = false;
	(void)events;
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = mnl_socket_recvfrom(r->socket, buffer, sizeof buffer);
		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			break;
		is_news = true;
	}
	if (is_news)
		loop_timer_start(r->timer, QUIET_MS, 0);
}

struct routes *routes_new(struct loop *loop, void (*on_change)(void *user), void *user)
{
	static const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
				       RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	struct routes *r = mem_new(sizeof *r);
	r->on_change = on_change;
	r->user = user;
	r->timer = loop_timer_new(loop, on_time, r);
	r->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (r->socket && mnl_socket_bind(r->socket, groups, MNL_SOCKET_AUTOPID) == 0)
		r->poll = loop_poll_new(
			loop, mnl_socket_get_fd(r->socket), LOOP_READ, on_ready, r);
	if (!r->poll)
		routes_free(&r);
	return r;
}

void routes_free(struct routes **held)
{
	struct routes *r = *held;
	*held = NULL;
	if (!r)
		return;
	if (r->poll)
		loop_poll_free(&r->poll);
	loop_timer_free(&r->timer);
	if (r->socket)
		(void)mnl_socket_close(r->socket);
	mem_free(r);
}

#else

struct routes *routes_new(struct loop *loop, void (*on_change)(void *user), void *user)
{
	(void)loop, (void)on_change, (void)user;
	return NULL;
}

void routes_free(struct routes **held)
{
	*held = NULL;
}

#endif

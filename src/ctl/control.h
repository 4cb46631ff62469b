/* SPDX-License-Identifier: BSD-2-Clause */
/* control.h -- the control socket
 *
 * What     A connection brings one request and takes one reply, both JSON. Who may: root, the
 *          daemon's own user, members of the socket's group; others are closed unread.
 * Threads  Control.
 * Limits   16 connections; 5 s for a request to come whole, and without progress of a reply
 *          (hazard C14).
 */
#pragma once

#include "base/def.h"
#include "base/err.h"
#include "ctl/request.h"
#include "net/loop.h"

#include <jansson.h>
#include <sys/types.h>

enum {
	CONTROL_CLIENTS_MAX = 16,
	CONTROL_WAIT_MS = 5000
};

struct control;
struct control_call; /* a request that waits for its reply */

struct control_opts { /* open */
	const char *path;
	uid_t owner; /* of the socket; -1: who makes it */
	gid_t group; /* of the socket, and who may speak; -1: the daemon's own */
	/* Each call must get one control_reply(), at once or later. */
	void (*on_call)(void *user, const struct request *request, struct control_call *call);
	void *user;
};

/* NULL with the reason in err. */
struct control *control_open(
	struct loop *loop, const struct control_opts *opts, struct err *err) CHECKED;
/* Ends every connection; calls without a reply must not get one any more. */
void control_close(struct control **control);
/* The same with bytes of ours, which are copied. */
void control_reply_text(struct control_call *call, const char *text, size_t n);
/* Takes reply. stays: the connection is closed only with the socket. */
void control_reply(struct control_call *call, json_t *reply, bool stays);

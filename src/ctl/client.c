/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client.h"

#include "base/mem.h"
#include "ctl/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REPLY_MAX = 256 * 1024 * 1024
};

static int send_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		text += sent;
		n -= (size_t)sent;
	}
	return 0;
}

static char *receive_all(int fd, size_t *n)
{
	size_t size = 65536, used = 0;
	char *text = mem_new(size);
	for (;;) {
		ssize_t got = recv(fd, text + used, size - used, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || used + (size_t)got > REPLY_MAX)
			break;
		used += (size_t)got;
		if (used == size)
			text = mem_grow(text, size *= 2);
	}
	*n = used;
	return text;
}

static int send_request(int fd, json_t *request)
{
	char text[4096];
	size_t n = json_dumpb(request, text, sizeof text, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(request);
	return n <= sizeof text ? send_all(fd, text, n) : -E2BIG;
}

/* The reply is not the lines asked for. */
static bool is_refusal(int fd)
{
	static const char refusal[] = "{\"ok\":false";
	char begin[sizeof refusal - 1];
	ssize_t got = recv(fd, begin, sizeof begin, MSG_PEEK | MSG_WAITALL);
	return got == (ssize_t)sizeof begin && memcmp(begin, refusal, sizeof begin) == 0;
}

static int read_refusal(int fd, struct err *err)
{
	size_t n = 0;
	char *text = receive_all(fd, &n);
	json_t *reply = json_loadb(text, n, 0, NULL);
	const char *why = json_string_value(json_object_get(reply, "error"));
	int rc = err_set(err, -EINVAL, "%s", why ? why : "the daemon refuses");
	json_decref(reply);
	mem_free(text);
	return rc;
}

int client_copy(int fd, json_t *request, FILE *out, struct err *err)
{
	char bytes[65536];
	int rc = send_request(fd, request);
	ssize_t got;
	if (rc < 0)
		(void)err_set(
			err, rc, "the daemon did not take the request: %s", strerror(-rc));
	else if (is_refusal(fd))
		rc = read_refusal(fd, err);
	while (rc == 0 &&
		((got = recv(fd, bytes, sizeof bytes, 0)) > 0 || (got < 0 && errno == EINTR))) {
		if (got > 0 && fwrite(bytes, 1, (size_t)got, out) != (size_t)got)
			rc = err_set(err, -EIO, "it cannot be written: %s", strerror(errno));
	}
	(void)close(fd);
	if (rc == 0 && fflush(out) != 0)
		rc = err_set(err, -EIO, "it cannot be written: %s", strerror(errno));
	return rc;
}

json_t *client_ask(int fd, json_t *request, struct err *err)
{
	int rc = send_request(fd, request);
	size_t got = 0;
	char *reply = receive_all(fd, &got);
	(void)close(fd);
	json_error_t error;
	json_t *out = got ? json_loadb(reply, got, 0, &error) : NULL;
	mem_free(reply);
	if (!out && rc < 0)
		(void)err_set(
			err, rc, "the daemon did not take the request: %s", strerror(-rc));
	else if (!out && !got)
		(void)err_set(err, -EPIPE,
			"the daemon closed the connection without a reply "
			"(is this user in the socket's group?)");
	else if (!out)
		(void)err_set(err, -EBADMSG, "the daemon's reply is no JSON: %s", error.text);
	return out;
}

int client_code(const json_t *reply)
{
	if (json_is_true(json_object_get(reply, "ok")))
		return EXIT_GOOD;
	return json_is_true(json_object_get(reply, "config-refused")) ? EXIT_CONFIG
								      : EXIT_FAILED;
}

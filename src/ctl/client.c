/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client.h"

#include "base/mem.h"
#include "ctl/daemon.h"
#include "ctl/report.h"
#include "ctl/show.h"
#include "serve/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REPLY_MAX = 256 * 1024 * 1024,
	ZONES_SHOWN = 100
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

static long long number(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static void print_size(const char *label, long long bytes)
{
	if (bytes < 10 * 1024 * 1024)
		(void)printf("%s %lld kB", label, bytes / 1024);
	else
		(void)printf("%s %lld MB", label, bytes / (1024 * 1024));
}

static void show_zones(const json_t *zones)
{
	size_t i, shown = 0;
	const json_t *zone;
	json_array_foreach(zones, i, zone)
	{
		bool is_refused = json_is_true(json_object_get(zone, "refused"));
		bool is_served = json_is_true(json_object_get(zone, "served"));
		/* What is wrong is always shown. */
		if (shown++ >= ZONES_SHOWN && !is_refused)
			continue;
		if (is_served)
			(void)printf(
				"  %s serial %lld, %lld records, %lld bytes, loaded %s, %s\n",
				text_of(zone, "name"), number(zone, "serial"),
				number(zone, "records"), number(zone, "bytes"),
				text_of(zone, "loaded"), text_of(zone, "file"));
		else
			(void)printf("  %s NOT SERVED, %s\n", text_of(zone, "name"),
				text_of(zone, "file"));
		if (is_refused) {
			(void)printf("    %s: ", is_served ? "newer file refused" : "refused");
			report_text(stdout, text_of(zone, "error"));
		}
	}
	if (shown > ZONES_SHOWN)
		(void)printf("  and %zu more (--json has all)\n", shown - ZONES_SHOWN);
}

static void show_status(const json_t *reply)
{
	size_t i;
	const json_t *text;
	(void)printf("rootward %s, process %lld, up for %lld s, %lld worker%s\n",
		text_of(reply, "version"), number(reply, "pid"),
		number(reply, "uptime-ms") / 1000, number(reply, "workers"),
		number(reply, "workers") == 1 ? "" : "s");
	(void)printf("configuration %s, reloads %lld, of which failed %lld\n",
		text_of(reply, "config"), number(reply, "reloads"),
		number(reply, "reloads-failed"));
	(void)printf("listening on");
	json_array_foreach(json_object_get(reply, "listening"), i, text)(void)
		printf("%s %s", i ? "," : "", json_string_value(text));
	const json_t *memory = json_object_get(reply, "memory");
	print_size("\nmemory: resident", number(memory, "resident"));
	print_size(", of which anonymous", number(memory, "anonymous"));
	print_size(", at its peak", number(memory, "peak"));
	const json_t *zones = json_object_get(reply, "zones");
	(void)printf("\nzones: %zu, served %lld, %lld records\n", json_array_size(zones),
		number(reply, "served"), number(reply, "records"));
	show_zones(zones);
	(void)puts("counters:");
	for (i = 0; i < COUNT_N; i++)
		(void)printf("  %-16s %12lld  %s\n", server_count_rows[i].name,
			number(json_object_get(reply, "counters"), server_count_rows[i].name),
			server_count_rows[i].help);
}

static void show_reload(const json_t *reply)
{
	size_t i;
	const json_t *note;
	report_print(stderr, json_object_get(reply, "complaints"));
	json_array_foreach(json_object_get(reply, "notes"), i, note)
		report_text(stderr, json_string_value(note) ? json_string_value(note) : "");
	if (json_is_true(json_object_get(reply, "config-refused")))
		(void)fprintf(stderr,
			"the configuration is refused, the one before stays in force\n");
	else if (json_object_get(reply, "zones"))
		(void)printf("reloaded in %lld ms: %lld zones, %lld parsed, %lld refused\n",
			number(reply, "took-ms"), number(reply, "zones"),
			number(reply, "parsed"), number(reply, "refused"));
}

int client_code(const json_t *reply)
{
	if (json_is_true(json_object_get(reply, "ok")))
		return EXIT_GOOD;
	return json_is_true(json_object_get(reply, "config-refused")) ? EXIT_CONFIG
								      : EXIT_FAILED;
}

int client_show(const char *verb, const json_t *reply)
{
	const char *error = json_string_value(json_object_get(reply, "error"));
	if (error) {
		(void)fputs("rootctl: ", stderr);
		report_text(stderr, error);
	} else if (strcmp(verb, "status") == 0) {
		show_status(reply);
	} else if (strcmp(verb, "reload") == 0) {
		show_reload(reply);
	} else if (strcmp(verb, "explain") == 0) {
		show_explain(reply);
	} else if (strcmp(verb, "why") == 0) {
		show_why(reply);
	} else if (strncmp(verb, "cache", 5) == 0) {
		show_kept(reply);
	} else if (strcmp(verb, "stop") == 0) {
		(void)puts("the daemon has ended");
	}
	return client_code(reply);
}

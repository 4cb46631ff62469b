/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/request.h"

#include "base/near.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

const struct verb_row verb_rows[VERB_N] = {
	[VERB_STATUS] = { "status", false, "what the daemon serves and has counted" },
	[VERB_RELOAD] = { "reload", true,
		"read what changed; the old stays where the new is wrong" },
	[VERB_STOP] = { "stop", false, "finish what is being answered and end" },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Inside the object; true when its last bracket came. */
static bool step(struct request_scan *scan, char c)
{
	if (scan->in_text) {
		bool ends = c == '"' && !scan->is_escaped;
		scan->is_escaped = c == '\\' && !scan->is_escaped;
		scan->in_text = !ends;
		return false;
	}
	if (c == '"')
		scan->in_text = true;
	else if (c == '{' || c == '[')
		scan->depth++;
	else if (c == '}' || c == ']')
		return --scan->depth == 0;
	return false;
}

int request_scan(
	struct request_scan *scan, const char *bytes, size_t n, size_t *end, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (++scan->seen > REQUEST_MAX)
			return err_set(err, -E2BIG, "a request has at most 64 KiB");
		if (!scan->has_begun || scan->has_ended) {
			if (is_blank(bytes[i]))
				continue;
			if (scan->has_ended)
				return err_set(err, -EINVAL, "one request a connection");
			if (bytes[i] != '{')
				return err_set(err, -EINVAL, "a request is a JSON object");
			scan->has_begun = true;
		}
		if (step(scan, bytes[i])) {
			scan->has_ended = true;
			*end = i + 1;
		}
		if (scan->depth > REQUEST_DEPTH_MAX)
			return err_set(err, -E2BIG, "a request is at most 8 deep");
	}
	return scan->has_ended ? 1 : 0;
}

static int read_verb(struct request *out, const char *verb, struct err *err)
{
	const char *names[VERB_N];
	for (size_t i = 0; i < VERB_N; i++) {
		names[i] = verb_rows[i].name;
		if (strcmp(verb, names[i]) == 0) {
			out->verb = (enum verb)i;
			return 0;
		}
	}
	const char *near = near_find(verb, names, VERB_N);
	return err_set(err, -EINVAL, "unknown verb '%.40s'%s%s%s", verb,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int read_zone(struct request *out, const json_t *zone, struct err *err)
{
	if (!json_is_string(zone))
		return err_set(err, -EINVAL, "'zone' is not a text");
	int rc = name_from_text(
		&out->zone, json_string_value(zone), json_string_length(zone), NULL, err);
	if (rc < 0)
		return rc;
	name_lower(out->zone.bytes, out->zone.bytes, out->zone.len);
	out->has_zone = true;
	return 0;
}

static int read_object(struct request *out, json_t *object, struct err *err)
{
	const char *key;
	json_t *value;
	const json_t *verb = json_object_get(object, "verb");
	if (!json_is_string(verb))
		return err_set(err, -EINVAL, "'verb' is missing");
	int rc = read_verb(out, json_string_value(verb), err);
	if (rc < 0)
		return rc;
	json_object_foreach(object, key, value)
	{
		if (strcmp(key, "verb") == 0)
			continue;
		if (strcmp(key, "zone") != 0 || !verb_rows[out->verb].takes_zone)
			return err_set(err, -EINVAL, "%s does not take '%.40s'",
				verb_rows[out->verb].name, key);
		rc = read_zone(out, value, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int request_read(struct request *out, const char *text, size_t n, struct err *err)
{
	json_error_t error;
	*out = (struct request){ .verb = VERB_STATUS };
	json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return err_set(err, -EINVAL, "no JSON: %s", error.text);
	int rc = json_is_object(object) ? read_object(out, object, err)
					: err_set(err, -EINVAL, "a request is a JSON object");
	json_decref(object);
	return rc;
}

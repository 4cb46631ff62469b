/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/request.h"

#include "base/near.h"
#include "wire/rrtype.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

const struct verb_row verb_rows[VERB_N] = {
	[VERB_STATUS] = { "status", 0, "what the daemon serves and has counted" },
	[VERB_RELOAD] = { "reload", TAKES_ZONE,
		"read what changed; the old stays where the new is wrong" },
	[VERB_STOP] = { "stop", 0, "finish what is being answered and end" },
	[VERB_EXPLAIN] = { "explain", TAKES_NAME | TAKES_TYPE | TAKES_CLIENT | TAKES_LIVE,
		"which link answers, how old it is, from whom" },
	[VERB_WHY] = { "why", TAKES_NAME, "the last questions that came to nothing" },
	[VERB_CACHE_SHOW] = { "cache-show", TAKES_NAME, "what is kept of a name" },
	[VERB_CACHE_FLUSH] = { "cache-flush", TAKES_NAME | TAKES_TREE,
		"forget a name, a tree of names, or everything" },
	[VERB_CACHE_DUMP] = { "cache-dump", 0, "all that is kept, one JSON object a line" },
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

static int read_name(struct name *out, const char *key, const json_t *value, struct err *err)
{
	if (!json_is_string(value))
		return err_set(err, -EINVAL, "'%s' is not a text", key);
	int rc = name_from_text(
		out, json_string_value(value), json_string_length(value), NULL, err);
	if (rc == 0)
		name_lower(out->bytes, out->bytes, out->len);
	return rc;
}

static int read_type(uint16_t *out, const json_t *value, struct err *err)
{
	const char *text = json_string_value(value);
	int type = text ? rrtype_from_text(text, strlen(text)) : -1;
	if (type < 0) {
		const char *near = text ? rrtype_near(text, strlen(text)) : NULL;
		return err_set(err, -EINVAL, "'%.40s' is no type of records%s%s%s",
			text ? text : "", near ? "; did you mean " : "", near ? near : "",
			near ? "?" : "");
	}
	*out = (uint16_t)type;
	return 0;
}

static int read_client(struct addr *out, const json_t *value, struct err *err)
{
	if (!json_is_string(value))
		return err_set(err, -EINVAL, "'client' is not a text");
	return addr_parse(out, json_string_value(value), 0, err);
}

static int read_bool(bool *out, const char *key, const json_t *value, struct err *err)
{
	if (!json_is_boolean(value))
		return err_set(err, -EINVAL, "'%s' is neither true nor false", key);
	*out = json_is_true(value);
	return 0;
}

static int read_part(struct request *out, const char *key, const json_t *value, struct err *err)
{
	static const struct {
		const char *key;
		unsigned takes;
	} parts[] = { { "zone", TAKES_ZONE }, { "name", TAKES_NAME }, { "type", TAKES_TYPE },
		{ "client", TAKES_CLIENT }, { "live", TAKES_LIVE }, { "tree", TAKES_TREE } };
	size_t i = 0;
	while (i < array_len(parts) && strcmp(parts[i].key, key) != 0)
		i++;
	if (i == array_len(parts) || !(parts[i].takes & verb_rows[out->verb].takes))
		return err_set(err, -EINVAL, "%s does not take '%.40s'",
			verb_rows[out->verb].name, key);
	switch (parts[i].takes) {
	case TAKES_ZONE:
		out->has_zone = true;
		return read_name(&out->zone, key, value, err);
	case TAKES_NAME:
		out->has_name = true;
		return read_name(&out->name, key, value, err);
	case TAKES_TYPE:
		out->has_type = true;
		return read_type(&out->type, value, err);
	case TAKES_CLIENT:
		out->has_client = true;
		return read_client(&out->client, value, err);
	case TAKES_LIVE:
		return read_bool(&out->is_live, key, value, err);
	default:
		return read_bool(&out->is_tree, key, value, err);
	}
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
		rc = read_part(out, key, value, err);
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

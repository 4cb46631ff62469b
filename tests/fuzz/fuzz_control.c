/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes are a request on the control socket. The first byte says in what pieces the rest
 * comes: that must make no difference; what is taken is within its bounds. */
#include "ctl/request.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Feeds pieces of step bytes, as a connection would; returns the verdict, *len what was read
 * before it. */
static int scan(const char *bytes, size_t n, size_t step, size_t *len)
{
	struct request_scan scan = { 0 };
	struct err err;
	int rc = 0;
	*len = 0;
	for (size_t at = 0; at < n && rc == 0; at += step) {
		size_t piece = n - at < step ? n - at : step, end = 0;
		rc = request_scan(&scan, bytes + at, piece, &end, &err);
		*len = at + (rc == 1 ? end : piece);
		/* Which bracket ends it is for the JSON parser to judge. */
		must(rc != 1 || (end > 0 && end <= piece &&
					(bytes[*len - 1] == '}' || bytes[*len - 1] == ']')));
		must(scan.depth <= REQUEST_DEPTH_MAX + 1 && scan.seen <= REQUEST_MAX + 1);
	}
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1)
		return 0;
	const char *bytes = (const char *)data + 1;
	size_t whole = 0, pieces = 0;
	int rc = scan(bytes, n - 1, n, &whole);
	int other = scan(bytes, n - 1, (size_t)data[0] + 1, &pieces);
	/* A second request behind the end is seen only when it comes along with the first. */
	must(rc == other || (rc < 0 && other == 1));
	must(rc != 1 || whole == pieces);
	struct request request;
	struct err err;
	if (rc != 1 || request_read(&request, bytes, whole, &err) < 0)
		return 0;
	must(request.verb < VERB_N);
	must(!request.has_zone || (verb_rows[request.verb].takes & TAKES_ZONE));
	must(!request.has_name || (verb_rows[request.verb].takes & TAKES_NAME));
	must(!request.has_name ||
		name_check(request.name.bytes, NAME_MAX_LEN) == request.name.len);
	must(!request.has_type || (verb_rows[request.verb].takes & TAKES_TYPE));
	must(!request.has_client || (verb_rows[request.verb].takes & TAKES_CLIENT));
	must(!request.is_tree || (verb_rows[request.verb].takes & TAKES_TREE));
	must(!request.has_zone ||
		name_check(request.zone.bytes, request.zone.len) == request.zone.len);
	return 0;
}

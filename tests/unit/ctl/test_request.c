/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/request.h"
#include "unit/unit.h"

#include <errno.h>
#include <string.h>

static int scan_whole(const char *text, size_t *end)
{
	struct request_scan scan = { 0 };
	struct err err;
	return request_scan(&scan, text, strlen(text), end, &err);
}

START_TEST(a_request_ends_with_its_last_bracket)
{
	size_t end = 0;
	ck_assert_int_eq(scan_whole(" {\"verb\": \"st}atus\"} \n", &end), 1);
	ck_assert_uint_eq(end, 20);
	ck_assert_int_eq(scan_whole("{\"a\": \"\\\"}\"", &end), 0);
	ck_assert_int_eq(scan_whole("{\"a\": \"\\\\\"}", &end), 1);
	ck_assert_int_eq(scan_whole("{} {}", &end), -EINVAL);
	ck_assert_int_eq(scan_whole("[]", &end), -EINVAL);
	ck_assert_int_eq(scan_whole("GET / HTTP/1.1\r\n", &end), -EINVAL);
	ck_assert_int_eq(scan_whole("", &end), 0);
}
END_TEST

START_TEST(depth_and_size_are_bounded_however_the_bytes_come)
{
	struct request_scan scan = { 0 };
	struct err err;
	size_t end = 0;
	ck_assert_int_eq(scan_whole("{{{{{{{{", &end), 0);
	ck_assert_int_eq(scan_whole("{{{{{{{{{", &end), -E2BIG);
	ck_assert_int_eq(scan_whole("{[[[[[[[[", &end), -E2BIG);
	ck_assert_int_eq(request_scan(&scan, "{\"", 2, &end, &err), 0);
	for (size_t i = 2; i < REQUEST_MAX; i++)
		ck_assert_int_eq(request_scan(&scan, "x", 1, &end, &err), 0);
	ck_assert_int_eq(request_scan(&scan, "x", 1, &end, &err), -E2BIG);
}
END_TEST

static int read_text(struct request *request, const char *text, struct err *err)
{
	return request_read(request, text, strlen(text), err);
}

START_TEST(verbs_are_found_with_what_they_take)
{
	struct request r;
	struct err err;
	ck_assert_int_eq(read_text(&r, "{\"verb\":\"status\"}", &err), 0);
	ck_assert_int_eq(r.verb, VERB_STATUS);
	ck_assert_int_eq(read_text(&r, "{\"zone\":\"A.Test\",\"verb\":\"reload\"}", &err), 0);
	ck_assert_int_eq(r.verb, VERB_RELOAD);
	ck_assert(r.has_zone);
	ck_assert_int_eq(memcmp(r.zone.bytes, "\1a\4test", 8), 0);
}
END_TEST

START_TEST(explain_takes_a_name_a_type_and_a_client)
{
	struct request r;
	struct err err;
	ck_assert_int_eq(read_text(&r,
				 "{\"verb\":\"explain\",\"name\":\"WWW.a\",\"type\":\"aaaa\","
				 "\"client\":\"10.0.0.1\",\"live\":true}",
				 &err),
		0);
	ck_assert_int_eq(memcmp(r.name.bytes, "\3www\1a", 7), 0);
	ck_assert(r.has_name && r.has_type && r.has_client && r.is_live && !r.is_tree);
	ck_assert_uint_eq(r.type, 28);
	ck_assert_int_lt(
		read_text(&r, "{\"verb\":\"explain\",\"name\":\"a\",\"type\":\"AAA\"}", &err),
		0);
	ck_assert_str_eq(err.text, "'AAA' is no type of records; did you mean AAAA?");
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"explain\",\"client\":\"host\"}", &err), 0);
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"explain\",\"live\":1}", &err), 0);
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"explain\",\"tree\":true}", &err), 0);
	ck_assert_int_eq(
		read_text(&r, "{\"verb\":\"cache-flush\",\"name\":\"a\",\"tree\":true}", &err),
		0);
	ck_assert(r.is_tree && !r.has_type);
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"cache-dump\",\"name\":\"a\"}", &err), 0);
}
END_TEST

START_TEST(what_is_not_asked_right_is_refused_with_a_reason)
{
	struct request r;
	struct err err;
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"relaod\"}", &err), 0);
	ck_assert_str_eq(err.text, "unknown verb 'relaod'; did you mean 'reload'?");
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"stop\",\"zone\":\"a\"}", &err), 0);
	ck_assert_str_eq(err.text, "stop does not take 'zone'");
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"reload\",\"zone\":7}", &err), 0);
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"reload\",\"zone\":\"a..b\"}", &err), 0);
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"reload\",\"force\":true}", &err), 0);
	ck_assert_int_lt(read_text(&r, "{\"verb\":7}", &err), 0);
	ck_assert_int_lt(read_text(&r, "{}", &err), 0);
	ck_assert_int_lt(read_text(&r, "{\"verb\":\"stop\",\"verb\":\"status\"}", &err), 0);
	ck_assert_int_lt(read_text(&r, "[]", &err), 0);
}
END_TEST

UNIT_MAIN("ctl/request", a_request_ends_with_its_last_bracket,
	depth_and_size_are_bounded_however_the_bytes_come, verbs_are_found_with_what_they_take,
	explain_takes_a_name_a_type_and_a_client,
	what_is_not_asked_right_is_refused_with_a_reason)

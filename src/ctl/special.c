/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/special.h"

#include "text/zonefile.h"
#include "wire/name.h"
#include "zone/build.h"
#include "zone/zone.h"

#include <stdio.h>
#include <string.h>

/* RFC 6303 3: of every zone. */
#define EMPTY                                                                                  \
	"@ 10800 IN SOA @ nobody.invalid. 1 3600 1200 604800 10800\n"                          \
	"@ 10800 IN NS @\n"

static const char localhost_text[] = EMPTY "@ 10800 IN A 127.0.0.1\n@ 10800 IN AAAA ::1\n"
					   "* 10800 IN A 127.0.0.1\n* 10800 IN AAAA ::1\n";
static const char reverse4_text[] = EMPTY "1.0.0 10800 IN PTR localhost.\n";
static const char reverse6_text[] = EMPTY "@ 10800 IN PTR localhost.\n";
/* RFC 9462 6.4: of every type there is nothing, which is not the same as no such name. */
static const char nodata_text[] = EMPTY "* 10800 IN TYPE65534 \\# 0\n";
static const char empty_text[] = EMPTY;

struct row {
	const char *name, *text;
};

#define ONE(name)                                                                              \
	{                                                                                      \
		name, empty_text                                                               \
	}
#define REVERSE(n) ONE(#n ".in-addr.arpa.")
#define SHARED(n)  ONE(#n ".100.in-addr.arpa.")
#define TEN(n)                                                                                 \
	SHARED(n##0), SHARED(n##1), SHARED(n##2), SHARED(n##3), SHARED(n##4), SHARED(n##5),    \
		SHARED(n##6), SHARED(n##7), SHARED(n##8), SHARED(n##9)
#define ZEROS8  "0.0.0.0.0.0.0.0."
#define ZEROS24 ZEROS8 ZEROS8 ZEROS8

static const struct row rows[] = {
	{ "localhost.", localhost_text },
	{ "127.in-addr.arpa.", reverse4_text },
	{ "1.0.0.0.0.0.0.0." ZEROS24 "ip6.arpa.", reverse6_text },
	{ "resolver.arpa.", nodata_text },
	/* RFC 6761, 6762, 7686, 8375, 9476 */
	ONE("invalid."),
	ONE("test."),
	ONE("local."),
	ONE("onion."),
	ONE("alt."),
	ONE("home.arpa."),
	/* RFC 6303 4.1 to 4.6 */
	REVERSE(10),
	REVERSE(16.172),
	REVERSE(17.172),
	REVERSE(18.172),
	REVERSE(19.172),
	REVERSE(20.172),
	REVERSE(21.172),
	REVERSE(22.172),
	REVERSE(23.172),
	REVERSE(24.172),
	REVERSE(25.172),
	REVERSE(26.172),
	REVERSE(27.172),
	REVERSE(28.172),
	REVERSE(29.172),
	REVERSE(30.172),
	REVERSE(31.172),
	REVERSE(168.192),
	REVERSE(0),
	REVERSE(254.169),
	REVERSE(2.0.192),
	REVERSE(100.51.198),
	REVERSE(113.0.203),
	REVERSE(255.255.255.255),
	ONE("0.0.0.0.0.0.0.0." ZEROS24 "ip6.arpa."),
	ONE("d.f.ip6.arpa."),
	ONE("8.e.f.ip6.arpa."),
	ONE("9.e.f.ip6.arpa."),
	ONE("a.e.f.ip6.arpa."),
	ONE("b.e.f.ip6.arpa."),
	ONE("8.b.d.0.1.0.0.2.ip6.arpa."),
	/* RFC 7793 */
	SHARED(64),
	SHARED(65),
	SHARED(66),
	SHARED(67),
	SHARED(68),
	SHARED(69),
	TEN(7),
	TEN(8),
	TEN(9),
	TEN(10),
	TEN(11),
	SHARED(120),
	SHARED(121),
	SHARED(122),
	SHARED(123),
	SHARED(124),
	SHARED(125),
	SHARED(126),
	SHARED(127),
	/* RFC 7535: what leaks is not sent to those who are there to take it */
	ONE("empty.as112.arpa."),
};

size_t special_rows(void)
{
	return array_len(rows);
}

const char *special_name(size_t i)
{
	return rows[i].name;
}

static int on_record(void *user, const struct record *record, struct err *err)
{
	return zone_build_add(user, record, err);
}

/* A name server without an address: known, and nobody will ask for it. */
static void on_issue(void *user, const struct zone_issue *issue)
{
	(void)user;
	must(!issue->is_error);
}

static struct zone *make(const uint8_t *name, const char *text)
{
	struct complaints complaints = { 0 };
	struct zone_build *build = zone_build_new(name, strlen(text));
	long n = zonefile_scan_text(
		"special-use", text, strlen(text), name, on_record, build, &complaints);
	must(n > 0);
	complaints_fini(&complaints);
	struct zone *zone = zone_build_finish(&build, on_issue, NULL);
	must(zone != NULL);
	zone->is_special = true;
	return zone;
}

struct zone *special_zone(size_t i)
{
	struct name name;
	struct err err;
	must(name_from_text(&name, rows[i].name, strlen(rows[i].name), NULL, &err) == 0);
	return make(name.bytes, rows[i].text);
}

struct zone *special_empty(const uint8_t *name)
{
	return make(name, empty_text);
}

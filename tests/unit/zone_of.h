/* SPDX-License-Identifier: BSD-2-Clause */
/* zone_of.h -- zones from text, names from text, for tests */
#pragma once

#include "text/zonefile.h"
#include "wire/name.h"
#include "zone/build.h"
#include "zone/zone.h"

#include <check.h>
#include <string.h>

static inline struct name name_of(const char *text)
{
	struct name name;
	struct err err = { "" };
	ck_assert_msg(name_from_text(&name, text, strlen(text), NULL, &err) == 0, "%s: %s",
		text, err.text);
	return name;
}

static inline int zone_of_record(void *user, const struct record *record, struct err *err)
{
	return zone_build_add(user, record, err);
}

static inline void zone_of_issue(void *user, const struct zone_issue *issue)
{
	(void)user;
	ck_assert_msg(!issue->is_error, "%s", issue->reason);
}

/* The caller drops it. */
static inline struct zone *zone_of(const char *origin, const char *text)
{
	struct name apex = name_of(origin);
	struct complaints complaints = { 0 };
	struct zone_build *build = zone_build_new(apex.bytes, 0);
	long n = zonefile_scan_text(
		origin, text, strlen(text), apex.bytes, zone_of_record, build, &complaints);
	ck_assert_msg(n > 0, "%s", complaints.n ? complaints.list[0].text : "nothing");
	complaints_fini(&complaints);
	struct zone *zone = zone_build_finish(&build, zone_of_issue, NULL);
	ck_assert_ptr_nonnull(zone);
	return zone;
}

/* A sequence that looks random and is the same every time. */
static inline uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

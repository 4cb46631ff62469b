/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text is a zone file. What comes out of it must hold what the floors below rely on, print,
 * read back as the same record, and build a zone or be refused. */
#include "base/mem.h"
#include "text/rdata.h"
#include "text/zonefile.h"
#include "wire/name.h"
#include "wire/rdata.h"
#include "wire/rrtype.h"
#include "zone/build.h"
#include "zone/zone.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum {
	RECORDS_MAX = 4096 /* a $GENERATE makes many alike */
};

static const uint8_t origin[] = "\7example";

struct sink {
	struct zone_build *build;
	unsigned records;
};

static int same_record(void *user, const struct record *b, struct err *err)
{
	const struct record *a = user;
	(void)err;
	must(a->type == b->type && a->ttl == b->ttl && name_is_equal(a->owner, b->owner));
	must(a->rdata_len == b->rdata_len && memcmp(a->rdata, b->rdata, a->rdata_len) == 0);
	return 0;
}

/* What is printed is read as the record it was. */
static void print_and_read(const struct record *record)
{
	size_t n = record_print(NULL, 0, record);
	char *text = mem_new(n + 1);
	must(record_print(text, n + 1, record) == n);
	struct complaints complaints = { 0 };
	long records = zonefile_scan_text(
		"again", text, n, origin, same_record, (void *)(uintptr_t)record, &complaints);
	must(records == 1);
	complaints_fini(&complaints);
	mem_free(text);
}

static int on_record(void *user, const struct record *record, struct err *err)
{
	must(name_check(record->owner, NAME_MAX_LEN) == name_len(record->owner));
	must(rdata_check(record->type, record->rdata, record->rdata_len));
	must(record->ttl <= INT32_MAX);
	struct sink *sink = user;
	if (++sink->records > RECORDS_MAX)
		return -ECANCELED;
	print_and_read(record);
	return zone_build_add(sink->build, record, err);
}

static void on_issue(void *user, const struct zone_issue *issue)
{
	(void)user;
	must(name_check(issue->owner, NAME_MAX_LEN) > 0 && issue->reason);
}

static void on_served(void *user, const struct record *record)
{
	uint64_t *left = user;
	must(*left > 0);
	(*left)--;
	must(name_is_at_or_below(record->owner, origin));
	must(rdata_check(record->type, record->rdata, record->rdata_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct complaints complaints = { 0 };
	struct sink sink = { .build = zone_build_new(origin, n) };
	long records = zonefile_scan_text(
		"fuzz", (const char *)data, n, origin, on_record, &sink, &complaints);
	must((records < 0) == (complaints.errors > 0));
	complaints_fini(&complaints);
	struct zone *zone = zone_build_finish(&sink.build, on_issue, NULL);
	if (zone) {
		uint64_t left = zone_records(zone);
		zone_walk(zone, on_served, &left);
		must(left == 0);
		zone_drop(&zone);
	}
	return 0;
}

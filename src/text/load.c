/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/load.h"

#include "base/mem.h"
#include "text/complain.h"
#include "wire/rdata.h"
#include "wire/rrtype.h"
#include "zone/build.h"
#include "zone/zone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	PASSES_MAX = 4,
	HINT_MAX = 256 * 1024 * 1024, /* a file may claim any size; the builder can grow */
};

struct fault { /* an issue of a finished zone, until its place is found */
	bool is_error, is_told;
	uint16_t type;
	struct name owner, target; /* target.len 0: of no importance */
	char *reason;              /* heap */
	unsigned seen, wanted;     /* records it may be about; which of them it is */
};

struct faults {
	size_t n, errors, warnings;
	struct fault list[2 * COMPLAINTS_MAX]; /* so that neither kind hides the other */
	bool is_progress;
};

static void on_issue(void *user, const struct zone_issue *issue)
{
	struct faults *faults = user;
	size_t *count = issue->is_error ? &faults->errors : &faults->warnings;
	if ((*count)++ >= COMPLAINTS_MAX)
		return;
	struct fault *f = &faults->list[faults->n++];
	*f = (struct fault){ .is_error = issue->is_error, .type = issue->type, .wanted = 1 };
	f->owner.len = (uint8_t)name_len(issue->owner);
	memcpy(f->owner.bytes, issue->owner, f->owner.len);
	char reason[NAME_TEXT_MAX + 512], target[NAME_TEXT_MAX] = "";
	if (issue->target) {
		f->target.len = (uint8_t)name_len(issue->target);
		memcpy(f->target.bytes, issue->target, f->target.len);
		(void)name_print(target, issue->target);
	}
	(void)snprintf(reason, sizeof reason, "%s%s%s", issue->reason,
		issue->target ? ": " : "", target);
	f->reason = mem_text(reason, strlen(reason));
}

static bool points_to(const struct record *record, const uint8_t *target)
{
	int at = rdata_target(record->type, record->rdata, record->rdata_len);
	return at >= 0 && name_is_equal(record->rdata + at, target);
}

static bool is_about(const struct fault *f, const struct record *record)
{
	return (f->type == 0 || f->type == record->type) &&
	       name_is_equal(f->owner.bytes, record->owner) &&
	       (f->target.len == 0 || points_to(record, f->target.bytes));
}

/* Of two records where one is allowed, the second is the one too many. */
static bool is_single(const struct fault *f)
{
	const struct rrtype *row = rrtype_find(f->type);
	return f->is_error && row && row->flags & RRTYPE_SINGLE;
}

static int on_count(void *user, const struct record *record, struct err *err)
{
	(void)err;
	struct faults *faults = user;
	for (size_t i = 0; i < faults->n; i++)
		if (is_about(&faults->list[i], record))
			faults->list[i].seen++;
	return 0;
}

static int on_place(void *user, const struct record *record, struct err *err)
{
	struct faults *faults = user;
	size_t left = 0;
	for (size_t i = 0; i < faults->n; i++) {
		struct fault *f = &faults->list[i];
		left += !f->is_told;
		if (f->is_told || !is_about(f, record) || ++f->seen != f->wanted)
			continue;
		f->is_told = faults->is_progress = true;
		return err_set(err, f->is_error ? -EINVAL : 1, "%s", f->reason);
	}
	return left ? 0 : -ECANCELED;
}

static void tell_at_start(
	const struct fault *f, const char *path, struct complaints *complaints)
{
	char reason[2 * NAME_TEXT_MAX + 512], type[RRTYPE_TEXT_MAX];
	size_t n = name_print(reason, f->owner.bytes);
	(void)snprintf(reason + n, sizeof reason - n, "%s%s: %s", f->type ? " " : "",
		f->type ? rrtype_print(type, f->type) : "", f->reason);
	struct place place = { .file = path, .line = 1, .column = 1 };
	complain(complaints, f->is_error, &place, reason);
}

/* Scans again for the places of what was found wrong with the zone as a whole. */
static void faults_tell(struct faults *faults, const char *path, const uint8_t *origin,
	struct complaints *complaints)
{
	bool needs_count = false;
	for (size_t i = 0; i < faults->n; i++)
		needs_count |= is_single(&faults->list[i]);
	if (needs_count)
		zonefile_rescan(path, origin, on_count, faults, complaints);
	for (size_t i = 0; i < faults->n; i++) {
		struct fault *f = &faults->list[i];
		f->wanted = is_single(f) && f->seen > 1 ? 2 : 1;
	}
	/* A record tells one fault a pass: what else is wrong with it waits for the next. */
	faults->is_progress = true;
	for (unsigned pass = 0; pass < PASSES_MAX && faults->is_progress; pass++) {
		size_t left = 0;
		for (size_t i = 0; i < faults->n; i++) {
			faults->list[i].seen = 0;
			left += !faults->list[i].is_told;
		}
		if (left == 0)
			break;
		faults->is_progress = false;
		zonefile_rescan(path, origin, on_place, faults, complaints);
	}
	for (size_t i = 0; i < faults->n; i++)
		if (!faults->list[i].is_told)
			tell_at_start(&faults->list[i], path, complaints);
	complaints->errors +=
		faults->errors > COMPLAINTS_MAX ? faults->errors - COMPLAINTS_MAX : 0;
	complaints->warnings +=
		faults->warnings > COMPLAINTS_MAX ? faults->warnings - COMPLAINTS_MAX : 0;
}

static void serial_check(const struct zone *zone, const struct zone *old, const uint8_t *origin,
	struct faults *faults)
{
	uint32_t serial = zone_serial(zone), was = zone_serial(old);
	/* RFC 1982 3.2: the half of the circle ahead is larger. */
	bool is_larger = serial != was && serial - was < 0x80000000u;
	if (is_larger || zone_digest(zone) == zone_digest(old))
		return;
	char reason[160];
	(void)snprintf(reason, sizeof reason,
		"the content changed but the serial did not grow (%u, it was %u): secondaries "
		"will not notice",
		(unsigned)serial, (unsigned)was);
	struct zone_issue issue = { .owner = origin, .type = TYPE_SOA, .reason = reason };
	on_issue(faults, &issue);
}

static int build_record(void *user, const struct record *record, struct err *err)
{
	return zone_build_add(user, record, err);
}

static size_t size_hint(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0 || st.st_size < 0)
		return 0;
	return st.st_size < HINT_MAX ? (size_t)st.st_size : HINT_MAX;
}

int load_zone(
	struct load *load, const char *path, const uint8_t *origin, const struct zone *old)
{
	*load = (struct load){ 0 };
	struct zone_build *build = zone_build_new(origin, size_hint(path));
	long records = zonefile_scan(
		path, origin, build_record, build, &load->complaints, &load->files);
	if (records < 0) {
		zone_build_free(&build);
		return -EINVAL;
	}
	load->records = (uint64_t)records;
	struct faults faults;
	faults.n = faults.errors = faults.warnings = 0;
	load->zone = zone_build_finish(&build, on_issue, &faults);
	if (load->zone && old)
		serial_check(load->zone, old, origin, &faults);
	if (faults.n > 0)
		faults_tell(&faults, path, origin, &load->complaints);
	for (size_t i = 0; i < faults.n; i++)
		mem_free(faults.list[i].reason);
	return load->zone ? 0 : -EINVAL;
}

void load_fini(struct load *load)
{
	complaints_fini(&load->complaints);
	zonefile_files_fini(&load->files);
	load->zone = NULL;
}

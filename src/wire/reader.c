/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/reader.h"

#include "base/bytes.h"

#include <errno.h>

enum {
	STEPS_PER_RECORD = 64,
	STEPS_MAX = 20000
};

bool reader_open(struct reader *r, const uint8_t *msg, size_t len)
{
	if (len < HEADER_LEN)
		return false;
	*r = (struct reader){ .msg = msg, .len = len, .at = HEADER_LEN };
	unsigned records = 0;
	for (unsigned i = 0; i < SECTIONS; i++) {
		r->count[i] = get_u16(msg + 4 + 2 * i);
		records += r->count[i];
	}
	r->steps =
		records > STEPS_MAX / STEPS_PER_RECORD ? STEPS_MAX : records * STEPS_PER_RECORD;
	return true;
}

int reader_question(struct reader *r, struct name *name, uint16_t *type, uint16_t *class)
{
	if (!r->count[SECTION_QUESTION])
		return 0;
	if (name_read(name, r->msg, r->len, r->at, &r->at, &r->steps) || r->len - r->at < 4)
		return -EBADMSG;
	*type = get_u16(r->msg + r->at);
	*class = get_u16(r->msg + r->at + 2);
	r->at += 4;
	r->count[SECTION_QUESTION]--;
	return 1;
}

int reader_record(struct reader *r, struct reader_record *record)
{
	unsigned section = SECTION_ANSWER;
	while (section < SECTIONS && !r->count[section])
		section++;
	if (section == SECTIONS)
		return 0;
	if (name_read(&record->owner, r->msg, r->len, r->at, &r->at, &r->steps))
		return -EBADMSG;
	struct bytes b = { r->msg + r->at, r->len - r->at, false };
	record->type = bytes_u16(&b);
	record->class = bytes_u16(&b);
	record->ttl = bytes_u32(&b);
	record->rdata_len = bytes_u16(&b);
	if (b.fail || b.n < record->rdata_len)
		return -EBADMSG;
	record->section = (enum section)section;
	record->rdata_at = r->len - b.n;
	r->at = record->rdata_at + record->rdata_len;
	r->count[section]--;
	return 1;
}

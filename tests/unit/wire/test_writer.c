/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "unit/unit.h"
#include "unit/zone_of.h"
#include "wire/reader.h"
#include "wire/rrtype.h"
#include "wire/writer.h"

static uint8_t buf[MESSAGE_MAX_LEN];
static uint8_t query[512];
static struct question question;
static struct writer writer;

static void ask(const char *qname, uint32_t limit)
{
	struct name name = name_of(qname);
	memset(query, 0, HEADER_LEN);
	query[5] = 1;
	memcpy(query + HEADER_LEN, name.bytes, name.len);
	put_u16(query + HEADER_LEN + name.len, TYPE_A);
	put_u16(query + HEADER_LEN + name.len + 2, CLASS_IN);
	ck_assert_int_eq(question_read(&question, query, HEADER_LEN + name.len + 4u, false),
		VERDICT_ANSWER);
	writer_start(&writer, buf, limit, &question);
}

static bool put_name(const char *owner_text, uint16_t type, const char *target_text)
{
	struct name name = name_of(owner_text), target = name_of(target_text);
	struct writer_owner owner = { name.bytes, 0 };
	uint8_t rdata[NAME_MAX_LEN + 6] = { 0 };
	unsigned head = type == TYPE_MX ? 2 : type == TYPE_SRV ? 6 : 0;
	memcpy(rdata + head, target.bytes, target.len);
	return writer_record(&writer, SECTION_ANSWER, &owner, type, 60, rdata,
		(uint16_t)(head + target.len));
}

/* Pointers that a reader follows from `at`. */
static unsigned depth_at(uint32_t at)
{
	unsigned n = 0;
	while (buf[at])
		if (buf[at] >= 0xc0) {
			uint32_t to = get_u16(buf + at) & 0x3fff;
			ck_assert_uint_lt(to, at);
			at = to;
			n++;
		} else {
			at += buf[at] + 1u;
		}
	return n;
}

START_TEST(names_of_the_old_types_are_compressed)
{
	ask("www.example.test.", 512);
	ck_assert(put_name("www.example.test.", TYPE_CNAME, "host.example.test."));
	/* 12 header, 21 name and type of the question; owner 2 + 18? its own pointer below */
	uint32_t at = HEADER_LEN + question.wire_len;
	ck_assert_uint_eq(get_u16(buf + at), 0xc000 | HEADER_LEN);
	ck_assert_uint_eq(get_u16(buf + at + 10), 7); /* 4host and a pointer */
	ck_assert_mem_eq(buf + at + 12, "\4host\xc0\x10", 7);
	ck_assert(put_name("host.example.test.", TYPE_MX, "HOST.Example.test."));
	writer_finish(&writer, 0, 0);
	ck_assert_uint_eq(get_u16(buf + writer.len - 2), 0xc000 | (at + 12));
}
END_TEST

START_TEST(names_of_other_types_are_not)
{
	static const uint16_t types[] = { TYPE_SRV, TYPE_DNAME };
	for (size_t i = 0; i < array_len(types); i++) {
		ask("a.example.test.", 512);
		ck_assert(put_name("a.example.test.", types[i], "a.example.test."));
		ck_assert_mem_eq(buf + writer.len - 16, "\1a\7example\4test", 16);
	}
}
END_TEST

START_TEST(what_does_not_fit_leaves_no_trace)
{
	ask("a.example.test.", 512);
	uint32_t len = writer.len;
	writer.limit = len + 20;
	ck_assert(!put_name("a.example.test.", TYPE_CNAME, "quite-long-a-label.other.test."));
	ck_assert_uint_eq(writer.len, len);
	ck_assert_uint_eq(writer.count[SECTION_ANSWER], 0);
	writer.limit = 512;
	/* The names of the record that was taken back must not be pointed to. */
	ck_assert(put_name("a.example.test.", TYPE_A + 0, "."));
	ck_assert(put_name("a.example.test.", TYPE_CNAME, "quite-long-a-label.other.test."));
	ck_assert(put_name("other.test.", TYPE_CNAME, "b.quite-long-a-label.other.test."));
	writer_finish(&writer, 0, 0);
	struct reader r;
	struct reader_record record;
	struct name name;
	uint16_t type, class;
	ck_assert(reader_open(&r, buf, writer.len));
	ck_assert_int_eq(reader_question(&r, &name, &type, &class), 1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(reader_record(&r, &record), 1);
	ck_assert(name_is_equal(record.owner.bytes, name_of("other.test.").bytes));
}
END_TEST

static void random_name(char *out, uint64_t *state)
{
	static const char *const labels[] = { "a", "b", "example", "test", "A", "long-label",
		"c.d", "x.y.z", "Example" };
	unsigned n = next_random(state) % 6;
	out[0] = 0;
	for (unsigned i = 0; i < n; i++) {
		strcat(out, labels[next_random(state) % array_len(labels)]);
		strcat(out, ".");
	}
	strcat(out, n ? "" : ".");
}

struct wrote {
	char owner[128], target[128];
	uint16_t type;
};

/* What was written is what is read, whatever was taken back in between. */
START_TEST(any_sequence_of_names_is_read_back)
{
	static struct wrote wrote[8000];
	uint64_t state = 1;
	for (unsigned round = 0; round < 60; round++) {
		unsigned n = 0, kept = 0;
		struct writer_mark mark = { 0 };
		ask("a.Example.test.", round % 2 ? 2000 : MESSAGE_MAX_LEN);
		for (unsigned i = 0; i < (round % 2 ? 60u : 4000u); i++) {
			struct wrote *w = &wrote[n];
			random_name(w->owner, &state);
			random_name(w->target, &state);
			w->type = next_random(&state) % 3 ? TYPE_CNAME : TYPE_SRV;
			if (i % 7 == 0) {
				mark = writer_mark(&writer);
				kept = n;
			}
			n += put_name(w->owner, w->type, w->target);
			if (i % 7 == 5 && next_random(&state) % 2) {
				writer_rollback(&writer, &mark);
				n = kept;
			}
		}
		writer_finish(&writer, 0, 0);
		struct reader r;
		struct reader_record record;
		struct name name;
		uint16_t type, class;
		ck_assert(reader_open(&r, buf, writer.len));
		ck_assert_int_eq(reader_question(&r, &name, &type, &class), 1);
		for (unsigned i = 0; i < n; i++) {
			size_t end;
			unsigned steps = 200;
			uint32_t at = (uint32_t)r.at;
			r.steps = 20000;
			ck_assert_int_eq(reader_record(&r, &record), 1);
			ck_assert_uint_le(depth_at(at), 5);
			ck_assert(name_is_equal(
				record.owner.bytes, name_of(wrote[i].owner).bytes));
			ck_assert_uint_eq(record.type, wrote[i].type);
			size_t head = record.type == TYPE_SRV ? 6 : 0;
			ck_assert_int_eq(name_read(&name, buf, writer.len,
						 record.rdata_at + head, &end, &steps),
				0);
			ck_assert(name_is_equal(name.bytes, name_of(wrote[i].target).bytes));
			ck_assert_uint_eq(end, record.rdata_at + record.rdata_len);
		}
		ck_assert_int_eq(reader_record(&r, &record), 0);
	}
}
END_TEST

START_TEST(an_anchor_is_pointed_to_and_other_names_are_spelt)
{
	static const char apex[] = "\7example\4test";
	ask("a.b.EXAMPLE.test.", 512);
	writer_anchor(&writer, (const uint8_t *)apex, sizeof apex, HEADER_LEN + 4);
	ck_assert(put_name("xexample.test.", TYPE_CNAME, "z.example.test."));
	ck_assert_mem_eq(buf + writer.len - 4, "\1z\xc0\x10", 4);
	ck_assert(put_name("example.test.", TYPE_CNAME, "example.test.other."));
	ck_assert_mem_eq(buf + writer.len - 20, "\7example\4test\5other", 20);
}
END_TEST

UNIT_MAIN("wire/writer", names_of_the_old_types_are_compressed, names_of_other_types_are_not,
	what_does_not_fit_leaves_no_trace, any_sequence_of_names_is_read_back,
	an_anchor_is_pointed_to_and_other_names_are_spelt)

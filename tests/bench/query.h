/* SPDX-License-Identifier: BSD-2-Clause */
/* query.h -- the questions of a load run, as packets
 *
 * What     A file of "name type" lines becomes an array of wire queries, in a
 *          random order that a seed fixes. Names are plain text without escapes.
 * Memory   One block per list, for the run's life.
 * Limits   A name of 255 bytes, 4,000,000 lines.
 */
#ifndef BENCH_QUERY_H
#define BENCH_QUERY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	QUERY_MAX = 12 + 255 + 4 + 11,
	QUERY_LINES_MAX = 4000000
};

struct query_style {
	uint16_t edns_size; /* 0: no OPT record */
	bool dnssec_ok;
	bool recursion; /* RD */
	bool in_order;
	uint64_t seed;
};

struct query {
	uint32_t at;
	uint16_t len;
	uint16_t question_len; /* from byte 12 */
};

struct query_list {
	uint32_t n;
	struct query *all;
	uint8_t *bytes;
};

/* Ends the program with a line on stderr when the file is unusable. */
void query_read_file(
	struct query_list *list, const char *path, const struct query_style *style);

#endif

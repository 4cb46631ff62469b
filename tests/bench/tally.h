/* SPDX-License-Identifier: BSD-2-Clause */
/* tally.h -- what a load run saw, and its report
 *
 * What     Counters and a histogram of waits: 32 steps per power of two, so a
 *          percentile is at most 3 % off; the longest wait is exact.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	TALLY_STEPS = 32,
	TALLY_BUCKETS = 64 * TALLY_STEPS
};

struct tally {
	uint64_t sent, answered, lost, late, own_drops;
	uint64_t mismatched; /* not an answer to what was asked */
	uint64_t unexpected; /* another rcode or number of answers than expected */
	uint64_t truncated, closed, refused_sends;
	uint64_t rcodes[16];
	uint64_t answers, authorities, bytes;
	uint64_t began_ns, ended_ns, cpu_ns;
	uint64_t longest_ns, wait_sum_ns;
	uint64_t waits[TALLY_BUCKETS];
};

static inline uint64_t tally_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void tally_put_wait(struct tally *t, uint64_t ns);
void tally_print(const struct tally *t, FILE *out, bool json);

/* CPU time of the processes, user and system, with the threads that ended. */
uint64_t tally_read_cpu(const int *pids, int n);

#endif

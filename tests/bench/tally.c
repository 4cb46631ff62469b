/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <inttypes.h>
#include <time.h>

static unsigned bucket_of(uint64_t ns)
{
	if (ns < TALLY_STEPS)
		return (unsigned)ns;
	unsigned log = 63 - (unsigned)__builtin_clzll(ns);
	return (log - 4) * TALLY_STEPS + (unsigned)(ns >> (log - 5) & (TALLY_STEPS - 1));
}

static uint64_t bucket_end(unsigned bucket)
{
	if (bucket < TALLY_STEPS)
		return bucket;
	unsigned log = bucket / TALLY_STEPS + 4;
	return (((uint64_t)(TALLY_STEPS + bucket % TALLY_STEPS) + 1) << (log - 5)) - 1;
}

void tally_put_wait(struct tally *t, uint64_t ns)
{
	t->waits[bucket_of(ns)]++;
	t->wait_sum_ns += ns;
	t->longest_ns = tally_max(t->longest_ns, ns);
}

static double percentile_us(const struct tally *t, double part)
{
	uint64_t n = 0, rank = (uint64_t)(part * (double)t->answered);
	for (unsigned i = 0; i < TALLY_BUCKETS; i++) {
		n += t->waits[i];
		if (n > rank)
			return (double)(bucket_end(i) < t->longest_ns ? bucket_end(i)
								      : t->longest_ns) /
			       1e3;
	}
	return (double)t->longest_ns / 1e3;
}

uint64_t tally_read_cpu(const int *pids, int n)
{
	uint64_t sum = 0;
	for (int i = 0; i < n; i++) {
		struct timespec t;
		clockid_t clock;
		if (!clock_getcpuclockid(pids[i], &clock) && !clock_gettime(clock, &t))
			sum += (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return sum;
}

struct row {
	const char *name;
	double value;
};

void tally_print(const struct tally *t, FILE *out, bool json)
{
	double seconds = (double)(t->ended_ns - t->began_ns) / 1e9;
	double answered = t->answered ? (double)t->answered : 1;
	const struct row rows[] = {
		{ "seconds", seconds },
		{ "sent", (double)t->sent },
		{ "answered", (double)t->answered },
		{ "qps", seconds > 0 ? (double)t->answered / seconds : 0 },
		{ "cpu-us", (double)t->cpu_ns / 1e3 / answered },
		{ "lost", (double)t->lost },
		{ "late", (double)t->late },
		{ "own-drops", (double)t->own_drops },
		{ "mismatched", (double)t->mismatched },
		{ "unexpected", (double)t->unexpected },
		{ "truncated", (double)t->truncated },
		{ "closed", (double)t->closed },
		{ "refused-sends", (double)t->refused_sends },
		{ "answers", (double)t->answers / answered },
		{ "authorities", (double)t->authorities / answered },
		{ "bytes", (double)t->bytes / answered },
		{ "mean-us", (double)t->wait_sum_ns / 1e3 / answered },
		{ "p50-us", percentile_us(t, 0.5) },
		{ "p99-us", percentile_us(t, 0.99) },
		{ "p999-us", percentile_us(t, 0.999) },
		{ "longest-us", (double)t->longest_ns / 1e3 },
	};
	fputs(json ? "{" : "", out);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		fprintf(out, json ? "\"%s\": %.3f, " : "%-14s %.3f\n", rows[i].name,
			rows[i].value);
	fputs(json ? "\"rcodes\": {" : "", out);
	const char *comma = "";
	for (unsigned i = 0; i < 16; i++) {
		if (!t->rcodes[i])
			continue;
		fprintf(out, json ? "%s\"%u\": %" PRIu64 : "%srcode %-8u %" PRIu64 "\n", comma,
			i, t->rcodes[i]);
		comma = json ? ", " : "";
	}
	fputs(json ? "}}\n" : "", out);
}

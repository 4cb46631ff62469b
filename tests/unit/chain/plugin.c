/* SPDX-License-Identifier: BSD-2-Clause */
/* A link for test_load, as a shared object; WRONG says what is wrong with it. */
#include "chain/link.h"

#define GOOD      0
#define ABI       1
#define NO_SYMBOL 2
#define KIND      3
#define ROWS      4
#define TWICE     5
#define CALLS     6
#define WAITS     7

static const struct link_option rows[] = {
	{ .key = "size", .kind = LINK_OPTION_NUMBER, .help = "A number." },
	{ .key = WRONG == TWICE  ? "size"
		 : WRONG == ROWS ? "Odd Key"
				 : "name",
		.kind = LINK_OPTION_TEXT,
		.help = "A word." },
};

static void *prepare(const struct link_given *given, char *error, size_t error_size)
{
	static int data;
	(void)given, (void)error, (void)error_size;
	return &data;
}

static void release(void *data)
{
	(void)data;
}

static void *open_link(void *data, const struct link_calls *calls, void *inside)
{
	(void)calls, (void)inside;
	return data;
}

static enum link_verdict ask(void *instance, struct link_ask *question, void **state)
{
	(void)instance, (void)question, (void)state;
	return LINK_PASS;
}

#if WRONG == NO_SYMBOL
#define rootward_link another_link
#endif
extern const struct link rootward_link;
const struct link rootward_link = { .abi = WRONG == ABI ? 99 : ROOTWARD_LINK_ABI,
	.kind = WRONG == KIND ? "has/slash" : "tried",
	.help = "Is tried.",
	.options = rows,
	.options_n = 2,
	.is_local = WRONG != WAITS,
	.prepare = WRONG == CALLS ? 0 : prepare,
	.release = release,
	.open = open_link,
	.ask = ask };

/* SPDX-License-Identifier: BSD-2-Clause */
/* rootward.c -- the daemon's command line */
#include "base/clock.h"
#include "ctl/check.h"
#include "ctl/daemon.h"
#include "ctl/option.h"
#include "ctl/words.h"

#include <config.h>
#include <stdio.h>

enum {
	OPT_FILE,
	OPT_TEST,
	OPT_OPTIONS,
	OPT_MANUAL,
	OPT_VERSION,
	OPT_HELP
};

static const struct word_option options[] = {
	[OPT_FILE] = { "-c", "FILE",
		"the configuration; without it /etc/rootward/rootward.yaml" },
	[OPT_TEST] = { "-t", NULL, "check the configuration and its zones, and end" },
	[OPT_OPTIONS] = { "--show-options", NULL,
		"every key of the configuration, its default and range" },
	[OPT_MANUAL] = { "--show-manual", NULL,
		"the same as the part of rootward.yaml(5) made from it" },
	[OPT_VERSION] = { "--version", NULL, "which version this is" },
	[OPT_HELP] = { "--help", NULL, "this text" },
};

static void print_help(void)
{
	(void)puts(
		"usage: rootward [-t] [-c FILE]\n\n"
		"Serves DNS zones. Stays in the foreground; SIGHUP reads again what changed,\n"
		"SIGTERM ends it.\n");
	words_help(options, array_len(options));
}

int main(int argc, char **argv)
{
	uint64_t started_us = clock_mono_us();
	struct words words = { .n = argc, .list = argv, .at = 1, .program = "rootward" };
	const char *path = "/etc/rootward/rootward.yaml", *value;
	bool is_test = false;
	for (int word; (word = words_next(&words, options, array_len(options), &value)) !=
		       WORDS_END;) {
		switch (word) {
		case OPT_FILE:
			path = value;
			break;
		case OPT_TEST:
			is_test = true;
			break;
		case OPT_OPTIONS:
		case OPT_MANUAL:
			option_show(stdout, word == OPT_MANUAL);
			return EXIT_GOOD;
		case OPT_VERSION:
			(void)puts("rootward " PACKAGE_VERSION);
			return EXIT_GOOD;
		case OPT_HELP:
			print_help();
			return EXIT_GOOD;
		case WORDS_OTHER:
			(void)fprintf(stderr,
				"rootward: %s is not expected here; the "
				"configuration is named by -c\n",
				value);
			return EXIT_FAILED;
		default:
			return EXIT_FAILED;
		}
	}
	static const struct check_opts plain;
	return is_test ? check_config(path, &plain) : daemon_run(path, started_us);
}

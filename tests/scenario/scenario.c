/* SPDX-License-Identifier: BSD-2-Clause */
/* scenario [-v] [-s SKIPPED] FILE... -- plays .rpl files, each in a process of its own
 *
 * SKIPPED has lines "PATTERN: REASON"; a pattern (fnmatch) is held against the end of the path:
 * folder and file without ".rpl".
 */
#include "base/mem.h"
#include "scenario/player.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SECONDS = 60, /* of real time, for a scenario under a sanitizer */
	LINE = 1024,
	CODE_FAILED = 1,
	CODE_SKIPPED = 3
};

static unsigned passed, failed, skipped;
static bool is_verbose;

/* "folder/file" of a path. */
static void name_of(char *out, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/'), *from = path;
	for (const char *c = path; slash && c < slash; c++)
		if (*c == '/')
			from = c + 1;
	(void)snprintf(out, size, "%s", from);
	char *dot = strrchr(out, '.');
	if (dot && strcmp(dot, ".rpl") == 0)
		*dot = 0;
}

/* The reason why a scenario is not played, or NULL. */
static const char *find_reason(const char *list, const char *name, char line[LINE])
{
	FILE *file = list ? fopen(list, "re") : NULL;
	const char *reason = NULL;
	while (file && !reason && fgets(line, LINE, file)) {
		char *colon = strchr(line, ':');
		if (*line == '#' || !colon)
			continue;
		line[strcspn(line, "\n")] = 0;
		*colon = 0;
		if (fnmatch(line, name, 0) == 0)
			reason = colon + 1 + strspn(colon + 1, " ");
	}
	if (file)
		(void)fclose(file);
	return reason;
}

static int play_file(const char *path)
{
	static char why[PLAY_WHY];
	struct rpl rpl = { 0 };
	struct err err;
	if (rpl_read(&rpl, path, &err) < 0) {
		printf("FAIL %s\n", err.text);
		rpl_fini(&rpl);
		return CODE_FAILED;
	}
	if (!play_is_possible(&rpl)) {
		rpl_fini(&rpl);
		return CODE_SKIPPED;
	}
	bool is_good = play(&rpl, path, is_verbose, why);
	if (!is_good)
		printf("FAIL %s\n", why);
	rpl_fini(&rpl);
	return is_good ? EXIT_SUCCESS : CODE_FAILED;
}

static void run(const char *path)
{
	char name[LINE];
	name_of(name, sizeof name, path);
	(void)fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		(void)alarm(SECONDS);
		int code = play_file(path);
		exit(code);
	}
	int status = -1;
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = -1;
	if (status == 0) {
		passed++;
		printf("passed %s\n", name);
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == CODE_SKIPPED) {
		skipped++;
		printf("skipped: %s: its clock jumps\n", name);
		return;
	}
	failed++;
	if (!WIFEXITED(status))
		printf("FAIL %s: %s\n", name, strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != CODE_FAILED)
		printf("FAIL %s: ended with code %d\n", name, WEXITSTATUS(status));
	printf("failed %s\n", name);
}

int main(int argc, char **argv)
{
	const char *list = NULL, *reason;
	char name[LINE], line[LINE];
	int option;
	while ((option = getopt(argc, argv, "vs:")) != -1) {
		if (option == '?')
			return EXIT_FAILURE;
		is_verbose |= option == 'v';
		list = option == 's' ? optarg : list;
	}
	for (int i = optind; i < argc; i++) {
		name_of(name, sizeof name, argv[i]);
		reason = find_reason(list, name, line);
		if (!reason) {
			run(argv[i]);
			continue;
		}
		skipped++;
		printf("skipped: %s: %s\n", name, reason);
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

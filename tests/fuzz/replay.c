/* SPDX-License-Identifier: BSD-2-Clause */
/* replay.c -- a fuzz target run over its corpus, without libFuzzer
 *
 * What     tests/fuzz/replay_NAME runs over every file of tests/fuzz/corpus/NAME, or over the
 *          files it is given. An input that takes ten seconds is as bad as one that crashes.
 */
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SECONDS = 10,
	LARGEST = 1 << 22
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		printf("FAIL %s: %s\n", path, strerror(errno));
		return -1;
	}
	uint8_t *room = mem_new(LARGEST);
	size_t n = fread(room, 1, LARGEST, file);
	fclose(file);
	/* Of its exact size, so that a read behind its end is one behind the allocation. */
	uint8_t *data = mem_new(n ? n : 1);
	memcpy(data, room, n);
	mem_free(room);
	/* What crashes is the last line of the log. */
	printf("%s\n", path);
	fflush(stdout);
	alarm(SECONDS);
	LLVMFuzzerTestOneInput(data, n);
	alarm(0);
	mem_free(data);
	return 0;
}

static void replay_folder(const char *folder, int *passed, int *failed)
{
	DIR *dir = chdir(folder) == 0 ? opendir(".") : NULL;
	if (!dir) {
		printf("FAIL %s: %s\n", folder, strerror(errno));
		++*failed;
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			*(replay_file(entry->d_name) ? failed : passed) += 1;
	closedir(dir);
}

int main(int argc, char **argv)
{
	int passed = 0, failed = 0;
	const char *root = getenv("srcdir"), *name = strstr(argv[0], "replay_");
	for (int i = 1; i < argc; i++)
		*(replay_file(argv[i]) ? &failed : &passed) += 1;
	if (argc == 1 && name) {
		char folder[4096];
		snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", root ? root : ".",
			name + strlen("replay_"));
		replay_folder(folder, &passed, &failed);
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed ? EXIT_FAILURE : EXIT_SUCCESS;
}

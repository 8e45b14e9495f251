/*
 * replay.c - runs a fuzzer's function over files, each in a heap block of
 * exact size: the corpus as a test, without libFuzzer.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 64 << 20 };

static int
replay(const char *path)
{
	struct buf bytes;
	uint8_t *exact;
	size_t n;
	int rc;

	buf_init(&bytes, INPUT_MAX);
	if ((rc = file_read(path, &bytes, NULL)) == 0) {
		n = buf_len(&bytes);
		exact = malloc(n != 0 ? n : 1);
		if (exact == NULL)
			abort();
		memcpy(exact, buf_slice(&bytes).p, n);
		(void)LLVMFuzzerTestOneInput(exact, n);
		free(exact);
	}
	buf_fini(&bytes);
	printf("%s - %s\n", rc == 0 ? "ok" : "not ok", path);
	fflush(stdout);
	return rc;
}

int
main(int argc, char **argv)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;
	int bad = 0;

	if (argc != 2 || (dir = opendir(argv[1])) == NULL) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		bad += replay(path) != 0;
	}
	closedir(dir);
	return bad != 0;
}

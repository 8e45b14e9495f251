/*
 * traces.h - the files of STATE/trace, as submitd writes them (its trace.h):
 * found, read, removed.
 *
 * A line is "TIME info submitd ID EVENT key=value...".  ID is a connection's
 * or, with a Q in front, a mail's; id= and from-id= tell of a mail too.
 */
#ifndef ADMIN_TRACES_H
#define ADMIN_TRACES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

/* A day's bytes, as long as it was when it was opened. */
struct traces_file {
	char *path;
	int64_t day; /* since 1970 */
	struct slice text;
};

struct traces {
	struct traces_file *v; /* the oldest first */
	size_t n, cap;
};

/* No folder: no files.  Mapped: nothing is read yet. */
void traces_open(struct traces *t, const char *state_dir);
void traces_close(struct traces *t);

/* Removes what is `days` old or older by now_sec; how many files. */
size_t traces_expire(const char *state_dir, uint64_t days, int64_t now_sec);

struct traces_line {
	struct slice text; /* all of it */
	struct slice at, id, event, pairs;
};
/* Takes the next whole, good line off *rest; false: there is none. */
bool traces_next(struct slice *rest, struct traces_line *out);

/* Takes the next pair off *pairs; the value without its quotes.  What is no
 * pair is skipped. */
bool traces_pair(
    struct slice *pairs, struct slice *key_out, struct slice *value_out);

#endif

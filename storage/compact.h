/*
 * compact.h - space comes back: what a hollow segment still holds moves to the
 * keeper's own, the index points there, then the file goes (FORMAT 6).  For
 * the keeper, in storage/ only.
 */
#ifndef STORAGE_COMPACT_H
#define STORAGE_COMPACT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;
struct compact;

struct compact *compact_new(void);
void compact_free(struct compact **c);

/* A bounded piece of work; *more_out: more waits. */
PH_MUSTUSE int compact_step(struct store *s, struct compact *c, bool *more_out);
/* Has all that is of use in this segment been moved (bodies and notes)? */
bool compact_done(const struct compact *c, uint32_t number);
/* The segment is gone. */
void compact_forget(struct compact *c, uint32_t number);

#endif

/*
 * recover.h - what the helper does alone before any daemon opens the store
 * (FORMAT 6): segments that were being written are measured, bodies that may
 * not have reached the disk are verified.  For storage/ only.
 */
#ifndef STORAGE_RECOVER_H
#define STORAGE_RECOVER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;

/* Right after the index is open: ERR_CORRUPT when it is new but there is mail,
 * that is, when an index was lost. */
PH_MUSTUSE int recover_check(struct store *s, struct err *e);

/* With all parts of the store running.  May be repeated at any point. */
PH_MUSTUSE int recover_bodies(struct store *s, struct err *e);

/* recover_bad.c: messages with one of these bodies become expunged UIDs, queue
 * rows with one go.  Slow: reads whole tables. */
PH_MUSTUSE int recover_bad(struct store *s, const uint64_t *bodies, size_t n);

#endif

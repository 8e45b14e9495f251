/*
 * gone_trim.h - the gone table stays small: of each folder the newest UIDs
 * are kept.  Who asks for older ones is told all that is missing (RFC 7162
 * 3.2.5.2).  For the keeper, in storage/ only.
 */
#ifndef STORAGE_GONE_TRIM_H
#define STORAGE_GONE_TRIM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;

enum { GONE_KEEP = 100000 }; /* UIDs of a folder; trimmed at twice as many */

/* Looks at one folder, the first >= *next; moves *next behind it.  *more_out
 * false: there are no more. */
PH_MUSTUSE int gone_trim_step(
    struct store *s, uint32_t keep, uint64_t *next, bool *more_out);

#endif

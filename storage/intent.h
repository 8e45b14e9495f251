/*
 * intent.h - large expunges as a whole (FORMAT, table intent): what shall go is
 * written in one transaction, and then goes in as many as it takes.  For
 * storage/ only; the beginning of it is msg_expunge_all() in msg.h.
 */
#ifndef STORAGE_INTENT_H
#define STORAGE_INTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;

/* Does what was left behind: those made at or before `until` (seconds), at
 * most `most` parts of them.  *more_out: others wait. */
PH_MUSTUSE int intents_finish(
    struct store *s, int64_t until, size_t most, bool *more_out);

#endif

/*
 * sweep.h - mail that POP3 left behind goes, where its owner wants that
 * (struct account, pop3_remove_sec).  For the keeper; for storage/ only.
 *
 * A message goes when each POP3 device of the account has fetched it and the
 * last of them that long ago.  A device is a secret that has logged in by POP3
 * within DEVICE_IDLE_DAYS.  What IMAP has to do with stays: messages that are
 * flagged, answered, drafts, marked deleted or have keywords; and those an
 * IMAP client has been shown and nobody has read there.
 */
#ifndef STORAGE_SWEEP_H
#define STORAGE_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;
struct sweep;

struct sweep *sweep_new(void);
void sweep_free(struct sweep **w);

/* Looks at some more marks; bounded work.  now: seconds.  *more_out false: that
 * was the last of them, and the next call begins anew. */
PH_MUSTUSE int sweep_step(
    struct store *s, struct sweep *w, int64_t now, bool *more_out);

#endif

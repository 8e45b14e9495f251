/*
 * outbox.h - mail that waits lies in the folder Outbox of its sender, where
 * any program can call it back: it goes only while it is still there.
 */
#ifndef STORAGE_OUTBOX_H
#define STORAGE_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;

/* The account's folder "Outbox", made when it is missing.  Not in a
 * transaction. */
PH_MUSTUSE int outbox_folder(
    struct store *s, uint64_t account, uint64_t *folder_out);

/* Is the message still there?  ERR_NOTFOUND: it was deleted or moved away;
 * *wait_out: it is flagged, or about to be deleted. */
PH_MUSTUSE int outbox_look(struct store *s, uint64_t account, uint64_t folder,
    uint32_t uid, bool *wait_out);

#endif

/*
 * trash.h - messages that have left their folder, and whose entries, records
 * and bodies wait to be released (FORMAT 3, table trash): a large expunge
 * takes them out of sight at once and leaves the rest to the keeper.  For
 * storage/ only.
 */
#ifndef STORAGE_TRASH_H
#define STORAGE_TRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct db_txn;
struct store;

/* UIDs rising, not in the folder's hot any more. */
PH_MUSTUSE int trash_put(struct db_txn *t, uint64_t account, uint64_t folder,
    const uint32_t *uids, size_t n);
/* Releases some of them: one transaction.  *more_out: others wait. */
PH_MUSTUSE int trash_step(struct store *s, bool *more_out);

/* A row, for verify.c: UIDs first..last, first..last, ... of the folder. */
struct trash_range {
	uint64_t account, folder;
	uint32_t first, last;
};
/* All there are; the caller frees. */
PH_MUSTUSE int trash_list(
    struct db_txn *t, struct trash_range **v_out, size_t *n_out);

#endif

/*
 * gone.h - the gone table (FORMAT 3): UIDs that left a folder, by MODSEQ.
 * Inside transactions; for storage/ only.
 */
#ifndef STORAGE_GONE_H
#define STORAGE_GONE_H

#include "lib/db/db.h"

/* UIDs rising; written in parts. */
PH_MUSTUSE int gone_put(struct db_txn *t, uint64_t folder, uint64_t modseq,
    const uint32_t *uids, size_t n);
/* UIDs that left at a MODSEQ > modseq, rising; the caller frees. */
PH_MUSTUSE int gone_since(struct db_txn *t, uint64_t folder, uint64_t modseq,
    uint32_t **uids_out, size_t *n_out);
/* All rows of a folder that ends. */
PH_MUSTUSE int gone_drop(struct db_txn *t, uint64_t folder);

#endif

/*
 * submit_txn.h - submit.h inside a delivery; for deliver.c.
 */
#ifndef STORAGE_SUBMIT_TXN_H
#define STORAGE_SUBMIT_TXN_H

#include "lib/db/db.h"
#include "storage/deliver_plan.h"

/* Before anything else of the transaction: ERR_LIMIT. */
PH_MUSTUSE int submit_begin(struct db_txn *t, struct plan *p);
/* Rows of the message that are under way still are to go no further. */
PH_MUSTUSE int submit_recall_txn(
    struct db_txn *t, int64_t now, uint64_t account, uint64_t body);
/* When UIDs are known: rows of the queue learn where their copies are. */
void submit_place(struct plan *p);
/* Behind everything else: ERR_EXISTS: it was accepted before. */
PH_MUSTUSE int submit_end(struct db_txn *t, struct plan *p);

#endif

/*
 * submit_txn.h - submit.h inside a delivery; for deliver.c.
 */
#ifndef STORAGE_SUBMIT_TXN_H
#define STORAGE_SUBMIT_TXN_H

#include "lib/db/db.h"
#include "storage/deliver_plan.h"

/* Before anything else of the transaction: ERR_LIMIT. */
PH_MUSTUSE int submit_begin(struct db_txn *t, struct plan *p);
/* When UIDs are known: rows of the queue learn where their copies are. */
void submit_place(struct plan *p);
/* Behind everything else: ERR_EXISTS: it was accepted before. */
PH_MUSTUSE int submit_end(struct db_txn *t, struct plan *p);

#endif

/*
 * queue_txn.h - the queue's rows inside somebody's transaction; for deliver.c.
 */
#ifndef STORAGE_QUEUE_TXN_H
#define STORAGE_QUEUE_TXN_H

#include "lib/db/db.h"
#include "storage/queue.h"

/* Writes row and due entry; row->id and row->body are set. */
PH_MUSTUSE int queue_put_txn(struct db_txn *t, const struct queue_row *row);
/* Replaces (all but id and body) or (row NULL) removes.  ERR_NOTFOUND.
 * *unref_out: the body id that lost a reference, or 0; the caller then calls
 * body_unref() in the tables' order. */
PH_MUSTUSE int queue_change_txn(
    struct db_txn *t, const struct queue_change *ch, uint64_t *unref_out);
/* After the commit: tells the runner of an account's row, or (0) of many. */
void queue_notify(struct store *s, uint64_t id, uint64_t account);

#endif

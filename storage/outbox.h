/*
 * outbox.h - mail that waits lies in the folder Outbox of its sender, where
 * any program can call it back: it goes only while it is still there.
 *
 * One entry stands for all rows of the queue with the same message: each holds
 * it (FORMAT, table box), and it goes with the last of them.
 */
#ifndef STORAGE_OUTBOX_H
#define STORAGE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct db_txn;
struct queue_row;
struct store;

/* The account's folder "Outbox", made when it is missing.  Not in a
 * transaction. */
PH_MUSTUSE int outbox_folder(
    struct store *s, uint64_t account, uint64_t *folder_out);

/* Is the message still there?  ERR_NOTFOUND: it was deleted or moved away;
 * *wait_out: it is flagged, or about to be deleted. */
PH_MUSTUSE int outbox_look(struct store *s, uint64_t account, uint64_t folder,
    uint32_t uid, bool *wait_out);

/* Where the message of this row lies already because of another of its rows:
 * sets box_folder and box_uid.  ERR_NOTFOUND. */
PH_MUSTUSE int outbox_find(struct store *s, struct queue_row *row);

/* The row ends, with all that hangs on it: it was called back, and so were
 * other rows of the message; or an operator has dropped this one.
 * ERR_NOTFOUND: it is gone already. */
PH_MUSTUSE int outbox_cancel(
    struct store *s, const struct queue_row *row, bool called_back);

/* Folders > after that rows hold something in, rising; at most cap. */
struct outbox_box {
	uint64_t account, folder;
};
PH_MUSTUSE int outbox_list(struct store *s, uint64_t after,
    struct outbox_box *v, size_t cap, size_t *n_out);

/* Rows that hold what is in the folder no more, at most cap.  *since: a MODSEQ
 * of the folder, to what was gone before it nobody listens; 0: look at all.
 * Fewer than cap: it becomes the present one. */
PH_MUSTUSE int outbox_called_back(struct store *s, const struct outbox_box *box,
    uint64_t *since, uint64_t *ids, size_t cap, size_t *n_out);

/* For storage/ only.  The row holds its entry; it does so no more, *last_out:
 * nor does any other; is the entry there? */
PH_MUSTUSE int outbox_hold_txn(struct db_txn *t, const struct queue_row *row);
PH_MUSTUSE int outbox_let_go_txn(struct db_txn *t, uint64_t folder,
    uint32_t uid, uint64_t row, uint64_t body, bool *last_out);
PH_MUSTUSE int outbox_look_txn(struct db_txn *t, uint64_t account,
    uint64_t folder, uint32_t uid, bool *wait_out);

#endif

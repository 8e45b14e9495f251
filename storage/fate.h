/*
 * fate.h - the copy in Sent shows what became of the mail: $Delivered,
 * $Deferred, $Bounced, $Cancelled (FORMAT, table fate), in the transaction of
 * each outcome.
 */
#ifndef STORAGE_FATE_H
#define STORAGE_FATE_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/folder_row.h"
#include "storage/hot.h"
#include "storage/keyword.h"

struct store;

/* An outcome of one row of the queue. */
struct fate {
	uint64_t account, folder; /* of the copy; folder 0: there is none */
	uint32_t uid;
	int64_t rows;   /* more or fewer the mail hangs on: -1, the row is
			 * done for */
	bool bounced;   /* somebody will not get it */
	bool deferred;  /* somebody has to wait */
	bool cancelled; /* called back */
	/* private: how it stood, how it stands now, and the entry */
	bool known, stale, marked;
	uint8_t was_flags, flags;
	uint32_t was_rows, left;
	struct folder_row row;
	struct keywords kw;
	uint64_t made;
	struct hot_entry hot;
};

/* All for deliver(), in this order.  A new copy that hangs on so many rows. */
PH_MUSTUSE int fate_put_txn(struct db_txn *t, uint64_t account, uint64_t folder,
    uint32_t uid, uint32_t rows);
/* Before the transaction: what its keywords will be, since the table stands
 * behind those that they are in. */
PH_MUSTUSE int fate_read(struct store *s, struct fate *f);
PH_MUSTUSE int fate_mark_txn(struct db_txn *t, struct fate *f, struct arena *a);
/* ERR_CONFLICT and f->stale: it has changed since it was read; all again. */
PH_MUSTUSE int fate_txn(struct db_txn *t, struct fate *f);
/* Behind the commit. */
void fate_publish(struct store *s, const struct fate *f);

#endif

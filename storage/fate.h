/*
 * fate.h - the copy in Sent shows what became of the mail: $Delivered,
 * $Deferred, $Bounced, $Cancelled (FORMAT, table fate).
 *
 * What is known is part of the transaction of each outcome; the keywords are
 * set right behind it, and by the keeper when a crash came between.
 */
#ifndef STORAGE_FATE_H
#define STORAGE_FATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct db_txn;
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
	/* private: what is known now */
	uint8_t flags;
	bool known, over;
};

/* A new copy that hangs on so many rows.  For storage/ only, as the next. */
PH_MUSTUSE int fate_put_txn(struct db_txn *t, uint64_t account, uint64_t folder,
    uint32_t uid, uint32_t rows);
PH_MUSTUSE int fate_txn(struct db_txn *t, struct fate *f);
/* Behind the commit. */
void fate_tell(struct store *s, const struct fate *f);

/* Tells what a crash kept from being told; at most `most`. */
PH_MUSTUSE int fate_sweep(struct store *s, size_t most);

#endif

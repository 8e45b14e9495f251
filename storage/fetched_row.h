/*
 * fetched_row.h - rows of the tables device and fetched (FORMAT 3).  Inside
 * transactions; for storage/ only.
 */
#ifndef STORAGE_FETCHED_ROW_H
#define STORAGE_FETCHED_ROW_H

#include "storage/account.h"
#include "storage/hot.h"

enum {
	FETCHED_KEY = 16,
	DEVICE_KEY = 12,
	DEVICES_MAX = 64,     /* of an account; more are not looked at */
	DEVICE_IDLE_DAYS = 90 /* not seen for so long it no longer counts */
};

struct device {
	uint32_t secret;
	int64_t first, last;
};

/* All of the account; *n_out of them in v[DEVICES_MAX]. */
PH_MUSTUSE int device_rows(
    struct db_txn *t, uint64_t account, struct device *v, size_t *n_out);
/* ERR_NOTFOUND. */
PH_MUSTUSE int device_row_get(
    struct db_txn *t, uint64_t account, bool rmw, struct device *d_io);
PH_MUSTUSE int device_row_put(
    struct db_txn *t, uint64_t account, const struct device *d);
PH_MUSTUSE int device_row_del(
    struct db_txn *t, uint64_t account, uint32_t secret);

/* The times of one run and one secret. */
struct fetched_run {
	uint64_t folder;
	uint32_t run; /* UID / HOT_RUN */
	uint32_t secret;
	uint32_t at[HOT_RUN];
};

void fetched_key(
    uint8_t key[FETCHED_KEY], uint64_t folder, uint32_t run, uint32_t secret);
PH_MUSTUSE int fetched_run_decode(
    struct slice key, struct slice value, struct fetched_run *out);
/* Fills at[]; a row that is not there is all 0.  For writing. */
PH_MUSTUSE int fetched_run_get(struct db_txn *t, struct fetched_run *io);
PH_MUSTUSE int fetched_run_put(struct db_txn *t, const struct fetched_run *r);
PH_MUSTUSE int fetched_run_del(struct db_txn *t, const struct fetched_run *r);

#endif

/*
 * db.h - Berkeley DB, and the only door to it.
 *
 * One environment per host, opened once per process after fork.  Every call
 * may block and belongs on a worker thread.  All return 0 or enum ph_err:
 * ERR_NOTFOUND, ERR_EXISTS, ERR_BUSY (deadlock or lock trouble, retries used
 * up), ERR_NOSPACE, ERR_CORRUPT (page checksum; the table is named in the
 * log), ERR_IO.  DB_RUNRECOVERY and a panic event never return: the process
 * ends with _exit(70) and the supervisor recovers (Protocol K).
 *
 * Keys are big-endian so that order is meaning; values start with a format
 * byte.  No record may pass DB_VALUE_MAX, which keeps it on its page.
 */
#ifndef LIB_DB_DB_H
#define LIB_DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
	DB_KEY_MAX = 400,
	DB_PAGE = 4096,
	DB_VALUE_MAX = 980, /* a quarter of a page, less overhead */
	DB_EXIT_PANIC = 70
};

struct db;
struct db_txn;

struct db_table_def {
	const char *name;
	bool keep_pages; /* emptied pages stay in the tree: fewer deadlocks,
			  * but only for tables whose keys come again; with
			  * rising keys the file would grow for ever
			  * (DB_REVSPLITOFF) */
};

struct db_conf {
	const char *dir; /* holds tables, and log/ */
	uint64_t cache_bytes;
	const struct db_table_def *tables; /* static */
	size_t ntables;
};

enum db_mode {
	DB_JOIN,          /* a daemon: the environment must be there */
	DB_RECOVER_ALONE, /* the helper: recover, create what is missing */
	DB_RECOVER_COPY   /* the same of a hot copy: from the log's beginning */
};

PH_MUSTUSE int db_open(const struct db_conf *conf, enum db_mode mode,
    struct db **db_out, struct err *e);
void db_close(struct db **db);

/*
 * Runs fn inside one transaction, with one fixed order of tables and
 * ascending keys.  fn returns 0 to commit (without waiting for the disk: see
 * db_flush) or an error to abort; ERR_BUSY from any call inside must be
 * returned as it is: then all is undone and fn runs again, after a pause with
 * jitter, at most 12 times.  fn must therefore start afresh each time.
 */
PH_MUSTUSE int db_update(
    struct db *db, int (*fn)(struct db_txn *t, void *arg), void *arg);
/* Runs fn reading only: what it has read stays as it is until it ends, since
 * writers of those pages wait meanwhile.  Short, therefore; runs again like an
 * update when it was in a deadlock.  A thread has one transaction at a time. */
PH_MUSTUSE int db_read(
    struct db *db, int (*fn)(struct db_txn *t, void *arg), void *arg);
/* The same for walks over much: only the page at hand is held, so what was
 * read may have changed since. */
PH_MUSTUSE int db_walk(
    struct db *db, int (*fn)(struct db_txn *t, void *arg), void *arg);

/* table: index into db_conf.tables.  The value is copied to to[cap];
 * ERR_CORRUPT when it is longer. */
PH_MUSTUSE int db_get(struct db_txn *t, unsigned table, struct slice key,
    void *to, size_t cap, size_t *n_out);
/* The same, taking the write lock at once (read-modify-write). */
PH_MUSTUSE int db_get_rmw(struct db_txn *t, unsigned table, struct slice key,
    void *to, size_t cap, size_t *n_out);
PH_MUSTUSE int db_put(
    struct db_txn *t, unsigned table, struct slice key, struct slice value);
/* ERR_EXISTS when the key is there. */
PH_MUSTUSE int db_insert(
    struct db_txn *t, unsigned table, struct slice key, struct slice value);
PH_MUSTUSE int db_del(struct db_txn *t, unsigned table, struct slice key);
/* n keys of key_bytes each, side by side, rising; those that are not there are
 * passed over. */
PH_MUSTUSE int db_del_keys(struct db_txn *t, unsigned table, const void *keys,
    size_t key_bytes, size_t n);

/*
 * A scan over [from, to) in key order, in bulk; to.p == NULL means the end of
 * the table.  Borrowed key and value last until the next call.  Lives inside
 * one function; db_scan_fini always.
 */
struct db_scan;
PH_MUSTUSE int db_scan_init(struct db_txn *t, unsigned table, struct slice from,
    struct slice to, struct db_scan **scan_out);
/* ERR_NOTFOUND at the end. */
PH_MUSTUSE int db_scan_next(
    struct db_scan *s, struct slice *key_out, struct slice *value_out);
void db_scan_fini(struct db_scan **s);
/* The last record before `before` that starts with `prefix`;
 * before.p == NULL: the last with the prefix. */
PH_MUSTUSE int db_last(struct db_txn *t, unsigned table, struct slice prefix,
    struct slice before, void *key, size_t key_cap, size_t *key_n_out,
    void *value, size_t value_cap, size_t *value_n_out);

/* Everything committed by this process before the call is on disk after. */
PH_MUSTUSE int db_flush(struct db *db);
/* Checkpoint when kbytes of log or `minutes` have passed; 0, 0: always. */
PH_MUSTUSE int db_checkpoint(struct db *db, uint32_t kbytes, uint32_t minutes);

/* A hot copy of tables and log into dir, which is empty; for one process at a
 * time.  To be opened with DB_RECOVER_COPY. */
PH_MUSTUSE int db_backup(struct db *db, const char *dir, struct err *e);

struct db_stats {
	uint64_t locks_max, locks_peak, lockers_peak, deadlocks;
	uint64_t cache_hit, cache_miss, log_bytes, txns_active;
	int64_t last_checkpoint_sec;
};
PH_MUSTUSE int db_stats_get(struct db *db, struct db_stats *out);

/* Length of the longest this thread's process has one call running, ms. */
uint64_t db_oldest_call_ms(struct db *db);

#endif

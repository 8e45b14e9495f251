/*
 * db_priv.h - what the files of lib/db share: environment, calls in progress,
 * and the one place every return code passes.  For lib/db only.
 */
#ifndef LIB_DB_DB_PRIV_H
#define LIB_DB_DB_PRIV_H

#include <db.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/db/db.h"

/* A thread that has called; its memory goes when it ends. */
struct db_thread {
	struct db *db;
	struct db_thread *next;
	_Atomic uint64_t since_ms; /* the running call; 0: none */
	unsigned depth;
	unsigned table; /* of the call at work, for messages */
	bool in_txn;
	bool damage;          /* the library spoke of a bad page, */
	bool forgiven;        /* and its panic was taken back */
	uint64_t jitter;      /* state of a small generator */
	struct db_scan *idle; /* one scan kept with its memory */
};

struct db {
	DB_ENV *env;
	DB **tables;
	const struct db_table_def *defs;
	size_t ntables;
	char *dir;
	pthread_key_t key;
	pthread_mutex_t mtx; /* guards threads */
	struct db_thread *threads;
	bool recovering;
	bool from_copy;
	bool have_key;
};

struct db_txn {
	struct db *db;
	DB_TXN *txn;
	struct db_thread *th;
	u_int32_t begin; /* flags of txn_begin */
	bool reading;
	int broken; /* ERR_BUSY once a call has lost its locks */
};

/* The settings every process must agree on; call before opening. */
PH_MUSTUSE int db_env_settings(
    struct db *db, const struct db_conf *conf, struct err *e);

/* This thread's own; marks the begin of a call. */
struct db_thread *db_enter(struct db *db);
void db_leave(struct db_thread *th);
void db_thread_free(struct db_thread *th);

/* From Berkeley DB's return code to ours; ends the process when the
 * environment is lost.  op: static text for the log. */
int db_code(struct db *db, int ret, const char *op);
/* The same inside a transaction, which a deadlock breaks. */
int db_txn_code(struct db_txn *t, int ret, const char *op);

/* May such a record be put?  Logged if not. */
bool db_fits(struct db_txn *t, unsigned table, struct slice key, size_t n);

void db_scan_free_idle(struct db_thread *th);

#endif

/*
 * db_many.h - many records of one table inside a transaction (db.h), in rising
 * order of their keys: what is to be changed is looked for once, and neighbours
 * on a page can cost one way down the tree among them.
 */
#ifndef LIB_DB_DB_MANY_H
#define LIB_DB_DB_MANY_H

#include "lib/db/db.h"

/* Goes from record to record and changes some, or adds.  Lives inside one
 * function; db_edit_fini always.  After a call that failed only _seek and
 * _insert know where they are. */
enum db_near {
	DB_FAR, /* each record on a page of its own, most likely */
	DB_NEAR /* looks for it on the page of the one before, first */
};
struct db_edit;
PH_MUSTUSE int db_edit_init(struct db_txn *t, unsigned table, enum db_near near,
    struct db_edit **e_out);
/* The value is copied to to[cap], ERR_CORRUPT when it is longer; takes the
 * write lock.  ERR_NOTFOUND: then what follows may not be called. */
PH_MUSTUSE int db_edit_seek(
    struct db_edit *e, struct slice key, void *to, size_t cap, size_t *n_out);
/* Overwrites bytes of the record sought, which has them. */
PH_MUSTUSE int db_edit_patch(struct db_edit *e, size_t at, struct slice bytes);
/* Its whole value anew. */
PH_MUSTUSE int db_edit_put(struct db_edit *e, struct slice value);
/* A record that need not be there, and is the one sought then. */
PH_MUSTUSE int db_edit_insert(
    struct db_edit *e, struct slice key, struct slice value);
/* Deletes it. */
PH_MUSTUSE int db_edit_del(struct db_edit *e);
void db_edit_fini(struct db_edit **e);

/* Deletes what is added.  Nothing need be written before the end. */
struct db_many;
void db_many_init(struct db_txn *t, unsigned table, struct db_many **m_out);
/* ERR_NOTFOUND: one of those so far was not there; the transaction must not go
 * on. */
PH_MUSTUSE int db_many_del(struct db_many *m, struct slice key);
/* rc != 0: no more is written.  Frees in any case; rc, or what came of it. */
PH_MUSTUSE int db_many_end(struct db_many **m, int rc);

#endif

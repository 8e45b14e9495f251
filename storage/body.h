/*
 * body.h - rows of the body table: where bytes are and who holds them.
 * Inside transactions; for storage/ only.
 */
#ifndef STORAGE_BODY_H
#define STORAGE_BODY_H

#include "lib/base/arena.h"
#include "lib/db/db.h"
#include "storage/segment.h"

struct db_edit; /* lib/db/db_many.h */

/* A new row with so many references; adds to its segment's live bytes. */
PH_MUSTUSE int body_add(
    struct db_txn *t, const struct body_loc *loc, uint32_t references);
/* The same of many, ids rising, but for the live bytes, which are the caller's:
 * e is of T_BODY.  shared: what all its message records have in common
 * (message.h), kept with it; or empty. */
PH_MUSTUSE int body_put_at(struct db_edit *e, const struct body_loc *loc,
    uint32_t references, struct slice shared);
/* That, in the arena.  ERR_NOTFOUND. */
PH_MUSTUSE int body_shared(
    struct db_txn *t, uint64_t id, struct arena *a, struct slice *shared_out);
PH_MUSTUSE int body_ref(struct db_txn *t, uint64_t id, uint32_t more);
/* The last reference deletes the row, with what is shared, and takes from the
 * live bytes. */
PH_MUSTUSE int body_unref(struct db_txn *t, uint64_t id, uint32_t fewer);
/* One reference less for each of ids[], which rise and may come several times;
 * of a row that is missing or damaged only `damaged` is told. */
PH_MUSTUSE int body_unref_many(struct db_txn *t, const uint64_t *ids, size_t n,
    void (*damaged)(uint64_t id, int rc));
/* The body's bytes are in another place now, live bytes move along.  Does
 * nothing when they are no longer where `from` says; ERR_NOTFOUND. */
PH_MUSTUSE int body_move(
    struct db_txn *t, const struct body_loc *from, const struct body_loc *to);
PH_MUSTUSE int body_get(
    struct db_txn *t, uint64_t id, struct body_loc *loc_out);

#endif

/*
 * keyword.h - a folder's keywords: names and their bits (FORMAT 3).  Inside
 * transactions; for storage/ only.
 */
#ifndef STORAGE_KEYWORD_H
#define STORAGE_KEYWORD_H

#include "lib/db/db.h"
#include "storage/folder.h"

struct keywords {
	struct slice name[FOLDER_KEYWORDS_MAX]; /* p == NULL: free */
};

/* Names in the arena. */
PH_MUSTUSE int keyword_load(
    struct db_txn *t, uint64_t folder, struct arena *a, struct keywords *out);
/*
 * The bits of these names, ASCII case ignored (RFC 9051 2.3.2).  make: unknown
 * names get a bit, are put into kw (borrowed) and added to *made_out (bits;
 * may be NULL); ERR_LIMIT when all are taken, ERR_INVALID for a name that is
 * too long or empty.  Without make unknown names are left out.
 */
PH_MUSTUSE int keyword_bits(struct db_txn *t, uint64_t folder,
    struct keywords *kw, const struct slice *names, size_t n, bool make,
    uint64_t *bits_out, uint64_t *made_out);
PH_MUSTUSE int keyword_drop(struct db_txn *t, uint64_t folder);

#endif

/*
 * entry.h - a row of the entry table (FORMAT 3): what a folder knows of one
 * message besides its flags.  Inside transactions; for storage/ only.
 */
#ifndef STORAGE_ENTRY_H
#define STORAGE_ENTRY_H

#include "lib/db/db.h"

struct db_edit; /* lib/db/db_many.h */

enum { ENTRY_KEY = 12, ENTRY_UIDL_MAX = 255 };

struct entry {
	int64_t internal_date, save_date;
	uint64_t size; /* prefix and body */
	uint64_t msgid;
	uint32_t uidl_n; /* 0: "UIDVALIDITY.UID" */
	char uidl[ENTRY_UIDL_MAX];
};

/* What every row has. */
struct entry_brief {
	int64_t internal_date, save_date;
	uint64_t size, msgid;
};
static inline struct entry_brief
entry_brief(const struct entry *e)
{
	return (struct entry_brief){ e->internal_date, e->save_date, e->size,
		e->msgid };
}

void entry_key(uint8_t key[ENTRY_KEY], uint64_t folder, uint32_t uid);
/* ERR_NOTFOUND, ERR_CORRUPT.  rmw: takes the write lock. */
PH_MUSTUSE int entry_get(struct db_txn *t, uint64_t folder, uint32_t uid,
    bool rmw, struct entry *out);
PH_MUSTUSE int entry_put(
    struct db_txn *t, uint64_t folder, uint32_t uid, const struct entry *e);
/* The same of many, folders and UIDs rising: at is of T_ENTRY. */
PH_MUSTUSE int entry_put_at(
    struct db_edit *at, uint64_t folder, uint32_t uid, const struct entry *e);
PH_MUSTUSE int entry_decode(struct slice value, struct entry *out);
/* Only that; uidl is part of value. */
PH_MUSTUSE int entry_decode_brief(
    struct slice value, uint64_t *size_out, struct slice *uidl_out);

#endif

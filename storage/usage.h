/*
 * usage.h - what accounts and packages hold, and how much they may (FORMAT,
 * table usage).  Inside transactions; for storage/ only.
 *
 * Limits are copied here from the account and package records, so that a
 * delivery reads two small rows.
 */
#ifndef STORAGE_USAGE_H
#define STORAGE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db/db.h"
#include "storage/uidl.h"

enum { USAGE_PACKAGE_NAME_MAX = 40 }; /* longer: ERR_INVALID */

struct usage_limits {
	uint64_t bytes_max, messages_max; /* 0: none */
};

PH_MUSTUSE int usage_package_set(
    struct db_txn *t, struct slice package, const struct usage_limits *l);
PH_MUSTUSE int usage_package_del(struct db_txn *t, struct slice package);
/* Makes the row, or changes its limits and format of unique-ids. */
PH_MUSTUSE int usage_account_set(struct db_txn *t, uint64_t account,
    struct slice package, const struct usage_limits *l, struct slice uidl);
PH_MUSTUSE int usage_account_del(struct db_txn *t, uint64_t account);

/*
 * Adds (or takes away) bytes and messages for the account and its package.
 * ERR_QUOTA when a limit would be passed and over_ok is false; ERR_NOTFOUND:
 * no such account.  take_ids: so many message ids are taken; the first goes to
 * *first_id_out (may be NULL with 0).
 */
PH_MUSTUSE int usage_charge(struct db_txn *t, uint64_t account, int64_t bytes,
    int64_t messages, bool over_ok, uint32_t take_ids, uint64_t *first_id_out);

/* The same for many accounts at once, which keeps the order of keys: all
 * accounts, then all packages.  items rise by account, none twice.  ERR_QUOTA,
 * ERR_NOTFOUND: *bad_out is the index of the item it was. */
struct usage_item {
	uint64_t account;
	int64_t bytes, messages;
	bool over_ok;
	uint32_t take_ids;
	/* results */
	uint64_t first_id; /* with take_ids */
	uint32_t uidl_n;   /* the format of its unique-ids; 0: the usual */
	char uidl[UIDL_FORMAT_MAX];
};
PH_MUSTUSE int usage_charge_many(
    struct db_txn *t, struct usage_item *items, size_t n, size_t *bad_out);

/* How much more fits into the account and its package, UINT64_MAX where there
 * is no limit.  0, ERR_NOTFOUND. */
PH_MUSTUSE int usage_room(struct db_txn *t, uint64_t account,
    uint64_t *bytes_out, uint64_t *messages_out);

struct usage_row {
	uint64_t bytes, messages, next_msgid;
	struct usage_limits limits;
};
PH_MUSTUSE int usage_account_get(
    struct db_txn *t, uint64_t account, struct usage_row *out);
PH_MUSTUSE int usage_package_get(
    struct db_txn *t, struct slice package, struct usage_row *out);

#endif

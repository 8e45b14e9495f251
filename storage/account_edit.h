/*
 * account_edit.h - what account.c and account_life.c share.  For storage/ only.
 */
#ifndef STORAGE_ACCOUNT_EDIT_H
#define STORAGE_ACCOUNT_EDIT_H

#include "storage/account_row.h"

enum { ACCOUNT_FULL_NAME_MAX = 200 };

/* Sizes and ids of what a caller wants stored. */
PH_MUSTUSE int account_check(const struct account *ac, struct err *e);

/*
 * Writes the record and its secrets, ids, versions and dates filled in, and
 * removes those of `old` that are not among them any more.
 */
PH_MUSTUSE int account_put_secrets(
    struct db_txn *t, struct account_row *row, struct account *old);

/* Takes the account's name off its addresses; an address with no target left
 * goes.  One transaction each; not e-mail addresses of others that lead there
 * through an alias. */
PH_MUSTUSE int account_leave_addresses(struct store *s, struct slice account);

#endif

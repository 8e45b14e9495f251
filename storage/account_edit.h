/*
 * account_edit.h - what account.c and account_life.c share.  For storage/ only.
 */
#ifndef STORAGE_ACCOUNT_EDIT_H
#define STORAGE_ACCOUNT_EDIT_H

#include "storage/account_row.h"

enum { ACCOUNT_FULL_NAME_MAX = 200 };

/* Sizes and ids of what a caller wants stored. */
PH_MUSTUSE int account_check(const struct account *ac, struct err *e);

/* Fills in ids, versions and dates of the secrets. */
void account_settle(struct account_row *row, struct account *old);
/* Writes the record and its secrets, and removes those of `old` that are not
 * among them any more. */
PH_MUSTUSE int account_put_secrets(
    struct db_txn *t, const struct account_row *row, struct account *old);

/*
 * Addresses that shall lead to an account, inside its transaction, in the
 * order of tables: first what is to be made is seen and counted in the
 * domains, then, behind the account's rows, the addresses are written.
 */
struct bind_txn {
	const struct account_bind *bind;
	struct slice account;
	struct slice fresh[ACCOUNT_BIND_MAX]; /* to be made, rising */
	size_t nfresh;
	struct arena *a;
	struct err *e;
};
PH_MUSTUSE int address_bind_count(struct db_txn *t, struct bind_txn *b);
PH_MUSTUSE int address_bind_write(struct db_txn *t, const struct bind_txn *b);

/* A deleted account's name comes off its addresses, but the way back to them
 * is kept; and on again, where they are free and their domain is ours. */
PH_MUSTUSE int account_hide_addresses(struct store *s, struct slice account);
PH_MUSTUSE int account_show_addresses(struct store *s, struct slice account);

/* Takes the account's name off its addresses; an address with no target left
 * goes.  One transaction each; not e-mail addresses of others that lead there
 * through an alias. */
PH_MUSTUSE int account_leave_addresses(struct store *s, struct slice account);

#endif

/*
 * folder_purge.h - everything an account has in folders, removed.  For
 * storage/ only.
 */
#ifndef STORAGE_FOLDER_PURGE_H
#define STORAGE_FOLDER_PURGE_H

#include <stdint.h>

#include "lib/base/ph.h"

struct store;

/* Removes all folders, INBOX too, their messages and the subscriptions, in
 * several transactions.  May be repeated after a crash; an account without
 * folders is no error.  The usage row must still be there. */
PH_MUSTUSE int folder_purge_account(struct store *s, uint64_t account);

#endif

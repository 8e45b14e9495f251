/*
 * warn.h - tells people that their mailbox fills up, and what fills it.
 */
#ifndef ADMIN_WARN_H
#define ADMIN_WARN_H

#include "lib/base/conf.h"
#include "storage/store.h"

/* Looks at all accounts and files a message, in the account's language, with
 * those that have come to 80 or 95 percent; each is told once, until it has
 * come down again.  Blocks; for the keeper. */
PH_MUSTUSE int warn_round(struct store *s, const struct conf *conf);

#endif

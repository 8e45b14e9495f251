/*
 * account_own.h - limits: the operator's, and those an account sets itself
 * within them (RFC 9208 4.1.3).  The lower of the two counts.
 */
#ifndef STORAGE_ACCOUNT_OWN_H
#define STORAGE_ACCOUNT_OWN_H

#include "storage/account.h"
#include "storage/usage.h"

/* What counts; 0: no limit, but of folders always one. */
struct usage_limits account_limits(const struct account *ac);
uint64_t account_folders_max(const struct account *ac);

/* Replaces the account's own limits; those over the operator's are lowered to
 * them.  *out (arena): the account after.  ERR_NOTFOUND. */
PH_MUSTUSE int account_set_own(struct store *s, uint64_t id,
    const struct account_own *own, struct arena *a, struct account *out);

#endif

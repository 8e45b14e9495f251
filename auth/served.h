/*
 * served.h - which SCRAM keys an exchange of a login goes by: its own, or made
 * up for who has none, so that a name nobody has looks like any other.
 */
#ifndef AUTH_SERVED_H
#define AUTH_SERVED_H

#include "auth/auth_priv.h"

/* A secret's keys for this hash, as text; "": it has none, or it expired. */
struct slice served_keys(const struct secret *s, enum crypt_hash hash);

/* The secret whose keys are served: the main password's, else the first that
 * has keys; NULL: they are made up. */
const struct secret *served_secret(
    const struct auth_found *f, enum crypt_hash hash);

/* RFC 5803 3: scheme, "$", keys.  Takes the same time whether the login is
 * somebody's or not. */
void served_print(const struct auth *a, const struct auth_found *f,
    enum crypt_hash hash, struct buf *b);

#endif

/*
 * places.h - where the maildrop of an account was found last, so that the next
 * login need not look.  Part of the process, thread-safe, never blocks: loop.
 */
#ifndef POP3D_PLACES_H
#define POP3D_PLACES_H

#include <stdint.h>

#include "auth/auth.h"

struct places;

struct places *places_new(void);
void places_free(struct places **p);

/* who's folder (who->suffix) has this id, and the program has been noted
 * (marks_login()).  generation: the account's, from before all that. */
void places_put(struct places *p, const struct auth_who *who,
    uint64_t generation, uint64_t folder);
/* The folder, as long as the account is of that generation; 0: not known. */
uint64_t places_get(
    struct places *p, const struct auth_who *who, uint64_t generation);

#endif

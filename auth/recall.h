/*
 * recall.h - whole logins remembered: who it was and that he may, so that the
 * next one from there needs neither the store nor a worker.
 *
 * What is known under a key was read behind the generations that stand with it
 * (storage/generation.h); it is the present state as long as they are the same.
 * Bounded; the least used goes first.  Thread-safe, never blocks: for the loop.
 */
#ifndef AUTH_RECALL_H
#define AUTH_RECALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"
#include "auth/ident.h"

struct recall;

enum { RECALL_KEY = 16 };

/* A keyed hash of everything that a login depends on but the store: what was
 * typed, the password, whence and for what.  None of it is kept otherwise. */
struct recall_key {
	uint8_t mac[RECALL_KEY];
};

/* What an answer depends on. */
struct recall_when {
	uint64_t account, all; /* generations of the account and of 0 */
	uint64_t until_ms;     /* steady */
	int64_t expires_at;    /* of the secret; 0: never */
};

struct recall *recall_new(size_t max);
void recall_free(struct recall **r);

/* A login has come to its good end, and then the generations were read.  It is
 * good for an answer when they were the same at the end of the one before: all
 * that was looked at meanwhile is of that state. */
void recall_put(struct recall *r, const struct recall_key *key,
    const struct recall_when *when, const struct auth_who *who,
    struct slice login);
/* The login as it would end now; the caller compares the generations. */
bool recall_get(struct recall *r, const struct recall_key *key,
    struct recall_when *when_out, struct auth_who *who_out,
    char login_out[IDENT_MAX + 1]);
void recall_forget_all(struct recall *r);

#endif

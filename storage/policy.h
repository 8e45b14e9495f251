/*
 * policy.h - what an account, a package or a domain may send, and how its mail
 * is sent (FORMAT, table policy).
 */
#ifndef STORAGE_POLICY_H
#define STORAGE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct db_txn;
struct store;

enum {
	POLICY_ACCOUNT = 'a',
	POLICY_DOMAIN = 'd',
	POLICY_PACKAGE = 'p',
	POLICY_AS_MAX = 500 /* bytes of send_as */
};

/* 0: not set (an account then has the host's default). */
struct policy_limits {
	uint64_t messages_hour, recipients_hour, recipients_message, new_day;
};

/* "None", stronger than a default. */
#define POLICY_NO_LIMIT UINT64_MAX

struct policy {
	struct policy_limits limits;
	/* of accounts */
	bool sent_copy;       /* the server puts what is sent into Sent */
	bool outbox;          /* what waits is in a folder Outbox */
	uint32_t undo_sec;    /* and everything waits so long */
	struct slice send_as; /* "a@b.example @c.example": may send as these
				 * too, though they do not lead to it */
	struct slice unknown; /* private */
};

/* name: of the account, package or domain, folded.  A row that is not there
 * reads as zeros.  Memory from the arena. */
PH_MUSTUSE int policy_get(struct store *s, char kind, struct slice name,
    struct arena *a, struct policy *out);
/* All zero: the row goes.  Tells every process (NOTIFY_ACCOUNT).  Not checked:
 * whether there is such a name. */
PH_MUSTUSE int policy_set(
    struct store *s, char kind, struct slice name, const struct policy *p);
/* The row of a name that ends; a later one of that name does not inherit.  For
 * storage/ only. */
PH_MUSTUSE int policy_drop(struct db_txn *t, char kind, struct slice name);

#endif

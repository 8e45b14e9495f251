/*
 * sending.h - how much was sent: counters of accounts, domains and packages
 * (FORMAT, table sending).  Exact across processes: counting is part of the
 * transaction that accepts a message.
 *
 * An hour is the six parts of ten minutes up to now, a day the four parts of
 * six hours; so what was sent stops to count in steps, never all at once.
 */
#ifndef STORAGE_SENDING_H
#define STORAGE_SENDING_H

#include "lib/base/err.h"
#include "storage/policy.h"

struct db_txn;
struct store;

enum sending_what { SENDING_MESSAGES, SENDING_RECIPIENTS, SENDING_NEW };

/* Whose counter: name as in policy.h. */
struct sending_level {
	char kind; /* POLICY_ACCOUNT, _DOMAIN, _PACKAGE: in this order */
	struct slice name;
	struct policy_limits limits;
};

struct sending {
	uint64_t account;
	struct sending_level levels[3];
	size_t nlevels;
	const struct slice *rcpts; /* addresses, without doubles */
	size_t nrcpts;
	int64_t now; /* seconds */
	/* results, with ERR_LIMIT */
	const struct sending_level *hit;
	enum sending_what what;
	uint64_t count, limit; /* so many were sent already */
	int64_t free_at;       /* when this message would fit; 0: never */
};

/* Is there a limit that asks for counting? */
bool sending_is_limited(const struct sending *s);

/* Counts one message; ERR_LIMIT: it would be too many, nothing is counted.
 * For storage/ only. */
PH_MUSTUSE int sending_count_txn(struct db_txn *t, struct sending *s);

/* After ERR_LIMIT: *first_out: nobody was told in this window.  Remembers that
 * somebody is told now. */
PH_MUSTUSE int sending_tell(
    struct store *s, const struct sending *what, bool *first_out);

/* What counts now.  For `show`. */
struct sending_use {
	uint64_t messages_hour, recipients_hour, new_day;
};
PH_MUSTUSE int sending_use(struct store *s, char kind, struct slice name,
    int64_t now, struct sending_use *out);

/* The counter of a name that ends, and whom an account that ends has written
 * to.  For storage/ only. */
PH_MUSTUSE int sending_drop(struct db_txn *t, char kind, struct slice name);
PH_MUSTUSE int sending_purge(struct store *s, uint64_t account);

/* Forgets recipients not written to for 90 days: looks at most at `most` rows
 * from *at on (0 at first), which becomes where to go on, or 0 at the end. */
PH_MUSTUSE int sending_sweep(
    struct store *s, int64_t now, size_t most, uint64_t *at);

#endif

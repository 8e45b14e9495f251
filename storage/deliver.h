/*
 * deliver.h - messages become real: one transaction for everything that
 * accepting them means.
 */
#ifndef STORAGE_DELIVER_H
#define STORAGE_DELIVER_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "storage/queue.h"

struct fate;
struct store;
struct submit;

/* A folder that gets the message. */
struct deliver_target {
	uint64_t account;
	uint64_t folder; /* 0: the account's INBOX */
	uint32_t flags;  /* enum msg_flag */
	const struct slice *keywords;
	size_t nkeywords;
	struct slice prefix; /* header lines of this copy alone, with CRLF:
				 * Return-Path, Delivered-To; at most 800 */
	struct slice uidl;   /* POP3 unique-id of an import, at most 70
				 * bytes; empty: "UIDVALIDITY.UID" */
	bool over_quota;     /* deliver even over quota (warnings, DSNs) */
	/* results */
	uint32_t uidvalidity, uid;
	uint64_t msgid;
};

/* One message: bytes are parts[0], parts[1], ... in a row, written once. */
struct deliver_msg {
	const struct slice *parts;
	size_t nparts;
	uint64_t body; /* not 0: its bytes are there, a row of the queue holds
			* them; no parts then */
	int64_t internal_date; /* seconds; 0: now */
	struct deliver_target *targets;
	size_t ntargets;
	struct queue_new *queue; /* rows for other hosts */
	size_t nqueue;
};

/* A message that goes when the new one comes (RFC 8508): what it takes counts
 * no longer. */
struct deliver_gone {
	uint64_t account, folder;
	uint32_t uid;
	/* Not 0: in an Outbox (outbox.h); this row lets go of it, and with the
	 * last it goes. */
	uint64_t row, body;
	bool may_lack; /* and if it has gone already, so much the better */
	bool recalled; /* other rows of the message shall know (submit.h) */
};

/* What lies in an Outbox for a row, or (row NULL) for all of the first
 * message's new ones. */
struct deliver_box {
	const struct deliver_target *target; /* of the first message; NULL: the
						* row says where */
	struct queue_row *row;               /* that of changes[0] */
};

struct deliver {
	struct deliver_msg *msgs; /* APPEND of several is one call */
	size_t nmsgs;
	const struct deliver_gone *gone; /* or NULL */
	/* rows of the queue that change in the same transaction: a final
	 * answer and its DSN are one */
	const struct queue_change *changes;
	size_t nchanges;
	struct deliver_box *box; /* or NULL */
	struct submit *submit;   /* of who has logged in; else NULL */
	struct fate *fate;       /* of the rows that change; or NULL */
	/* result on failure: which message and target it was */
	size_t bad_msg, bad_target;
};

/*
 * All of it or nothing, committed but not yet durable: store_sync() next.
 * ERR_QUOTA, ERR_NOTFOUND (folder or account gone), ERR_LIMIT (keywords),
 * ERR_NOSPACE, ERR_TOOBIG, ERR_CONFLICT (what was to go has gone already).
 * With submit: ERR_EXISTS (it was accepted before) and ERR_LIMIT with a hit in
 * submit->sending.
 */
PH_MUSTUSE int deliver(struct store *s, struct deliver *d, struct err *e);

/* Would `bytes` more fit?  0, ERR_QUOTA, ERR_NOTFOUND.  A hint for RCPT; the
 * transaction decides. */
PH_MUSTUSE int deliver_fits(struct store *s, uint64_t account, uint64_t bytes);
/* True: there was far more room a moment ago.  Never waits: may be asked on a
 * loop. */
bool deliver_fits_known(struct store *s, uint64_t account, uint64_t bytes);

#endif

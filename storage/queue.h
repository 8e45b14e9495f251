/*
 * queue.h - messages for other hosts: envelope and what became of each
 * recipient so far.
 *
 * A row is one sender and up to QUEUE_RCPTS_MAX recipients of one body.  Only
 * submitd's runner works on rows; "active" is its memory, so that after a
 * crash every row is simply due again.
 */
#ifndef STORAGE_QUEUE_H
#define STORAGE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct store;

enum { QUEUE_RCPTS_MAX = 100, QUEUE_REPLY_MAX = 300 };

enum queue_state {
	QUEUE_QUEUED,   /* never tried */
	QUEUE_DEFERRED, /* tried, waits */
	QUEUE_HELD,     /* until an operator releases it */
	QUEUE_SCHEDULED /* not sent yet, not even to folders here: the sender
			 * wants it to wait until next_at */
};

enum queue_rcpt_state {
	RCPT_PENDING,
	RCPT_DELIVERED,
	RCPT_FAILED, /* and reported */
	RCPT_DROPPED /* by an operator */
};

/* RFC 3461 4.1 */
enum {
	NOTIFY_ON_DEFAULT = 0,
	NOTIFY_ON_NEVER = 1,
	NOTIFY_ON_SUCCESS = 2,
	NOTIFY_ON_FAILURE = 4,
	NOTIFY_ON_DELAY = 8
};

struct queue_rcpt {
	struct slice addr;  /* as given, local@domain */
	struct slice orcpt; /* RFC 3461 ORCPT, or empty */
	unsigned notify;
	enum queue_rcpt_state state;
	struct slice reply;  /* the remote's last words, verbatim, or ours */
	struct slice remote; /* "mx.example.net [192.0.2.1]" */
	int64_t tried_at;    /* seconds; 0: never */
};

enum {
	QUEUE_8BIT = 1,     /* BODY=8BITMIME */
	QUEUE_UTF8 = 2,     /* SMTPUTF8 */
	QUEUE_RET_HDRS = 4, /* RFC 3461 4.3 */
	QUEUE_RET_FULL = 8,
	QUEUE_DELAY_TOLD = 16, /* a delay DSN went out */
	QUEUE_DSN = 32,        /* the message is itself a DSN */
	QUEUE_UNSENT = 64      /* recipients as submitted, some of them perhaps
				* here: whoever finds the row due sends it
				* (submitd/release.h) */
};

struct queue_row {
	uint64_t id;
	uint64_t body;
	uint64_t size;
	uint64_t account;    /* who submitted it; 0: nobody here */
	struct slice sender; /* "" for the null sender */
	struct slice envid;
	struct slice msgid; /* the Message-ID field, for listings */
	unsigned flags;
	enum queue_state state;
	uint32_t attempts;
	int64_t created_at, next_at, expire_at; /* seconds */
	/* Its messages in the submitter's folders, 0: none: in Sent, which
	 * shows its fate, and in Outbox, from where it may be called back */
	uint64_t sent_folder, box_folder;
	uint32_t sent_uid, box_uid;
	struct queue_rcpt *rcpts;
	size_t nrcpts;
};

/* A row to be made by deliver(). */
struct queue_new {
	struct queue_row row; /* id, body and size are set by deliver() */
	uint64_t id;          /* 0: a new one, and this is the result */
	bool quiet;           /* the runner need not be told */
};

/* A row to change inside deliver(), or alone by queue_change(). */
struct queue_change {
	uint64_t id;
	const struct queue_row *row; /* NULL: remove it, and its hold on
					 * the body.  id, body and account
					 * stay as they were */
	bool at_work; /* by the runner: when an operator has put the row on
		       * hold meanwhile, it stays held */
};

/* Rows of the account due at `now`, oldest first, at most cap ids; *next_out:
 * when the first of the others is due (INT64_MAX: none; not later than now
 * when cap was reached).  skip(id) true: already at work. */
PH_MUSTUSE int queue_due(struct store *s, uint64_t account, int64_t now,
    uint64_t *ids, size_t cap, bool (*skip)(uint64_t id, void *arg), void *arg,
    size_t *n_out, int64_t *next_out);

/* An account that has rows which are not held, and when the first is due. */
struct queue_sender {
	uint64_t account;
	int64_t next_at;
};
/* Those with account >= from, rising, at most cap.  Takes a seek an account,
 * however many rows it has. */
PH_MUSTUSE int queue_senders(struct store *s, uint64_t from,
    struct queue_sender *v, size_t cap, size_t *n_out);

/* Memory from the arena.  ERR_NOTFOUND. */
PH_MUSTUSE int queue_get(
    struct store *s, uint64_t id, struct arena *a, struct queue_row *row_out);

/* All or nothing: ERR_NOTFOUND when one of them is gone. */
PH_MUSTUSE int queue_change(
    struct store *s, const struct queue_change *ch, size_t n);
/* The same by the runner, which need not be told. */
PH_MUSTUSE int queue_settle(
    struct store *s, const struct queue_change *ch, size_t n);

/* What an operator does to a row, whatever the runner does to it meanwhile:
 * due now; kept until released; released and due now.  ERR_NOTFOUND;
 * ERR_INVALID: not in this state, which is *state_out. */
enum queue_verb { QUEUE_RETRY, QUEUE_HOLD, QUEUE_RELEASE };
PH_MUSTUSE int queue_act(struct store *s, uint64_t id, enum queue_verb verb,
    int64_t now, enum queue_state *state_out);

/* Rows with id > after, rising; at most cap. */
PH_MUSTUSE int queue_list(struct store *s, uint64_t after, struct arena *a,
    struct queue_row *rows, size_t cap, size_t *n_out);

struct queue_counts {
	uint64_t queued, deferred, held, scheduled;
};
PH_MUSTUSE int queue_count(struct store *s, struct queue_counts *out);

/* Bytes [off, off + n) of the row's message. */
PH_MUSTUSE int queue_read(struct store *s, const struct queue_row *row,
    uint64_t off, size_t n, struct buf *out);

/* "Q1A2B3C4": how ids look in logs and commands. */
void queue_id_text(uint64_t id, char out[24]);
bool queue_id_parse(struct slice s, uint64_t *id_out);

#endif

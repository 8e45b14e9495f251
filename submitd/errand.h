/*
 * errand.h - one queue row at work: who is still to get it, what the others'
 * servers said, and what follows from that in one transaction.
 */
#ifndef SUBMITD_ERRAND_H
#define SUBMITD_ERRAND_H

#include <sys/queue.h>

#include "lib/base/arena.h"
#include "lib/daemon/server.h"
#include "storage/queue.h"

struct runner;
struct relay_node;
struct dest;
struct share;
struct lane;

enum { ERRAND_BODY_MAX = 16 << 10 }; /* read together with the row */

enum outcome {
	OUT_NONE, /* not tried */
	OUT_SENT, /* the remote took it */
	OUT_TEMP, /* later again */
	OUT_PERM  /* never */
};

struct errand {
	TAILQ_ENTRY(errand) link; /* waits in lane, or to be written */
	LIST_ENTRY(errand) of_share;
	struct share *share; /* sched.h: whose */
	struct dest *dest;   /* where to */
	struct lane *lane;   /* NULL: not waiting any more */
	struct runner *runner;
	struct relay_node *node; /* whose connection waits till it is written */
	struct arena arena;
	struct queue_row row;
	char domain[256];
	struct slice body;     /* all of it when it is small, or p == NULL */
	enum outcome *out;     /* for each of row.rcpts */
	bool remote_dsn;       /* the remote will tell about success */
	struct slice original; /* not p == NULL: delivered here, and this is
				* the message; there is no row */
	bool gone;             /* written: the row is no more */
	bool planned;          /* the next attempt is */
	int rc;                /* of writing it */
};

TAILQ_HEAD(errand_list, errand);

/* Reads the row; in a job.  ERR_NOTFOUND: it is gone meanwhile. */
PH_MUSTUSE int errand_load(
    struct runner *r, struct store *s, uint64_t id, struct errand **e_out);
/* Of a row that is in the queue, whose message is these bytes: a copy of
 * all. */
struct errand *errand_new(
    const struct queue_row *row, const struct slice *parts, size_t nparts);
void errand_free(struct errand **e);

/* Is this recipient still to be served? */
bool errand_wants(const struct errand *e, size_t rcpt);
/* What became of one recipient (or all that are open): remote is "host [ip]"
 * or "", reply its last words or ours. */
void errand_set(struct errand *e, size_t rcpt, enum outcome out,
    const char *remote, const char *reply);
void errand_set_all(
    struct errand *e, enum outcome out, const char *remote, const char *reply);

/*
 * What follows from the outcomes, in a job.  True: *ch is the row's change, to
 * be written by the caller together with others'.  False: it is written, with
 * its reports (RFC 3464) in one transaction, or e->rc says why not.
 */
bool errand_write(
    struct errand *e, struct server *srv, struct queue_change *ch);

/* It is written: how it stands, for the trace. */
void errand_log_state(const struct errand *e);

/* Milliseconds to wait behind the attempts-th failure: doubles from first to
 * max, less or more by a fifth.  random: any number. */
uint64_t errand_backoff_ms(
    uint64_t first_ms, uint64_t max_ms, uint32_t attempts, uint32_t random);

#endif

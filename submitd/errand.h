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
struct dest;

enum outcome {
	OUT_NONE, /* not tried */
	OUT_SENT, /* the remote took it */
	OUT_TEMP, /* later again */
	OUT_PERM  /* never */
};

struct errand {
	TAILQ_ENTRY(errand) link; /* of those waiting for a connection */
	struct dest *dest;        /* where it waits, or NULL */
	struct runner *runner;
	struct arena arena;
	struct queue_row row;
	char domain[256];
	enum outcome *out;     /* for each of row.rcpts */
	bool remote_dsn;       /* the remote will tell about success */
	struct slice original; /* not p == NULL: delivered here, and this is
				* the message; there is no row */
	struct sjob job;
	void (*committed)(struct errand *e);
	int rc;
};

TAILQ_HEAD(errand_list, errand);

/* Reads the row; in a job.  ERR_NOTFOUND: it is gone meanwhile. */
PH_MUSTUSE int errand_load(
    struct runner *r, struct store *s, uint64_t id, struct errand **e_out);
void errand_free(struct errand **e);

/* Is this recipient still to be served? */
bool errand_wants(const struct errand *e, size_t rcpt);
/* What became of one recipient (or all that are open): remote is "host [ip]"
 * or "", reply its last words or ours. */
void errand_set(struct errand *e, size_t rcpt, enum outcome out,
    const char *remote, const char *reply);
void errand_set_all(
    struct errand *e, enum outcome out, const char *remote, const char *reply);
/* Has every recipient an outcome? */
bool errand_settled(const struct errand *e);

/* Writes outcomes, the next try and the reports that are due (RFC 3464) in one
 * transaction; committed() is called on the loop when it is durable. */
void errand_commit(struct errand *e, struct server_loop *sl,
    void (*committed)(struct errand *e));

/* Milliseconds to wait behind the attempts-th failure: doubles from first to
 * max, less or more by a fifth.  random: any number. */
uint64_t errand_backoff_ms(
    uint64_t first_ms, uint64_t max_ms, uint32_t attempts, uint32_t random);

#endif

/*
 * submission.h - what accepting a message from one of our people means besides
 * its delivery: limits, a copy in Sent, a repetition known as such.  In a job.
 */
#ifndef SUBMITD_SUBMISSION_H
#define SUBMITD_SUBMISSION_H

#include "storage/submit.h"
#include "submitd/dispatch.h"
#include "submitd/fixup.h"
#include "submitd/rights.h"

struct submission {
	struct submit submit; /* for deliver(), both */
	struct deliver_box box;
	/* private */
	struct arena arena;
	struct sending sending;
	struct rights rights;
	bool no_sent, no_box; /* there was no room for it */
};

/* Nothing for who has not logged in.  Who: of the session; limits that are set
 * to 0 do not exist. */
PH_MUSTUSE int submission_init(
    struct submission *s, struct client *c, const struct fixup *fix);
/* For this plan of delivery, which may change with every attempt: adds the
 * copy for Sent.  NULL: nothing is to be done; else for deliver(). */
struct submit *submission_add(struct submission *s, struct client *c,
    const struct fixup *fix, struct dispatch *p);
/* Was it the copy in Sent that had no room?  Then the next attempt goes
 * without. */
bool submission_without_copy(struct submission *s, const struct dispatch *p,
    const struct deliver *d, int rc);
/* What deliver() said.  ERR_EXISTS: it was accepted before, which is good;
 * ERR_LIMIT: words for it, and the postmaster is told.  The rest as it is. */
PH_MUSTUSE int submission_result(
    struct submission *s, struct client *c, int rc);
void submission_fini(struct submission *s);

#endif

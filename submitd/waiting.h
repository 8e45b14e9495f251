/*
 * waiting.h - mail that waits lies in its sender's Outbox (storage/outbox.h)
 * and may be called back there: before a row is sent, when one has to wait
 * longer, and as soon as somebody takes it out.
 */
#ifndef SUBMITD_WAITING_H
#define SUBMITD_WAITING_H

#include "lib/daemon/server.h"
#include "storage/deliver.h"
#include "submitd/errand.h"

struct waiting;

/* Once a process, on loop 0: looks at Outboxes that change. */
void waiting_start(struct server_loop *sl);
void waiting_notify(struct waiting *w, const struct notify_event *ev, size_t n);
/* The loop ends: no more jobs; and when it has ended. */
void waiting_stop(struct waiting *w);
void waiting_free(struct waiting **w);
/* Something will lie in this folder.  Any thread; w may be NULL. */
void waiting_watch(struct waiting *w, uint64_t account, uint64_t folder);

/* In a job: may the row go out now?  False: it was called back, and is gone,
 * or is to wait on, flagged; *rc_out. */
bool waiting_may_go(struct server *srv, struct errand *e, int *rc_out);
/* It is not to go, whatever waited. */
PH_MUSTUSE int waiting_cancel(struct server *srv, struct errand *e);

/* What deliver() does with the Outbox about a row that has been tried. */
struct waiting_step {
	bool called_back; /* the row ends here */
	struct deliver_target target;
	struct deliver_msg msg;
	struct deliver_box box;
	struct deliver_gone gone;
	bool has_msg, has_box, has_gone;
};
/* In a job.  open: somebody has to wait on. */
void waiting_step(
    struct waiting_step *st, struct server *srv, struct errand *e, bool open);

#endif

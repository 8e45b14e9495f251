/*
 * ledger.h - writes what became of errands: many in one transaction, one job
 * at a time, so that each wait for the disk serves all that came meanwhile.
 *
 * What cannot be written stays here and is tried again: to forget it would
 * mean to send again what was sent.  Nothing new is to go out meanwhile.
 */
#ifndef SUBMITD_LEDGER_H
#define SUBMITD_LEDGER_H

#include "submitd/errand.h"

enum { LEDGER_BATCH = 64 };

struct ledger {
	struct server_loop *sl;
	/* On the loop, when e's outcome is durable; or, behind ledger_stop(),
	 * e->rc says why not. */
	void (*written)(struct errand *e);
	struct errand_list settled, failed;
	bool working, sick, stopping;
	uint64_t retry_at; /* the loop's clock */
	struct sjob job;
	struct errand *batch[LEDGER_BATCH];
	size_t n;
};

void ledger_init(struct ledger *l, struct server_loop *sl,
    void (*written)(struct errand *e));
void ledger_add(struct ledger *l, struct errand *e);
/* Outcomes wait that could not be written. */
bool ledger_sick(const struct ledger *l);
/* Now and then: tries them again when it is time. */
void ledger_tick(struct ledger *l, uint64_t now_ms);
/* The host stops: one more try is the last. */
void ledger_stop(struct ledger *l);
/* Nothing is under way. */
bool ledger_empty(const struct ledger *l);

#endif

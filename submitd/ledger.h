/*
 * ledger.h - writes what became of errands: many in one transaction, one job
 * at a time, so that each wait for the disk serves all that came meanwhile.
 */
#ifndef SUBMITD_LEDGER_H
#define SUBMITD_LEDGER_H

#include "submitd/errand.h"

enum { LEDGER_BATCH = 64 };

struct ledger {
	struct server_loop *sl;
	/* On the loop, when e's outcome is durable, or e->rc says why not. */
	void (*written)(struct errand *e);
	struct errand_list settled;
	bool working;
	struct sjob job;
	struct errand *batch[LEDGER_BATCH];
	size_t n;
};

void ledger_init(struct ledger *l, struct server_loop *sl,
    void (*written)(struct errand *e));
void ledger_add(struct ledger *l, struct errand *e);
/* Nothing is under way. */
bool ledger_empty(const struct ledger *l);

#endif

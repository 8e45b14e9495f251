/*
 * fresh.h - rows that go from acceptance straight to the runner, which need not
 * look for them in the queue: neither notification nor job nor reading.
 *
 * A row is reserved before it is committed, so that no look finds it: it would
 * go out twice.  When it is durable it is brought to the runner, which takes it
 * or finds it by a look after all.  Thread-safe; bounded, as it is shut when
 * the runner has enough to do.
 */
#ifndef SUBMITD_FRESH_H
#define SUBMITD_FRESH_H

#include "submitd/errand.h"

enum {
	FRESH_ROWS = 4, /* of one message */
	FRESH_MAX = 256 /* that the runner has in memory; then it is shut */
};

struct fresh;

/* arrived: called on loop 0 when something was brought. */
struct fresh *fresh_new(
    struct server *srv, void (*arrived)(struct server_loop *sl));
/* With what never came to the runner; the loops have ended. */
void fresh_free(struct fresh **f);

/* Worker, before the commit.  False: it is shut, the runner has to be told. */
bool fresh_reserve(struct fresh *f, const uint64_t *ids, size_t n);
/* It was not committed. */
void fresh_release(struct fresh *f, const uint64_t *ids, size_t n);
/* The reserved rows are durable, or perhaps not (good false).  The list is
 * empty after. */
void fresh_bring(struct fresh *f, struct errand_list *list, bool good);

/* The runner's, on loop 0 but for fresh_has(): */
void fresh_set_open(struct fresh *f, bool open);
bool fresh_has(struct fresh *f, uint64_t id);
/* Somebody has changed the row: it has to be read anew. */
void fresh_changed(struct fresh *f, uint64_t id);
/* The next that was brought, reserved no longer; NULL: none.  *as_is_out: it is
 * in the queue as it is here. */
struct errand *fresh_take(struct fresh *f, bool *as_is_out);

#endif

/*
 * flush.h - one thread makes durable what all others committed, in batches;
 * the segments' sync runs beside it on another.  For storage/ only.
 */
#ifndef STORAGE_FLUSH_H
#define STORAGE_FLUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct store;
struct flusher;

PH_MUSTUSE int flusher_new(
    struct store *s, struct flusher **f_out, struct err *e);
/* Answers all that wait, then ends both threads. */
void flusher_free(struct flusher **f);

/* A notification waits: it goes with the next batch, or alone soon. */
void flusher_poke(struct flusher *f);

void flusher_counts(
    struct flusher *f, uint64_t *batches_out, uint64_t *waits_out);

#endif

/*
 * flush.h - what all threads committed is made durable in batches; the
 * segments' sync runs beside the log's on a thread of its own.  For storage/
 * only.
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

/* This thread will commit soon: a batch that others wait for may wait for it.
 * came: it has, or not; called before store_sync(). */
void flusher_coming(struct flusher *f);
void flusher_came(struct flusher *f);

/* A notification waits: it goes with the next batch, or alone soon. */
void flusher_poke(struct flusher *f);

void flusher_counts(
    struct flusher *f, uint64_t *batches_out, uint64_t *waits_out);

#endif

/*
 * notify_priv.h - the sending side of notify.h, for store.c and flush.c.
 */
#ifndef STORAGE_NOTIFY_PRIV_H
#define STORAGE_NOTIFY_PRIV_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "storage/notify.h"

struct notifier;

/* run_dir: copied; its notify/ is made when missing. */
PH_MUSTUSE int notifier_new(
    struct store *s, struct notifier **n_out, struct err *e);
/* Also takes this process's socket away. */
void notifier_free(struct notifier **n);

/* What was added so far goes with this batch.  Flusher only. */
void notifier_take(struct notifier *n);
/* Sends it; true when somebody was too busy and a later try is wanted.
 * Flusher only. */
bool notifier_send(struct notifier *n);

/* One event as it goes into a datagram, and back; false: damaged. */
void notify_encode(struct buf *out, const struct notify_event *ev);
bool notify_decode(struct slice *rest, struct notify_event *ev_out);

#endif

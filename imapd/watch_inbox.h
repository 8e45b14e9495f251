/*
 * watch_inbox.h - what comes from other sessions for a client with NOTIFY.
 *
 * On the loop.
 */
#ifndef IMAPD_WATCH_INBOX_H
#define IMAPD_WATCH_INBOX_H

#include "imapd/watch.h"

/* After each job: c->inbox follows c->watch. */
void watch_settle(struct client *c);
/* Before a job: what came is to be looked at. */
void watch_take(struct client *c);
/* Is there something to look at? */
bool watch_wanted(const struct client *c);

/* Takes an event that concerns it; true: the client is to be told. */
bool watch_event(struct watch_inbox *in, const struct notify_event *ev);

#endif

/*
 * forward.h - mail to an address of ours that leads to another host (O17).
 */
#ifndef SUBMITD_FORWARD_H
#define SUBMITD_FORWARD_H

#include "submitd/dispatch.h"

/* Does this recipient lead away from here, having been meant for here? */
bool forward_is(const struct envelope_rcpt *r);

/* May it go on its way?  0; ERR_DENIED: it has been here before; or it is
 * junk, which others would hold against us. */
PH_MUSTUSE int forward_check(
    const struct dispatch_in *in, const struct envelope_rcpt *r, bool junk);

/* The envelope's sender as the next host is to see it, in the arena. */
struct slice forward_sender(const struct dispatch_in *in,
    const struct envelope_rcpt *r, struct arena *a);

/* Who is behind the envelope's sender of a forwarded mail; others as they are.
 * May be in the arena. */
struct slice forward_first(
    const struct server *srv, struct slice sender, struct arena *a);

/* "Delivered-To" of all forwards, to know them by when they come back. */
void forward_mark(struct buf *head, const struct envelope *env);

/* RCPT to a return address made by forward_sender(): r->route leads to the
 * first sender.  ERR_NOTFOUND: it is none of ours or too old; ERR_DENIED: not
 * a report. */
PH_MUSTUSE int forward_back(
    struct client *c, struct slice addr, struct envelope_rcpt *r);

#endif

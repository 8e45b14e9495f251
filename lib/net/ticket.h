/*
 * ticket.h - who gets a ticket to resume his TLS 1.3 session with (RFC 8446
 * 4.6.1).
 *
 * To make and keep one costs 20 us, and many programs that poll never come
 * back with it.  An address that has let TICKET_PATIENCE of them lie in a row
 * gets every TICKET_PROBE-th only, until it resumes a session once.
 */
#ifndef LIB_NET_TICKET_H
#define LIB_NET_TICKET_H

#include <stdatomic.h>

#include "lib/base/slice.h"

enum { TICKET_PATIENCE = 32, TICKET_PROBE = 8, TICKET_SLOTS = 4096 };

/* All zero at first; addresses may share a slot.  For any thread. */
struct tickets {
	atomic_uchar idle[TICKET_SLOTS]; /* whole handshakes since */
};

/* Shall the handshake that begins bring one? */
bool ticket_worth(struct tickets *t, struct slice ip);
/* It is done. */
void ticket_done(struct tickets *t, struct slice ip, bool resumed);

#endif

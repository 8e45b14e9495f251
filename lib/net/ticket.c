#include "lib/net/ticket.h"

#include <limits.h>

#include "lib/base/siphash.h"

static atomic_uchar *
slot_of(struct tickets *t, struct slice ip)
{
	return &t->idle[siphash(ip) % TICKET_SLOTS];
}

bool
ticket_worth(struct tickets *t, struct slice ip)
{
	unsigned idle =
	    atomic_load_explicit(slot_of(t, ip), memory_order_relaxed);

	return idle < TICKET_PATIENCE || idle % TICKET_PROBE == 0;
}

/* Two at once may count as one: it is only a guess. */
void
ticket_done(struct tickets *t, struct slice ip, bool resumed)
{
	atomic_uchar *slot = slot_of(t, ip);
	unsigned idle = atomic_load_explicit(slot, memory_order_relaxed);

	if (resumed)
		idle = 0;
	else if (++idle > UCHAR_MAX)
		idle = TICKET_PATIENCE;
	atomic_store_explicit(slot, (unsigned char)idle, memory_order_relaxed);
}

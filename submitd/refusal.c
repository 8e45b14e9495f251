#include "submitd/refusal.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "storage/event.h"
#include "submitd/app.h"

/* A minute; some 430,000 records of some 100 bytes in the 30 days that they
 * are kept, at the very most. */
enum { RECORDS_ALL = 10, RECORDS_OF_ONE = 3, TEXT_MAX = 400, CUT = 100 };

static bool
may_record(const struct client *c)
{
	struct rates *r = app_of(c->s.sl->srv)->rates;
	uint64_t now = clock_steady_ms();

	return rate_take(r, RATE_RECORDS, c->s.conn.peer_ip, 1, RECORDS_OF_ONE,
		   now) &&
	       rate_take(r, RATE_RECORDS_ALL, "::", 1, RECORDS_ALL, now);
}

void
refusal_record(
    struct client *c, const char *why, struct slice from, struct slice to)
{
	struct buf b;

	log_info(c->s.id, "refused", "why=%s from=%s to=%s peer=%s", why,
	    log_q(from), log_q(to), c->s.conn.peer);
	if (!may_record(c))
		return;
	buf_init(&b, TEXT_MAX);
	buf_printf(&b, "why=%s ip=%s id=%s from=%s to=%s", why,
	    c->s.conn.peer_ip, c->s.id, log_q(slice_sub(from, 0, CUT)),
	    log_q(slice_sub(to, 0, CUT)));
	if (!buf_failed(&b) && event_add(c->s.sl->srv->store, 0, EVENT_REFUSED,
				   buf_slice(&b)) != 0)
		log_warn(c->s.id, "refused", "record=failed");
	buf_fini(&b);
}

/*
 * relay.h - one connection to another host's mail server.
 *
 * Finds its way (route.h), tries one address after the other, says EHLO, turns
 * TLS on when offered (RFC 7435: without looking at the certificate), and then
 * sends errand after errand for its destination until none is left.
 */
#ifndef SUBMITD_RELAY_H
#define SUBMITD_RELAY_H

#include "lib/net/conn.h"
#include "lib/net/dns.h"
#include "submitd/errand.h"

struct relay;

/* What becomes of a connection without an errand. */
enum relay_keep {
	RELAY_QUIT,
	RELAY_KEEP,    /* for a while; perhaps relay_wake() comes */
	RELAY_KEEP_ON, /* until relay_wake() or relay_quit(), which will come */
};

/* What a relay needs of the runner that owns it. */
struct relay_ops {
	/* The next errand for this destination, or NULL: then *keep_out is
	 * what to do. */
	struct errand *(*next)(
	    struct relay *r, void *arg, enum relay_keep *keep_out);
	/* All of the errand's open recipients have an outcome; it is the
	 * runner's again. */
	void (*settled)(struct relay *r, struct errand *e, void *arg);
	/* The destination has taken mail over this connection, or a connection
	 * there failed; unreached: and nothing else is left to try. */
	void (*health)(struct relay *r, void *arg, bool good);
	void (*unreached)(struct relay *r, void *arg, enum outcome out,
	    const char *remote, const char *why);
	/* The relay is over and freed; its slot is free. */
	void (*gone)(struct relay *r, void *arg);
};

struct relay_env {
	struct server_loop *sl;
	struct dns *dns;
	struct tls_client *tls, *tls_verify;
	const struct relay_ops *ops;
};

/* arg: the destination, for ops.  first: what to start with. */
struct relay *relay_start(const struct relay_env *env, const char *domain,
    struct errand *first, void *arg);
/* Now and then: ends what has waited too long. */
void relay_tick(struct relay *r, uint64_t now_ms);
/* An idle one gets something to do. */
void relay_wake(struct relay *r, struct errand *e);
bool relay_is_idle(const struct relay *r);
/* One that was kept on is kept for a while. */
void relay_rest(struct relay *r);
/* An idle one is not needed any more. */
void relay_quit(struct relay *r);
/* How long ago it was started. */
uint64_t relay_age_ms(const struct relay *r);
/* The host stops: ends without an outcome for what is under way. */
void relay_abort(struct relay *r);

#endif

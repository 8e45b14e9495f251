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

/* What a relay needs of the runner that owns it. */
struct relay_ops {
	/* The next errand for this destination, or NULL: then it says QUIT. */
	struct errand *(*next)(struct relay *r, void *arg);
	/* All of the errand's open recipients have an outcome; commit it, and
	 * call relay_go_on() when that is durable. */
	void (*settled)(struct relay *r, struct errand *e, void *arg);
	/* The relay is over and freed; its slot is free. */
	void (*gone)(struct relay *r, void *arg);
};

struct relay_env {
	struct server_loop *sl;
	struct dns *dns;
	struct tls_client *tls;
	const struct relay_ops *ops;
};

/* arg: the destination, for ops.  first: what to start with. */
struct relay *relay_start(const struct relay_env *env, const char *domain,
    struct errand *first, void *arg);
void relay_go_on(struct relay *r);
/* What it is at work on, or NULL. */
const struct errand *relay_errand(const struct relay *r);
/* The host stops: ends without an outcome for what is under way. */
void relay_abort(struct relay *r);

#endif

/*
 * route.h - from a domain to addresses to connect to (RFC 5321 5.1).
 *
 * MX by preference, equals in random order; the domain itself when it has no
 * MX; nowhere when it has the null MX (RFC 7505).  A line of relay-routes or a
 * smart host overrules.
 */
#ifndef SUBMITD_ROUTE_H
#define SUBMITD_ROUTE_H

#include "lib/base/conf.h"
#include "lib/net/dns.h"

enum { ROUTE_HOPS_MAX = 32 };

/* What is asked of the connection. */
enum route_tls {
	ROUTE_TLS_MAY,    /* when offered, whoever it is (RFC 7435) */
	ROUTE_TLS_NONE,   /* not even then */
	ROUTE_TLS_MUST,   /* or no mail */
	ROUTE_TLS_VERIFY, /* and its certificate has to fit */
};

/*
 * "HOST[:PORT] [smtps] [tls=may|none|must|verify]"; HOST may be an address in
 * brackets.  smtps: TLS from the first byte (RFC 8314 3.3), port 465 unless
 * said.
 */
struct route_target {
	char host[256];
	uint16_t port; /* 0: not said */
	enum route_tls tls;
	bool smtps;
};
/* "192.0.2.1" or "2001:db8::1", without port. */
bool route_parse_ip(const char *text, union dns_addr *out);
bool route_target_parse(const char *text, struct route_target *out);

struct route_hop {
	char host[256];
	union dns_addr addr; /* with its port */
};

enum route_end {
	ROUTE_OK,   /* hops to try, in order */
	ROUTE_TEMP, /* text says why; later */
	ROUTE_PERM  /* text says why, as "550 5.1.2 ..." */
};

struct route_list {
	enum route_end end;
	struct route_hop hops[ROUTE_HOPS_MAX];
	size_t n;
	bool fixed; /* by configuration, which asks for tls and smtps, and
		     * perhaps for a login */
	enum route_tls tls;
	bool smtps;
	char text[256];
};

struct route_query;
typedef void route_fn(const struct route_list *list, void *arg);

/* Domains with the same key lead to the same hosts.  Borrowed. */
const char *route_key(const struct conf *conf, const char *domain);
/* fn is called once, on the loop, never from inside this call.  own: this
 * host's name, for loops. */
struct route_query *route_ask(struct loop *loop, struct dns *d,
    const struct conf *conf, const char *own, const char *domain, route_fn *fn,
    void *arg);
void route_cancel(struct route_query **q);

#endif

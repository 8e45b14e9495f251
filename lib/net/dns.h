/*
 * dns.h - questions to the resolver (libunbound, asynchronous, DNSSEC).
 *
 * One context per loop.  Answers come on the loop, never from inside the call
 * that asks.  A name is ASCII (A-labels).
 */
#ifndef LIB_NET_DNS_H
#define LIB_NET_DNS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/net/loop.h"

struct dns;
struct dns_query;

struct dns_mx {
	uint16_t preference;
	char host[256]; /* lower case, no trailing dot; "" = null MX */
};

union dns_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* rc is 0; or ERR_NOTFOUND: there is no such name (NXDOMAIN); or ERR_DNS: no
 * answer, which is temporary.  0 with n == 0: the name has no such record. */
struct dns_answer {
	int rc;
	bool secure;   /* DNSSEC validated */
	bool unusable; /* n == 0, but records there are: none is a name */
	uint32_t ttl_sec;
	size_t n;
	const struct dns_mx *mx;    /* n of them, sorted by preference, */
	const union dns_addr *addr; /* or n addresses (port 0) */
	char text[128];             /* why, for log and queue */
};

typedef void dns_fn(const struct dns_answer *a, void *arg);

/* resolver: "ADDRESS@PORT" or "" for /etc/resolv.conf. */
PH_MUSTUSE int dns_new(struct loop *loop, const char *resolver,
    struct dns **dns_out, struct err *e);

/* Cancels all questions.  Not from inside a dns_fn; may block shortly. */
void dns_free(struct dns **d);

/* How long an answer may take; 20 s without this call. */
void dns_set_timeout(struct dns *d, uint64_t ms);

/* fn is called once, unless cancelled, at the latest after the timeout.  The
 * answer is borrowed; the query is gone when fn returns.  At most 64 records;
 * of MX the best. */
struct dns_query *dns_ask_mx(
    struct dns *d, const char *name, dns_fn *fn, void *arg);
/* A and, when ipv6, AAAA, as one answer. */
struct dns_query *dns_ask_addr(
    struct dns *d, const char *name, bool ipv6, dns_fn *fn, void *arg);
void dns_cancel(struct dns_query **q);

#endif

#include "submitd/route.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

enum { HOSTS_MAX = 16 };

struct route_query {
	struct dns *dns;
	const struct conf *conf;
	route_fn *fn;
	void *arg;
	struct dns_query *asking;
	struct loop_msg later; /* an address needs no question, but a turn */
	bool cancelled;
	char own[256], domain[256];
	char hosts[HOSTS_MAX][256];
	size_t nhosts, next;
	uint16_t port;
	bool dns_failed; /* some host's address was not to be had now */
	struct route_list list;
};

static void
finish(struct route_query *q)
{
	route_fn *fn = q->fn;

	fn(&q->list, q->arg);
	free(q);
}

static void
end_with(struct route_query *q, enum route_end end, const char *text)
{
	q->list.end = end;
	(void)snprintf(q->list.text, sizeof(q->list.text), "%s", text);
	finish(q);
}

static void
set_port(union dns_addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else
		a->in.sin_port = htons(port);
}

static void ask_next(struct route_query *q);

static void
add_hop(struct route_query *q, const char *host, const union dns_addr *addr)
{
	struct route_hop *hop;

	if (q->list.n == ROUTE_HOPS_MAX)
		return;
	hop = &q->list.hops[q->list.n++];
	(void)slice_copy(slice_str(host), hop->host, sizeof(hop->host));
	hop->addr = *addr;
	set_port(&hop->addr, q->port);
}

static void
on_addr(const struct dns_answer *a, void *arg)
{
	struct route_query *q = arg;

	q->asking = NULL;
	if (a->rc == ERR_DNS)
		q->dns_failed = true;
	for (size_t i = 0; a->rc == 0 && i < a->n; i++)
		add_hop(q, q->hosts[q->next], &a->addr[i]);
	q->next++;
	ask_next(q);
}

static void
ask_next(struct route_query *q)
{
	if (q->next < q->nhosts) {
		q->asking = dns_ask_addr(
		    q->dns, q->hosts[q->next], q->conf->relay_ipv6, on_addr, q);
		return;
	}
	if (q->list.n != 0)
		end_with(q, ROUTE_OK, "");
	else if (q->dns_failed)
		end_with(q, ROUTE_TEMP,
		    "4.4.3 the name servers of the "
		    "destination do not answer");
	else
		end_with(q, ROUTE_PERM,
		    "5.4.4 the destination's mail server "
		    "has no address");
}

/* RFC 5321 5.1: ourselves and whatever is not better are no way out. */
static size_t
before_own(const struct route_query *q, const struct dns_answer *a)
{
	size_t end = a->n;

	for (size_t i = 0; i < a->n; i++)
		if (slice_ieq_str(slice_str(a->mx[i].host), q->own))
			for (end = 0;
			     a->mx[end].preference < a->mx[i].preference; end++)
				;
	return end;
}

static void
take_hosts(struct route_query *q, const struct dns_answer *a)
{
	size_t end = before_own(q, a);

	for (size_t i = 0; i < end && q->nhosts < HOSTS_MAX; i++)
		(void)snprintf(q->hosts[q->nhosts++], 256, "%s", a->mx[i].host);
	if (end == 0)
		end_with(q, ROUTE_PERM,
		    "5.4.6 mail for this domain leads "
		    "back to this host");
	else
		ask_next(q);
}

static void
on_mx(const struct dns_answer *a, void *arg)
{
	struct route_query *q = arg;

	q->asking = NULL;
	if (a->rc == ERR_NOTFOUND) {
		end_with(q, ROUTE_PERM, "5.1.2 there is no such domain");
	} else if (a->rc != 0) {
		end_with(q, ROUTE_TEMP,
		    "4.4.3 the domain's name servers do "
		    "not answer");
	} else if (a->n == 1 && a->mx[0].host[0] == '\0') {
		/* RFC 7505 3 */
		end_with(q, ROUTE_PERM, "5.1.10 the domain takes no mail");
	} else if (a->n == 0) {
		(void)snprintf(q->hosts[q->nhosts++], 256, "%s", q->domain);
		ask_next(q);
	} else {
		take_hosts(q, a);
	}
}

/* An address as a host name, "192.0.2.1" or "2001:db8::1"; RFC 5321 4.1.3's
 * "IPv6:" in front is dropped. */
static bool
parse_ip(const char *text, union dns_addr *out)
{
	if (slice_istarts(slice_str(text), SLICE("IPv6:")))
		text += 5;
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &out->in.sin_addr) == 1)
		out->in.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &out->in6.sin6_addr) == 1)
		out->in6.sin6_family = AF_INET6;
	else
		return false;
	return true;
}

/* "HOST", "HOST:PORT", "[ADDR]" or "[ADDR]:PORT"; false: neither. */
static bool
split_host(const char *text, char host[256], uint16_t *port)
{
	struct slice s = slice_str(text), name, rest;
	uint64_t n;

	if (s.n != 0 && s.p[0] == '[') {
		size_t end = slice_chr(s, ']');

		if (end == s.n)
			return false;
		name = slice_sub(s, 1, end - 1);
		rest = slice_from(s, end + 1);
	} else {
		size_t colon = slice_chr(s, ':');

		name = slice_sub(s, 0, colon);
		rest = slice_from(s, colon);
	}
	if (rest.n != 0) {
		if (rest.p[0] != ':' ||
		    !num_parse(slice_from(rest, 1), UINT16_MAX, &n))
			return false;
		*port = (uint16_t)n;
	}
	return name.n != 0 && slice_copy(name, host, 256);
}

/* Starts with the named host or address itself, without MX. */
static bool
start_direct(struct route_query *q, const char *text, bool literal)
{
	if (!split_host(text, q->hosts[0], &q->port))
		return false;
	if (literal && text[0] != '[')
		return false;
	q->nhosts = 1;
	return true;
}

static void
on_later(struct loop_msg *m)
{
	struct route_query *q = PH_CONTAINER(m, struct route_query, later);

	if (q->cancelled)
		free(q);
	else
		end_with(q, ROUTE_OK, "");
}

const char *
route_key(const struct conf *conf, const char *domain)
{
	return conf->smarthost[0] != '\0' ? "*" : domain;
}

struct route_query *
route_ask(struct loop *loop, struct dns *d, const struct conf *conf,
    const char *own, const char *domain, route_fn *fn, void *arg)
{
	struct route_query *q = xcalloc(1, sizeof(*q));
	bool smart = conf->smarthost[0] != '\0';
	union dns_addr ip;

	q->dns = d;
	q->conf = conf;
	q->fn = fn;
	q->arg = arg;
	q->port = (uint16_t)conf->relay_port;
	(void)snprintf(q->own, sizeof(q->own), "%s", own);
	(void)snprintf(q->domain, sizeof(q->domain), "%s", domain);
	if (!(smart && start_direct(q, conf->smarthost, false)) &&
	    !start_direct(q, domain, true)) {
		q->asking = dns_ask_mx(d, domain, on_mx, q);
		return q;
	}
	if (parse_ip(q->hosts[0], &ip)) {
		add_hop(q, q->hosts[0], &ip);
		q->later.fn = on_later;
		loop_post(loop, &q->later);
		return q;
	}
	q->asking = dns_ask_addr(d, q->hosts[0], conf->relay_ipv6, on_addr, q);
	return q;
}

void
route_cancel(struct route_query **q)
{
	if (*q == NULL)
		return;
	dns_cancel(&(*q)->asking);
	if ((*q)->later.fn != NULL)
		(*q)->cancelled = true; /* on_later() frees it */
	else
		free(*q);
	*q = NULL;
}

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
bool
route_parse_ip(const char *text, union dns_addr *out)
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

bool
route_target_parse(const char *text, struct route_target *out)
{
	static const struct {
		const char *word;
		enum route_tls tls;
	} words[] = {
		{ "tls=may", ROUTE_TLS_MAY },
		{ "tls=none", ROUTE_TLS_NONE },
		{ "tls=must", ROUTE_TLS_MUST },
		{ "tls=verify", ROUTE_TLS_VERIFY },
	};
	struct slice rest = slice_str(text), word;
	char first[300];
	bool known = true;

	*out = (struct route_target){ 0 };
	if (!slice_split(&rest, ' ', &word) ||
	    !slice_copy(word, first, sizeof(first)) ||
	    !split_host(first, out->host, &out->port))
		return false;
	while (known && slice_split(&rest, ' ', &word)) {
		known = word.n == 0 || slice_eq(word, SLICE("smtps"));
		out->smtps = out->smtps || slice_eq(word, SLICE("smtps"));
		for (size_t i = 0; i < PH_LEN(words); i++)
			if (slice_eq(word, slice_str(words[i].word))) {
				out->tls = words[i].tls;
				known = true;
			}
	}
	if (out->port == 0 && out->smtps)
		out->port = 465;
	return known && !(out->smtps && out->tls == ROUTE_TLS_NONE);
}

/* Does "example.org", ".example.org" or "*" mean this domain? */
static bool
means(struct slice pattern, struct slice domain)
{
	if (slice_eq(pattern, SLICE("*")))
		return true;
	if (pattern.n == 0 || pattern.p[0] != '.')
		return slice_ieq(pattern, domain);
	return domain.n > pattern.n &&
	       slice_ieq(slice_from(domain, domain.n - pattern.n), pattern);
}

/* The target for a domain: of the first line that means it, else the smart
 * host, else "mx". */
static const char *
target_of(const struct conf *conf, const char *domain)
{
	for (size_t i = 0; i < conf->relay_routes.n; i++) {
		const char *line = conf->relay_routes.v[i];
		size_t blank = slice_chr(slice_str(line), ' ');
		const char *target = line + blank;

		while (*target == ' ')
			target++;
		if (means(slice_of(line, blank), slice_str(domain)))
			return target;
	}
	return conf->smarthost[0] != '\0' ? conf->smarthost : "mx";
}

const char *
route_key(const struct conf *conf, const char *domain)
{
	const char *target = target_of(conf, domain);

	return slice_eq(slice_str(target), SLICE("mx")) ? domain : target;
}

/* The host or address that the configuration names, without MX.  False: none.
 */
static bool
start_fixed(struct route_query *q, const char *target)
{
	struct route_target t;

	if (slice_eq(slice_str(target), SLICE("mx")))
		return false;
	/* A line that is none must not send mail elsewhere: no host. */
	if (!route_target_parse(target, &t))
		t = (struct route_target){ .tls = ROUTE_TLS_VERIFY };
	(void)snprintf(q->hosts[0], sizeof(q->hosts[0]), "%s", t.host);
	if (t.port != 0)
		q->port = t.port;
	q->list.fixed = true;
	q->list.tls = t.tls;
	q->list.smtps = t.smtps;
	q->nhosts = 1;
	return true;
}

/* user@[192.0.2.1], RFC 5321 4.1.3 */
static bool
start_literal(struct route_query *q, const char *domain)
{
	if (domain[0] != '[' || !split_host(domain, q->hosts[0], &q->port))
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
	else if (q->list.n == 0)
		end_with(q, ROUTE_TEMP,
		    "4.3.5 the route for this domain is misconfigured");
	else
		end_with(q, ROUTE_OK, "");
}

struct route_query *
route_ask(struct loop *loop, struct dns *d, const struct conf *conf,
    const char *own, const char *domain, route_fn *fn, void *arg)
{
	struct route_query *q = xcalloc(1, sizeof(*q));
	union dns_addr ip;

	q->dns = d;
	q->conf = conf;
	q->fn = fn;
	q->arg = arg;
	q->port = (uint16_t)conf->relay_port;
	(void)snprintf(q->own, sizeof(q->own), "%s", own);
	(void)snprintf(q->domain, sizeof(q->domain), "%s", domain);
	if (!start_fixed(q, target_of(conf, domain)) &&
	    !start_literal(q, domain)) {
		q->asking = dns_ask_mx(d, domain, on_mx, q);
		return q;
	}
	if (q->hosts[0][0] == '\0') {
		q->later.fn = on_later;
		loop_post(loop, &q->later);
		return q;
	}
	if (route_parse_ip(q->hosts[0], &ip)) {
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

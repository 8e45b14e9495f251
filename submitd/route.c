#include "submitd/route.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

enum {
	HOSTS_MAX = 16,
	ADDRS_MAX = 8 /* of one host: the others have a turn, too */
};

struct route_host {
	struct route_query *query;
	struct dns_query *asking;
	char name[256];
	union dns_addr addrs[ADDRS_MAX];
	size_t naddrs;
};

struct route_query {
	struct dns *dns;
	const struct conf *conf;
	route_fn *fn;
	void *arg;
	struct dns_query *asking;
	struct loop_msg later; /* an address needs no question, but a turn */
	bool cancelled;
	char own[256], domain[256];
	struct route_host hosts[HOSTS_MAX];
	size_t nhosts, open; /* open: not answered yet */
	uint16_t port;
	char dns_failed[128]; /* why some host's address is not to be had now */
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

/* All are known that ever will be. */
static void
hosts_known(struct route_query *q)
{
	char why[200];

	for (size_t i = 0; i < q->nhosts; i++)
		for (size_t k = 0; k < q->hosts[i].naddrs; k++)
			add_hop(q, q->hosts[i].name, &q->hosts[i].addrs[k]);
	(void)snprintf(why, sizeof(why),
	    "451 4.4.3 the name servers of the destination do not answer: %s",
	    q->dns_failed);
	if (q->list.n != 0)
		end_with(q, ROUTE_OK, "");
	else if (q->dns_failed[0] != '\0')
		end_with(q, ROUTE_TEMP, why);
	else
		end_with(q, ROUTE_PERM,
		    "550 5.4.4 the destination's mail server has no address");
}

static void
on_addr(const struct dns_answer *a, void *arg)
{
	struct route_host *h = arg;
	struct route_query *q = h->query;

	h->asking = NULL;
	if (a->rc == ERR_DNS)
		(void)snprintf(
		    q->dns_failed, sizeof(q->dns_failed), "%s", a->text);
	if (a->rc == 0)
		h->naddrs = a->n < ADDRS_MAX ? a->n : ADDRS_MAX;
	for (size_t i = 0; i < h->naddrs; i++)
		h->addrs[i] = a->addr[i];
	if (--q->open == 0)
		hosts_known(q);
}

static void
add_host(struct route_query *q, const char *name)
{
	struct route_host *h;

	if (q->nhosts == HOSTS_MAX)
		return;
	h = &q->hosts[q->nhosts++];
	h->query = q;
	(void)snprintf(h->name, sizeof(h->name), "%s", name);
}

/* Together: a slow one costs its time once. */
static void
ask_hosts(struct route_query *q)
{
	q->open = q->nhosts;
	for (size_t i = 0; i < q->nhosts; i++)
		q->hosts[i].asking = dns_ask_addr(q->dns, q->hosts[i].name,
		    q->conf->relay_ipv6, on_addr, &q->hosts[i]);
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

	for (size_t i = 0; i < end; i++)
		add_host(q, a->mx[i].host);
	if (end == 0)
		end_with(q, ROUTE_PERM,
		    "550 5.4.6 mail for this domain leads back to this host");
	else
		ask_hosts(q);
}

static void
on_mx(const struct dns_answer *a, void *arg)
{
	struct route_query *q = arg;
	char why[200];

	q->asking = NULL;
	(void)snprintf(why, sizeof(why),
	    "451 4.4.3 the domain's name servers do not answer: %s", a->text);
	if (a->rc == ERR_NOTFOUND) {
		end_with(q, ROUTE_PERM, "550 5.1.2 there is no such domain");
	} else if (a->rc != 0) {
		end_with(q, ROUTE_TEMP, why);
	} else if (a->unusable) {
		/* RFC 5321 5.1: no reason to try the domain itself. */
		end_with(q, ROUTE_PERM,
		    "550 5.4.4 the domain's MX records name no host");
	} else if (a->n == 1 && a->mx[0].host[0] == '\0') {
		/* RFC 7505 3, 4.2 */
		end_with(q, ROUTE_PERM, "556 5.1.10 the domain takes no mail");
	} else if (a->n == 0) {
		add_host(q, q->domain);
		ask_hosts(q);
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
	add_host(q, t.host);
	if (t.port != 0)
		q->port = t.port;
	q->list.fixed = true;
	q->list.tls = t.tls;
	q->list.smtps = t.smtps;
	return true;
}

/* user@[192.0.2.1], RFC 5321 4.1.3 */
static bool
start_literal(struct route_query *q, const char *domain)
{
	char host[256];

	if (domain[0] != '[' || !split_host(domain, host, &q->port))
		return false;
	add_host(q, host);
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
		    "451 4.3.5 the route for this domain is misconfigured");
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
	if (q->hosts[0].name[0] == '\0') {
		q->later.fn = on_later;
		loop_post(loop, &q->later);
		return q;
	}
	if (route_parse_ip(q->hosts[0].name, &ip)) {
		add_hop(q, q->hosts[0].name, &ip);
		q->later.fn = on_later;
		loop_post(loop, &q->later);
		return q;
	}
	ask_hosts(q);
	return q;
}

void
route_cancel(struct route_query **q)
{
	if (*q == NULL)
		return;
	dns_cancel(&(*q)->asking);
	for (size_t i = 0; i < (*q)->nhosts; i++)
		dns_cancel(&(*q)->hosts[i].asking);
	if ((*q)->later.fn != NULL)
		(*q)->cancelled = true; /* on_later() frees it */
	else
		free(*q);
	*q = NULL;
}

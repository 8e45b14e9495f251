#include "admin/zonelook.h"

#include <stdlib.h>
#include <string.h>

#include "admin/ask.h"
#include "lib/base/mem.h"
#include "lib/base/prefix.h"

enum { SILENT_MAX = 3, ADDRS_MAX = 2 * ASK_RECORDS };

struct addrs {
	const char *v[ADDRS_MAX];
	size_t n;
};

struct zonelook {
	const struct conf *conf;
	const char *host;
	struct findings *f;
	struct ask *ask;
	struct arena keep, scratch; /* the host's answers; a domain's */
	struct addrs own;
	unsigned silent;
};

/* One question about check and subject; false: it has no answer. */
static bool
look(struct zonelook *z, const char *check, const char *subject,
    const char *name, int type, struct ask_answer *out)
{
	*out = (struct ask_answer){ .rc = ERR_DNS };
	if (z->silent >= SILENT_MAX)
		return false;
	ask_for(z->ask, name, type, &z->scratch, out);
	if (out->rc != ERR_DNS) {
		z->silent = 0;
		return true;
	}
	findings_add(z->f, FINDING_ERROR, check, subject,
	    "look at the name servers of this zone, then again",
	    "no answer from the DNS for %s", name);
	if (++z->silent == SILENT_MAX)
		findings_add(z->f, FINDING_ERROR, "dns",
		    z->conf->resolver[0] != '\0' ? z->conf->resolver
						 : "/etc/resolv.conf",
		    "see that the resolver answers (option resolver); the "
		    "relay needs it too",
		    "silent %d times in a row; the rest is not looked at",
		    SILENT_MAX);
	return false;
}

static bool
addrs_has(const struct addrs *list, const char *address)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], address) == 0)
			return true;
	return false;
}

/* A and AAAA; false: no answer to one of them. */
static bool
look_addrs(struct zonelook *z, const char *check, const char *subject,
    const char *name, struct addrs *out)
{
	static const int types[] = { ASK_A, ASK_AAAA };

	out->n = 0;
	for (size_t t = 0; t < PH_LEN(types); t++) {
		struct ask_answer ans;

		if (!look(z, check, subject, name, types[t], &ans))
			return false;
		for (size_t i = 0; i < ans.n; i++)
			out->v[out->n++] = ans.v[i];
	}
	return true;
}

static bool
leads_here(const struct zonelook *z, const struct addrs *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (addrs_has(&z->own, list->v[i]))
			return true;
	return false;
}

/* PTR = HELO name = A/AAAA, which T-Online and others ask for. */
static void
look_ptr(struct zonelook *z, const char *address)
{
	/* Behind a smart host nobody asks. */
	enum finding_level bad =
	    z->conf->smarthost[0] != '\0' ? FINDING_WARNING : FINDING_ERROR;
	struct ask_answer ans;
	char name[80];
	char *fix;

	if (!ask_reverse(address, name)) {
		findings_add(z->f, FINDING_ERROR, "ptr", address,
		    "an IP address without a port", "no address");
		return;
	}
	if (!look(z, "ptr", address, name, ASK_PTR, &ans))
		return;
	fix = arena_printf(&z->scratch,
	    "have whoever gave you the address set %s. IN PTR %s.", name,
	    z->host);
	if (ans.n == 0)
		findings_add(z->f, bad, "ptr", address, fix,
		    "has no name; many hosts refuse mail from it");
	else if (strcmp(ans.v[0], z->host) != 0)
		findings_add(z->f, bad, "ptr", address, fix,
		    "is named %s, but this host greets as %s", ans.v[0],
		    z->host);
	else if (!addrs_has(&z->own, address))
		findings_add(z->f, bad, "ptr", address,
		    arena_printf(&z->scratch, "into the zone: %s. IN %s %s",
			z->host, strchr(address, ':') != NULL ? "AAAA" : "A",
			address),
		    "is relay-source, but not among the addresses of %s",
		    z->host);
	else
		findings_add(z->f, FINDING_OK, "ptr", address, NULL,
		    "is named %s, as in HELO", z->host);
}

static void
look_host(struct zonelook *z)
{
	const struct conf_list *from = &z->conf->relay_source;
	struct addrs found;

	if (!look_addrs(z, "address", z->host, z->host, &found))
		return;
	for (size_t i = 0; i < found.n; i++)
		z->own.v[z->own.n++] =
		    arena_str(&z->keep, slice_str(found.v[i]));
	if (found.n == 0)
		findings_add(z->f, FINDING_ERROR, "address", z->host,
		    arena_printf(&z->scratch,
			"into the zone: %s. IN A ADDRESS-OF-THIS-HOST",
			z->host),
		    "has neither A nor AAAA");
	else
		findings_add(z->f, FINDING_OK, "address", z->host, NULL, "%s%s",
		    found.v[0], found.n > 1 ? " and others" : "");
	for (size_t i = 0; i < from->n; i++)
		look_ptr(z, from->v[i]);
	for (size_t i = 0; from->n == 0 && i < z->own.n; i++)
		look_ptr(z, z->own.v[i]);
	findings_add(z->f, FINDING_OK, "dkim", z->host, NULL,
	    "mail is not signed here, so there is no selector to look for");
}

struct zonelook *
zonelook_new(const struct conf *conf, const char *hostname, struct findings *f)
{
	struct zonelook *z = xcalloc(1, sizeof(*z));
	struct err e;

	z->conf = conf;
	z->host = hostname;
	z->f = f;
	arena_init(&z->keep);
	arena_init(&z->scratch);
	if (ask_new(conf->resolver, &z->ask, &e) != 0) {
		findings_add(f, FINDING_ERROR, "dns", "resolver",
		    "see option resolver, or /etc/resolv.conf", "%s", e.text);
		zonelook_free(&z);
		return NULL;
	}
	look_host(z);
	return z;
}

void
zonelook_free(struct zonelook **zp)
{
	struct zonelook *z = *zp;

	*zp = NULL;
	if (z == NULL)
		return;
	ask_free(&z->ask);
	arena_clear(&z->keep);
	arena_clear(&z->scratch);
	free(z);
}

/* Is one of the domain's MX this host, by name or address? */
static bool
mx_is_here(struct zonelook *z, const char *domain, const struct ask_answer *mx)
{
	struct addrs list;

	for (size_t i = 0; i < mx->n; i++)
		if (strcmp(mx->v[i], z->host) == 0)
			return true;
	for (size_t i = 0; i < mx->n; i++)
		if (mx->v[i][0] != '\0' &&
		    look_addrs(z, "mx", domain, mx->v[i], &list) &&
		    leads_here(z, &list))
			return true;
	return false;
}

/* RFC 5321 5.1; RFC 7505 3: "." takes no mail.  False: nothing more is to be
 * known of this domain. */
static bool
look_mx(struct zonelook *z, const char *domain, bool *here_out)
{
	struct ask_answer mx;
	const char *fix = arena_printf(
	    &z->scratch, "into the zone: %s. IN MX 10 %s.", domain, z->host);

	if (!look(z, "mx", domain, domain, ASK_MX, &mx))
		return false;
	if (mx.rc == ERR_NOTFOUND) {
		findings_add(z->f, FINDING_ERROR, "mx", domain,
		    "have the domain registered and served, or posthof domain "
		    "del",
		    "there is no such domain in the DNS");
		return false;
	}
	*here_out = mx_is_here(z, domain, &mx);
	if (mx.n == 0)
		findings_add(
		    z->f, FINDING_ERROR, "mx", domain, fix, "has no MX");
	else if (mx.v[0][0] == '\0')
		findings_add(z->f, FINDING_ERROR, "mx", domain, fix,
		    "says that it takes no mail (null MX)");
	else if (*here_out)
		findings_add(z->f, FINDING_OK, "mx", domain, NULL,
		    "mail comes to this host");
	else
		findings_add(z->f, FINDING_ERROR, "mx", domain, fix,
		    "mail goes to %s, not to %s", mx.v[0], z->host);
	return true;
}

static void
look_server(struct zonelook *z, const char *domain, const char *server)
{
	struct addrs list;

	if (strcmp(server, z->host) == 0 ||
	    !look_addrs(z, "name", domain, server, &list))
		return;
	if (leads_here(z, &list))
		findings_add(z->f, FINDING_OK, "name", domain, NULL,
		    "%s leads to this host", server);
	else
		findings_add(z->f, FINDING_ERROR, "name", domain,
		    arena_printf(&z->scratch,
			"into the zone: %s. IN A %s; or another name by "
			"settings-server",
			server,
			z->own.n != 0 ? z->own.v[0] : "ADDRESS-OF-THIS-HOST"),
		    "people are told the server %s, which %s", server,
		    list.n != 0 ? "is another host" : "has no address");
}

static bool
in_network(struct slice text, const struct zonelook_sender *from)
{
	struct prefix net;

	if (!prefix_parse(text, &net))
		return false;
	for (size_t i = 0; i < from->naddrs; i++)
		if (prefix_has_ip(&net, from->addrs[i]))
			return true;
	return false;
}

/* One term with its qualifier gone (RFC 7208 5). */
static enum zonelook_spf
judge_term(struct slice term, const struct zonelook_sender *from)
{
	size_t colon = slice_chr(term, ':');
	struct slice name = slice_sub(term, 0, colon);
	struct slice value =
	    colon < term.n ? slice_from(term, colon + 1) : SLICE("");

	if (slice_ieq_str(name, "all"))
		return ZONELOOK_SPF_YES;
	if (slice_ieq_str(name, "mx") && value.n == 0)
		return from->is_mx ? ZONELOOK_SPF_YES : ZONELOOK_SPF_NO;
	if (slice_ieq_str(name, "a") && slice_ieq_str(value, from->hostname))
		return ZONELOOK_SPF_YES;
	if (slice_ieq_str(name, "ip4") || slice_ieq_str(name, "ip6"))
		return in_network(value, from) ? ZONELOOK_SPF_YES
					       : ZONELOOK_SPF_NO;
	if (slice_istarts(term, SLICE("exp=")))
		return ZONELOOK_SPF_NO;
	return ZONELOOK_SPF_MAYBE; /* what others decide: include, redirect */
}

enum zonelook_spf
zonelook_spf(const char *record, const struct zonelook_sender *from)
{
	enum zonelook_spf best = ZONELOOK_SPF_NO;
	struct slice rest = slice_str(record), term;

	while (slice_split(&rest, ' ', &term)) {
		enum zonelook_spf is;

		if (term.n == 0 || slice_istarts(term, SLICE("v=spf1")))
			continue;
		if (term.p[0] == '+')
			term = slice_from(term, 1);
		/* Other qualifiers let nobody pass. */
		if (term.n == 0 || strchr("-~?", term.p[0]) != NULL)
			continue;
		if ((is = judge_term(term, from)) > best)
			best = is;
	}
	return best;
}

static bool
is_record(const char *text, struct slice version)
{
	struct slice s = slice_str(text);

	return slice_istarts(s, version) &&
	       (s.n == version.n || strchr(" ;", s.p[version.n]) != NULL);
}

/* The first record of this version, and how many there are. */
static const char *
pick(const struct ask_answer *txt, struct slice version, size_t *n_out)
{
	const char *first = NULL;

	*n_out = 0;
	for (size_t i = 0; i < txt->n; i++)
		if (is_record(txt->v[i], version) && (*n_out)++ == 0)
			first = txt->v[i];
	return first;
}

static void
judge_spf(
    struct zonelook *z, const char *domain, bool is_mx, const char *record)
{
	const struct conf_list *src = &z->conf->relay_source;
	const struct zonelook_sender from = { .hostname = z->host,
		.is_mx = is_mx,
		.addrs = src->n != 0 ? src->v : z->own.v,
		.naddrs = src->n != 0 ? src->n : z->own.n };
	enum zonelook_spf is = zonelook_spf(record, &from);

	if (is == ZONELOOK_SPF_YES)
		findings_add(z->f, FINDING_OK, "spf", domain, NULL,
		    "lets this host send: %s", record);
	else if (is == ZONELOOK_SPF_MAYBE || z->conf->smarthost[0] != '\0')
		findings_add(z->f, FINDING_OK, "spf", domain, NULL,
		    "there, but whether it lets this host send stands "
		    "elsewhere: %s",
		    record);
	else
		findings_add(z->f, FINDING_ERROR, "spf", domain,
		    arena_printf(&z->scratch,
			"into the record, before its last word: a:%s", z->host),
		    "does not let this host send: %s", record);
}

static void
look_spf(struct zonelook *z, const char *domain, bool is_mx)
{
	struct ask_answer txt;
	const char *record;
	size_t n;

	if (!look(z, "spf", domain, domain, ASK_TXT, &txt))
		return;
	record = pick(&txt, SLICE("v=spf1"), &n);
	if (n == 1)
		judge_spf(z, domain, is_mx, record);
	else if (n == 0)
		findings_add(z->f, FINDING_ERROR, "spf", domain,
		    arena_printf(&z->scratch,
			"into the zone: %s. IN TXT \"v=spf1 mx -all\"", domain),
		    "has no SPF record; large hosts refuse its mail");
	else
		findings_add(z->f, FINDING_ERROR, "spf", domain,
		    "make one record of them (RFC 7208 4.5)",
		    "has %zu SPF records, which count as none", n);
}

/* RFC 7489 6.1; a domain above counts for those below it (6.6.3). */
static void
look_dmarc(struct zonelook *z, const char *domain)
{
	struct ask_answer txt;
	const char *at = domain, *dot;
	size_t n = 0;

	while (n == 0 && (dot = strchr(at, '.')) != NULL) {
		if (!look(z, "dmarc", domain,
			arena_printf(&z->scratch, "_dmarc.%s", at), ASK_TXT,
			&txt))
			return;
		(void)pick(&txt, SLICE("v=DMARC1"), &n);
		if (n != 0)
			findings_add(z->f, FINDING_OK, "dmarc", domain, NULL,
			    "_dmarc.%s is there", at);
		at = dot + 1;
	}
	if (n == 0)
		findings_add(z->f, FINDING_WARNING, "dmarc", domain,
		    arena_printf(&z->scratch,
			"into the zone: _dmarc.%s. IN TXT \"v=DMARC1; "
			"p=none\"",
			domain),
		    "has no DMARC record");
}

void
zonelook_domain(struct zonelook *z, const char *domain, const char *server)
{
	bool is_mx;

	if (z->silent >= SILENT_MAX)
		return;
	if (look_mx(z, domain, &is_mx)) {
		look_server(z, domain, server);
		look_spf(z, domain, is_mx);
		look_dmarc(z, domain);
	}
	arena_clear(&z->scratch);
}

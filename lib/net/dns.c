#include "lib/net/dns.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "lib/base/cset.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/crypt/crypt.h"

enum {
	TIMEOUT_MS = 20000,
	MAX_RECORDS = 64, /* of one answer; nobody tries more hosts */
	MAX_NAME = 253,
	MAX_PARTS = 2
};

/* RFC 1035 3.2.2, RFC 3596 2.1 */
enum { RR_A = 1, RR_MX = 15, RR_AAAA = 28, CLASS_IN = 1 };

static const char root_key[] = "/usr/share/dns/root.key";

struct dns {
	struct loop *loop;
	struct ub_ctx *ub;
	uv_poll_t poll;
	struct dns_query *queries;
	uint64_t timeout_ms;
};

/* One question to libunbound; a query has one or two. */
struct part {
	struct dns_query *query;
	int type;
	int id;
	bool pending;
	int rc; /* as of struct dns_answer */
	struct ub_result *result;
};

struct dns_query {
	struct dns *dns;
	struct dns_query *next, **prev;
	dns_fn *fn;
	void *arg;
	uv_timer_t guard;
	size_t nparts;
	struct part part[MAX_PARTS];
	char text[128];
};

/* What an answer points to while fn runs. */
struct records {
	size_t n;
	bool unusable;
	struct dns_mx mx[MAX_RECORDS + 1]; /* and the one that comes in */
	uint32_t shuffle[MAX_RECORDS + 1];
	union dns_addr addr[MAX_RECORDS];
};

/* ---- records ---- */

/*
 * A name in wire form, RFC 1035 3.1, to text.  Refused when it is damaged or
 * holds bytes that no host name has: such a record leads nowhere.
 */
static bool
wire_name(struct slice wire, char out[256])
{
	size_t at = 0, len;

	for (;;) {
		if (wire.n == 0)
			return false;
		len = (unsigned char)wire.p[0];
		wire = slice_from(wire, 1);
		if (len == 0)
			break;
		if (len > 63 || len > wire.n || at + len + 1 > MAX_NAME + 1)
			return false;
		for (size_t i = 0; i < len; i++) {
			char ch = ascii_lower(wire.p[i]);

			if (!cset_has(&cset_alnum, ch) && ch != '-' &&
			    ch != '_')
				return false;
			out[at++] = ch;
		}
		out[at++] = '.';
		wire = slice_from(wire, len);
	}
	out[at != 0 ? at - 1 : 0] = '\0';
	return true;
}

/* RFC 5321 5.1: by preference, equal ones in random order. */
static bool
mx_before(const struct records *r, size_t a, size_t b)
{
	if (r->mx[a].preference != r->mx[b].preference)
		return r->mx[a].preference < r->mx[b].preference;
	return r->shuffle[a] < r->shuffle[b];
}

/* The one behind the last goes to its place; of more than fit the worst is
 * dropped. */
static void
sort_in_mx(struct records *r)
{
	struct dns_mx m = r->mx[r->n];
	uint32_t shuffle = r->shuffle[r->n];
	size_t k = r->n;

	while (k != 0 && mx_before(r, r->n, k - 1))
		k--;
	memmove(r->mx + k + 1, r->mx + k, (r->n - k) * sizeof(r->mx[0]));
	memmove(r->shuffle + k + 1, r->shuffle + k,
	    (r->n - k) * sizeof(r->shuffle[0]));
	r->mx[k] = m;
	r->shuffle[k] = shuffle;
	if (r->n < MAX_RECORDS)
		r->n++;
}

/* RFC 1035 3.3.9 */
static void
add_mx(struct records *r, struct slice rd)
{
	struct dns_mx *mx = &r->mx[r->n];

	if (rd.n < 3 || !wire_name(slice_from(rd, 2), mx->host)) {
		r->unusable = true;
		return;
	}
	mx->preference = num_get16(rd.p);
	crypt_random(&r->shuffle[r->n], sizeof(r->shuffle[0]));
	sort_in_mx(r);
}

static void
add_addr(struct records *r, struct slice rd)
{
	union dns_addr *a = &r->addr[r->n];

	memset(a, 0, sizeof(*a));
	if (rd.n == sizeof(a->in.sin_addr)) {
		a->in.sin_family = AF_INET;
		memcpy(&a->in.sin_addr, rd.p, rd.n);
	} else if (rd.n == sizeof(a->in6.sin6_addr)) {
		a->in6.sin6_family = AF_INET6;
		memcpy(&a->in6.sin6_addr, rd.p, rd.n);
	} else {
		return;
	}
	r->n++;
}

static void
add_records(struct records *r, const struct part *p)
{
	const struct ub_result *res = p->result;

	for (size_t i = 0; res->data[i] != NULL; i++) {
		struct slice rd = slice_of(res->data[i], (size_t)res->len[i]);

		if (p->type == RR_MX)
			add_mx(r, rd);
		else if (r->n == MAX_RECORDS)
			break;
		else
			add_addr(r, rd);
	}
}

/* RFC 7505 3: a null MX stands alone; beside others it means nothing. */
static void
drop_null_mx(struct records *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->mx[i].host[0] != '\0')
			r->mx[kept++] = r->mx[i];
	if (kept != 0)
		r->n = kept;
	else if (r->n != 0)
		r->n = 1;
}

/* ---- answers ---- */

static void
unlink_query(struct dns_query *q)
{
	if ((*q->prev = q->next) != NULL)
		q->next->prev = q->prev;
}

static void
on_guard_closed(uv_handle_t *h)
{
	free(h->data);
}

/* Off the list and gone, what is still asked is cancelled. */
static void
query_end(struct dns_query *q)
{
	for (size_t i = 0; i < q->nparts; i++) {
		if (q->part[i].pending)
			(void)ub_cancel(q->dns->ub, q->part[i].id);
		if (q->part[i].result != NULL)
			ub_resolve_free(q->part[i].result);
	}
	uv_close((uv_handle_t *)&q->guard, on_guard_closed);
}

/* One good part with data is enough; else trouble outweighs "no such name",
 * which must be the word of all. */
static int
join_rc(const struct dns_query *q)
{
	size_t missing = 0;
	bool trouble = false;

	for (size_t i = 0; i < q->nparts; i++) {
		if (q->part[i].rc == 0 && q->part[i].result->havedata)
			return 0;
		if (q->part[i].rc == ERR_NOTFOUND)
			missing++;
		else if (q->part[i].rc != 0)
			trouble = true;
	}
	if (trouble)
		return ERR_DNS;
	return missing == q->nparts ? ERR_NOTFOUND : 0;
}

static void
fill_answer(struct dns_query *q, struct dns_answer *a, struct records *r)
{
	uint32_t ttl;

	a->secure = true;
	a->ttl_sec = UINT32_MAX;
	for (size_t i = 0; i < q->nparts; i++) {
		const struct part *p = &q->part[i];

		if (p->result == NULL || p->rc == ERR_DNS) {
			a->secure = false;
			continue;
		}
		ttl = p->result->ttl > 0 ? (uint32_t)p->result->ttl : 0;
		if (ttl < a->ttl_sec)
			a->ttl_sec = ttl;
		if (!p->result->secure)
			a->secure = false;
		if (a->rc == 0 && p->rc == 0 && p->result->havedata)
			add_records(r, p);
	}
	if (a->ttl_sec == UINT32_MAX)
		a->ttl_sec = 0;
}

static void
answer(struct dns_query *q, int rc)
{
	struct records *r = xcalloc(1, sizeof(*r));
	struct dns_answer a = { .rc = rc };
	int type = q->part[0].type;

	unlink_query(q);
	fill_answer(q, &a, r);
	if (type == RR_MX) {
		drop_null_mx(r);
		a.mx = r->mx;
	} else {
		a.addr = r->addr;
	}
	a.n = r->n;
	a.unusable = r->n == 0 && r->unusable;
	if (rc != 0)
		(void)snprintf(a.text, sizeof(a.text), "%s", q->text);
	q->fn(&a, q->arg);
	free(r);
	query_end(q);
}

static const char *
rcode_name(int rcode)
{
	switch (rcode) {
	case 1: return "FORMERR";
	case 2: return "SERVFAIL";
	case 4: return "NOTIMP";
	case 5: return "REFUSED";
	default: return "error";
	}
}

/* Sorts one result into struct dns_answer's rc and says why. */
static int
judge(struct dns_query *q, int err, const struct ub_result *res)
{
	if (err == UB_SYNTAX) {
		(void)snprintf(q->text, sizeof(q->text), "not a domain name");
		return ERR_NOTFOUND;
	}
	if (err != 0 || res == NULL) {
		(void)snprintf(
		    q->text, sizeof(q->text), "resolver: %s", ub_strerror(err));
		return ERR_DNS;
	}
	if (res->bogus) {
		(void)snprintf(q->text, sizeof(q->text),
		    "DNSSEC validation failed: %s",
		    res->why_bogus != NULL ? res->why_bogus : "no reason");
		return ERR_DNS;
	}
	if (res->nxdomain) {
		(void)snprintf(q->text, sizeof(q->text), "no such domain");
		return ERR_NOTFOUND;
	}
	if (res->rcode != 0) {
		(void)snprintf(q->text, sizeof(q->text),
		    "name server answered %s", rcode_name(res->rcode));
		return ERR_DNS;
	}
	return 0;
}

static void
on_result(void *arg, int err, struct ub_result *res)
{
	struct part *p = arg;
	struct dns_query *q = p->query;

	p->pending = false;
	p->result = res;
	p->rc = judge(q, err, res);
	for (size_t i = 0; i < q->nparts; i++)
		if (q->part[i].pending)
			return;
	answer(q, join_rc(q));
}

/* Too late, or it could not even be asked. */
static void
on_guard(uv_timer_t *t)
{
	struct dns_query *q = t->data;
	bool asked = false;

	for (size_t i = 0; i < q->nparts; i++) {
		asked = asked || q->part[i].pending;
		if (q->part[i].rc == 0 && q->part[i].result == NULL)
			q->part[i].rc = ERR_DNS;
	}
	if (asked)
		(void)snprintf(q->text, sizeof(q->text),
		    "no answer from the name servers in time");
	answer(q, join_rc(q));
}

/* ---- questions ---- */

/* libunbound starts its thread at the first question: no signals there. */
static int
ask_quietly(struct dns *d, const char *name, struct part *p)
{
	sigset_t all, was;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	rc = ub_resolve_async(
	    d->ub, name, p->type, CLASS_IN, p, on_result, &p->id);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return rc;
}

static bool
ask_part(struct dns_query *q, const char *name, int type)
{
	struct part *p = &q->part[q->nparts++];
	int rc;

	p->query = q;
	p->type = type;
	if (name[0] == '\0' || strnlen(name, MAX_NAME + 2) > MAX_NAME + 1) {
		p->rc = ERR_NOTFOUND;
		(void)snprintf(q->text, sizeof(q->text), "not a domain name");
		return false;
	}
	if ((rc = ask_quietly(q->dns, name, p)) == 0) {
		p->pending = true;
		return true;
	}
	p->rc = judge(q, rc, NULL);
	return false;
}

static struct dns_query *
ask(struct dns *d, const char *name, int type, int type2, dns_fn *fn, void *arg)
{
	struct dns_query *q = xcalloc(1, sizeof(*q));
	bool asked;

	q->dns = d;
	q->fn = fn;
	q->arg = arg;
	if ((q->next = d->queries) != NULL)
		q->next->prev = &q->next;
	q->prev = &d->queries;
	d->queries = q;
	(void)uv_timer_init(loop_uv(d->loop), &q->guard);
	q->guard.data = q;
	asked = ask_part(q, name, type);
	if (type2 != 0)
		asked = ask_part(q, name, type2) || asked;
	(void)uv_timer_start(&q->guard, on_guard, asked ? d->timeout_ms : 0, 0);
	return q;
}

struct dns_query *
dns_ask_mx(struct dns *d, const char *name, dns_fn *fn, void *arg)
{
	return ask(d, name, RR_MX, 0, fn, arg);
}

struct dns_query *
dns_ask_addr(struct dns *d, const char *name, bool ipv6, dns_fn *fn, void *arg)
{
	return ask(d, name, RR_A, ipv6 ? RR_AAAA : 0, fn, arg);
}

void
dns_cancel(struct dns_query **qp)
{
	struct dns_query *q = *qp;

	if (q == NULL)
		return;
	*qp = NULL;
	unlink_query(q);
	query_end(q);
}

/* ---- the context ---- */

static void
on_readable(uv_poll_t *p, int status, int events)
{
	struct dns *d = p->data;

	(void)events;
	if (status == 0)
		(void)ub_process(d->ub);
}

/* An address given is a resolver for tests or one the operator trusts: it may
 * be on loopback and may know names that the world does not. */
static int
use_resolver(struct ub_ctx *ub, const char *resolver)
{
	int rc;

	rc = ub_ctx_set_option(ub, "do-not-query-localhost:", "no");
	/* A dead resolver is asked again soon after it came back. */
	(void)ub_ctx_set_option(ub, "infra-keep-probing:", "yes");
	/* What a resolver has to ask for itself takes longer than what it
	 * knows: five tries within 1.5 s, as is usual, would be too few. */
	(void)ub_ctx_set_option(ub, "infra-cache-min-rtt:", "500");
	if (rc != 0)
		return rc;
	if (resolver[0] != '\0') {
		if ((rc = ub_ctx_set_fwd(ub, resolver)) == 0)
			rc = ub_ctx_set_option(ub, "unblock-lan-zones:", "yes");
	} else {
		rc = ub_ctx_resolvconf(ub, NULL);
		if (rc == 0 && access(root_key, R_OK) == 0)
			rc = ub_ctx_add_ta_file(ub, root_key);
	}
	if (rc == 0)
		rc = ub_ctx_async(ub, 1);
	/* Last: it freezes the options.  RFC 6761 6.2. */
	if (rc == 0 && resolver[0] != '\0')
		(void)ub_ctx_zone_remove(ub, "test.");
	return rc;
}

int
dns_new(struct loop *loop, const char *resolver, struct dns **dns_out,
    struct err *e)
{
	struct dns *d = xcalloc(1, sizeof(*d));
	int rc;

	*dns_out = NULL;
	d->loop = loop;
	d->timeout_ms = TIMEOUT_MS;
	if ((d->ub = ub_ctx_create()) == NULL) {
		free(d);
		return err_set(e, ERR_DNS, "no resolver");
	}
	(void)ub_ctx_debugout(d->ub, NULL); /* errors come as results */
	rc = use_resolver(d->ub, resolver);
	if (rc == 0 && uv_poll_init(loop_uv(loop), &d->poll, ub_fd(d->ub)) != 0)
		rc = UB_PIPE;
	if (rc != 0) {
		ub_ctx_delete(d->ub);
		free(d);
		(void)err_set(e, ERR_DNS, "resolver cannot be set up");
		err_detail(
		    e, "resolver=%s text=\"%s\"", resolver, ub_strerror(rc));
		return ERR_DNS;
	}
	d->poll.data = d;
	(void)uv_poll_start(&d->poll, UV_READABLE, on_readable);
	*dns_out = d;
	return 0;
}

void
dns_set_timeout(struct dns *d, uint64_t ms)
{
	d->timeout_ms = ms;
}

static void
on_poll_closed(uv_handle_t *h)
{
	free(h->data);
}

void
dns_free(struct dns **dp)
{
	struct dns *d = *dp;

	if (d == NULL)
		return;
	*dp = NULL;
	while (d->queries != NULL) {
		struct dns_query *q = d->queries;

		dns_cancel(&q);
	}
	uv_close((uv_handle_t *)&d->poll, on_poll_closed);
	ub_ctx_delete(d->ub);
}

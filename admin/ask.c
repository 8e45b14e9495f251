#include "admin/ask.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum { CLASS_IN = 1, NXDOMAIN = 3, LABEL_MAX = 63 };

static const char root_key[] = "/usr/share/dns/root.key";

struct ask {
	struct ub_ctx *ub;
	bool done;
	struct ub_result *result; /* of the question that is open */
};

static bool
read_address(int family, struct slice rdata, char out[ASK_TEXT_MAX])
{
	return rdata.n == (family == AF_INET ? 4 : 16) &&
	       inet_ntop(family, rdata.p, out, INET6_ADDRSTRLEN) != NULL;
}

/* RFC 1035 3.1; the library has undone compression. */
static bool
read_name(struct slice in, char out[ASK_TEXT_MAX])
{
	size_t at = 0;

	while (in.n != 0 && in.p[0] != '\0') {
		size_t n = (unsigned char)in.p[0];

		if (n > LABEL_MAX || in.n < n + 1 || at + n + 2 > 256)
			return false;
		if (at != 0)
			out[at++] = '.';
		for (size_t i = 1; i <= n; i++) {
			char c = ascii_lower(in.p[i]);

			out[at++] = c > ' ' && c < 127 && c != '.' ? c : '?';
		}
		in = slice_from(in, n + 1);
	}
	out[at] = '\0';
	return in.n == 1;
}

/* character-strings (RFC 1035 3.3.14), joined without blanks (RFC 7208 3.3). */
static bool
read_text(struct slice in, char out[ASK_TEXT_MAX])
{
	size_t at = 0;

	while (in.n != 0) {
		size_t n = (unsigned char)in.p[0];

		if (in.n < n + 1 || at + n + 1 > ASK_TEXT_MAX)
			return false;
		for (size_t i = 1; i <= n; i++) {
			char c = in.p[i];

			out[at++] = c >= ' ' && c < 127 ? c : '?';
		}
		in = slice_from(in, n + 1);
	}
	out[at] = '\0';
	return true;
}

bool
ask_read(int type, struct slice rdata, char out[ASK_TEXT_MAX])
{
	if (type == ASK_A || type == ASK_AAAA)
		return read_address(
		    type == ASK_A ? AF_INET : AF_INET6, rdata, out);
	if (type == ASK_MX)
		return rdata.n > 2 && read_name(slice_from(rdata, 2), out);
	return type == ASK_PTR ? read_name(rdata, out)
			       : type == ASK_TXT && read_text(rdata, out);
}

bool
ask_reverse(const char *address, char out[80])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char ip[16];
	size_t at = 0;

	if (inet_pton(AF_INET, address, ip) == 1) {
		(void)snprintf(out, 80, "%u.%u.%u.%u.in-addr.arpa", ip[3],
		    ip[2], ip[1], ip[0]);
		return true;
	}
	if (inet_pton(AF_INET6, address, ip) != 1)
		return false;
	for (size_t i = sizeof(ip); i-- > 0;) {
		out[at++] = hex[ip[i] & 15];
		out[at++] = '.';
		out[at++] = hex[ip[i] >> 4];
		out[at++] = '.';
	}
	(void)snprintf(out + at, 80 - at, "ip6.arpa");
	return true;
}

static int
use_resolver(struct ub_ctx *ub, const char *resolver)
{
	int rc = ub_ctx_set_option(ub, "do-not-query-localhost:", "no");

	if (rc == 0 && resolver[0] != '\0') {
		if ((rc = ub_ctx_set_fwd(ub, resolver)) == 0)
			rc = ub_ctx_set_option(ub, "unblock-lan-zones:", "yes");
	} else if (rc == 0) {
		rc = ub_ctx_resolvconf(ub, NULL);
		if (rc == 0 && access(root_key, R_OK) == 0)
			rc = ub_ctx_add_ta_file(ub, root_key);
	}
	if (rc == 0)
		rc = ub_ctx_async(ub, 1);
	/* Zones the library answers by itself (RFC 6303, RFC 6761), where a
	 * resolver of the operator's own knows better. */
	if (rc == 0 && resolver[0] != '\0') {
		(void)ub_ctx_zone_remove(ub, "test.");
		(void)ub_ctx_zone_remove(ub, "127.in-addr.arpa.");
	}
	return rc;
}

int
ask_new(const char *resolver, struct ask **ask_out, struct err *e)
{
	struct ask *q = xcalloc(1, sizeof(*q));
	int rc = UB_NOMEM;

	*ask_out = NULL;
	if ((q->ub = ub_ctx_create()) != NULL) {
		(void)ub_ctx_debugout(q->ub, NULL);
		rc = use_resolver(q->ub, resolver);
	}
	if (rc != 0) {
		ask_free(&q);
		return err_set(e, ERR_DNS, "the resolver cannot be set up: %s",
		    ub_strerror(rc));
	}
	*ask_out = q;
	return 0;
}

void
ask_free(struct ask **qp)
{
	struct ask *q = *qp;

	*qp = NULL;
	if (q == NULL)
		return;
	if (q->ub != NULL)
		ub_ctx_delete(q->ub);
	free(q);
}

static void
on_result(void *arg, int err, struct ub_result *result)
{
	struct ask *q = arg;

	q->done = true;
	q->result = err == 0 ? result : NULL;
}

/* Until the answer is there or its time is over. */
static void
wait_for(struct ask *q, int id)
{
	uint64_t end = clock_steady_ms() + ASK_WAIT_MS, now;
	struct pollfd p = { .fd = ub_fd(q->ub), .events = POLLIN };

	while (!q->done && (now = clock_steady_ms()) < end)
		if (poll(&p, 1, (int)(end - now)) > 0)
			(void)ub_process(q->ub);
	if (!q->done)
		(void)ub_cancel(q->ub, id);
}

static void
take(const struct ub_result *r, int type, struct arena *a,
    struct ask_answer *out)
{
	char text[ASK_TEXT_MAX];

	for (size_t i = 0; r->data[i] != NULL && out->n < ASK_RECORDS; i++)
		if (ask_read(
			type, slice_of(r->data[i], (size_t)r->len[i]), text))
			out->v[out->n++] = arena_str(a, slice_str(text));
}

void
ask_for(struct ask *q, const char *name, int type, struct arena *a,
    struct ask_answer *out)
{
	const struct ub_result *r;
	int id = 0;

	*out = (struct ask_answer){ .rc = ERR_DNS };
	q->done = false;
	q->result = NULL;
	if (ub_resolve_async(q->ub, name, type, CLASS_IN, q, on_result, &id) !=
	    0)
		return;
	wait_for(q, id);
	if ((r = q->result) == NULL)
		return;
	if (r->havedata && !r->bogus) {
		out->rc = 0;
		take(r, type, a, out);
	} else if (r->rcode == NXDOMAIN) {
		out->rc = ERR_NOTFOUND;
	} else if (r->rcode == 0 && !r->bogus) {
		out->rc = 0;
	}
	ub_resolve_free(q->result);
	q->result = NULL;
}

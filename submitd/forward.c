#include "submitd/forward.h"

#include "auth/ident.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/mail/header.h"
#include "submitd/app.h"
#include "submitd/srs.h"

static struct slice
domain_of(struct slice addr)
{
	return slice_from(addr, slice_rchr(addr, '@') + 1);
}

static struct slice
key_of(const struct server *srv)
{
	return slice_of(app_of(srv)->srs_key, HOST_KEY_LEN);
}

/* A recipient elsewhere leads to itself, a return address to who sent it. */
bool
forward_is(const struct envelope_rcpt *r)
{
	return r->route.nremote != 0 && !r->back &&
	       !(r->route.nremote == 1 &&
		   slice_eq(r->route.remote[0], r->addr));
}

static bool
was_here(struct slice header, struct slice addr)
{
	struct header h;

	while (header_next(&header, &h))
		if (slice_ieq(h.name, SLICE("Delivered-To")) &&
		    slice_ieq(slice_trim(h.value), addr))
			return true;
	return false;
}

int
forward_check(
    const struct dispatch_in *in, const struct envelope_rcpt *r, bool junk)
{
	const char *why = junk ? "forward-junk" : "forward-loop";

	if (!forward_is(r) || (!junk && !was_here(in->header, r->addr)))
		return 0;
	log_info(NULL, "refused", "why=%s from=%s to=%s", why,
	    log_q(in->env->sender), log_q(r->addr));
	return ERR_DENIED;
}

struct slice
forward_sender(const struct dispatch_in *in, const struct envelope_rcpt *r,
    struct arena *a)
{
	struct slice sender = in->env->sender;
	bool ours = false;
	struct buf b;

	/* Our people's own domains name us as a sender already. */
	if (sender.n == 0 || !forward_is(r) ||
	    domain_is_local(in->srv->store, domain_of(sender), &ours) != 0 ||
	    ours || domain_of(r->addr).n == 0)
		return sender;
	buf_init(&b, 2 * IDENT_MAX);
	if (srs_encode(key_of(in->srv), clock_wall_sec(), sender,
		domain_of(r->addr), &b))
		sender = arena_copy(a, buf_slice(&b));
	buf_fini(&b);
	return sender;
}

struct slice
forward_first(const struct server *srv, struct slice sender, struct arena *a)
{
	struct buf b;

	if (!srs_is(sender))
		return sender;
	buf_init(&b, IDENT_MAX);
	if (srs_decode(key_of(srv), clock_wall_sec(), sender, &b))
		sender = arena_copy(a, buf_slice(&b));
	buf_fini(&b);
	return sender;
}

void
forward_mark(struct buf *head, const struct envelope *env)
{
	for (size_t i = 0; i < env->nrcpts; i++)
		if (forward_is(&env->rcpts[i]))
			buf_printf(head, "Delivered-To: %.*s\r\n",
			    (int)env->rcpts[i].addr.n, env->rcpts[i].addr.p);
}

int
forward_back(struct client *c, struct slice addr, struct envelope_rcpt *r)
{
	char folded[IDENT_MAX + 1];
	struct slice to = SLICE("");
	struct buf b;

	buf_init(&b, IDENT_MAX);
	if (srs_decode(key_of(c->s.sl->srv), clock_wall_sec(), addr, &b))
		to = arena_copy(&c->env.arena, buf_slice(&b));
	buf_fini(&b);
	if (to.n == 0 || ident_fold_address(to, folded, NULL) != 0)
		return ERR_NOTFOUND;
	/* It is for reports only: not a way to write to anybody. */
	if (c->env.sender.n != 0)
		return ERR_DENIED;
	r->back = true;
	r->route.remote = arena_alloc(&c->env.arena, sizeof(to));
	r->route.remote[0] = to;
	r->route.nremote = 1;
	return 0;
}

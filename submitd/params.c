#include "submitd/params.h"

#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "submitd/resp.h"
#include "submitd/words.h"

static bool
param_size(struct client *c, struct slice v)
{
	return num_parse(v, UINT64_MAX, &c->env.size);
}

static bool
param_body(struct client *c, struct slice v)
{
	if (slice_ieq(v, SLICE("7BIT")))
		return true;
	c->env.flags |= QUEUE_8BIT;
	c->env.binary = slice_ieq(v, SLICE("BINARYMIME"));
	return c->env.binary || slice_ieq(v, SLICE("8BITMIME"));
}

static bool
param_utf8(struct client *c, struct slice v)
{
	c->env.flags |= QUEUE_UTF8;
	return v.p == NULL;
}

static bool
param_ret(struct client *c, struct slice v)
{
	if (slice_ieq(v, SLICE("FULL")))
		c->env.flags |= QUEUE_RET_FULL;
	else if (slice_ieq(v, SLICE("HDRS")))
		c->env.flags |= QUEUE_RET_HDRS;
	else
		return false;
	return true;
}

static bool
take_xtext(struct client *c, struct slice v, size_t max, struct slice *out)
{
	struct buf b;
	bool ok;

	buf_init(&b, max);
	ok = v.n != 0 && smtp_xtext(&b, v);
	if (ok)
		*out = arena_copy(&c->env.arena, buf_slice(&b));
	buf_fini(&b);
	return ok;
}

static bool
param_envid(struct client *c, struct slice v)
{
	return take_xtext(c, v, 100, &c->env.envid); /* RFC 3461 4.4 */
}

/* RFC 4954 5: we do not trust it, and say nothing. */
static bool
param_auth(struct client *c, struct slice v)
{
	(void)c;
	return v.n != 0;
}

/* RFC 4865 5: one of the two, and not beyond what EHLO told. */
static bool
hold_until(struct client *c, int64_t now, int64_t when)
{
	int64_t max = (int64_t)(c->s.sl->srv->conf->hold_max / 1000);

	if (c->role != ROLE_SUBMIT || max == 0 || c->env.hold_until != 0 ||
	    when > now + max)
		return false;
	c->env.hold_until = when > now ? when : now;
	return true;
}

static bool
param_holdfor(struct client *c, struct slice v)
{
	int64_t now = clock_wall_sec();
	uint64_t sec;

	return num_parse(v, 999999999, &sec) &&
	       hold_until(c, now, now + (int64_t)sec);
}

static bool
param_holduntil(struct client *c, struct slice v)
{
	int64_t when;

	return smtp_parse_time(v, &when) &&
	       hold_until(c, clock_wall_sec(), when);
}

static const struct {
	const char *key;
	bool (*take)(struct client *c, struct slice value);
} mail_params[] = {
	{ "SIZE", param_size },           /* RFC 1870 */
	{ "BODY", param_body },           /* RFC 6152, RFC 3030 3 */
	{ "SMTPUTF8", param_utf8 },       /* RFC 6531 3.4 */
	{ "RET", param_ret },             /* RFC 3461 4.3 */
	{ "ENVID", param_envid },         /* RFC 3461 4.4 */
	{ "AUTH", param_auth },           /* RFC 4954 5 */
	{ "HOLDFOR", param_holdfor },     /* RFC 4865 5 */
	{ "HOLDUNTIL", param_holduntil }, /* RFC 4865 5 */
};

static bool
bad_value(struct client *c, const char *key)
{
	words_tell(c, "501 5.5.4 ", "bad value of %s", key);
	return false;
}

/* RFC 5321 4.1.1.11 */
static bool
unknown(struct client *c)
{
	words_tell(c, "555 5.5.4 ", "unknown parameter");
	return false;
}

/* Does the same keyword stand before i?  One of the two would be a lie. */
static bool
is_double(const struct smtp_param *v, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (slice_ieq(v[k].key, v[i].key))
			return true;
	return false;
}

static bool
take_mail(struct client *c, const struct smtp_param *p)
{
	for (size_t i = 0; i < PH_LEN(mail_params); i++)
		if (slice_ieq_str(p->key, mail_params[i].key))
			return mail_params[i].take(c, p->value) ||
			       bad_value(c, mail_params[i].key);
	return unknown(c);
}

static bool
said_twice(struct client *c)
{
	words_tell(c, "501 5.5.4 ", "a parameter comes twice");
	return false;
}

bool
params_mail(struct client *c, const struct smtp_param *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (is_double(v, i))
			return said_twice(c);
		if (!take_mail(c, &v[i]))
			return false;
	}
	return true;
}

/* From outside nobody may have us report success: the sender may be forged.
 * So port 25 does not offer DSN; asked all the same, it leaves that out. */
static bool
rcpt_notify(struct client *c, struct slice v, struct envelope_rcpt *r)
{
	if (!smtp_parse_notify(v, &r->notify))
		return false;
	if (c->role == ROLE_MX && (r->notify & NOTIFY_ON_SUCCESS)) {
		r->notify &= ~(unsigned)NOTIFY_ON_SUCCESS;
		if (r->notify == 0)
			r->notify = NOTIFY_ON_NEVER;
	}
	return true;
}

static bool
rcpt_orcpt(struct client *c, struct slice v, struct envelope_rcpt *r)
{
	size_t semi = slice_chr(v, ';');

	return semi != 0 && semi != v.n && take_xtext(c, v, 500, &r->orcpt);
}

static const struct {
	const char *key;
	bool (*take)(
	    struct client *c, struct slice value, struct envelope_rcpt *r);
} rcpt_params[] = {
	{ "NOTIFY", rcpt_notify }, /* RFC 3461 4.1 */
	{ "ORCPT", rcpt_orcpt },   /* RFC 3461 4.2 */
};

static bool
take_rcpt(struct client *c, const struct smtp_param *p, struct envelope_rcpt *r)
{
	for (size_t i = 0; i < PH_LEN(rcpt_params); i++)
		if (slice_ieq_str(p->key, rcpt_params[i].key))
			return rcpt_params[i].take(c, p->value, r) ||
			       bad_value(c, rcpt_params[i].key);
	return unknown(c);
}

bool
params_rcpt(struct client *c, const struct smtp_param *v, unsigned n,
    struct envelope_rcpt *r)
{
	for (unsigned i = 0; i < n; i++) {
		if (is_double(v, i))
			return said_twice(c);
		if (!take_rcpt(c, &v[i], r))
			return false;
	}
	return true;
}

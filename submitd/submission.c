#include "submitd/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/crypt/crypt.h"
#include "lib/mail/address.h"
#include "lib/mail/header.h"
#include "storage/event.h"
#include "storage/folder.h"
#include "storage/outbox.h"
#include "storage/view.h"
#include "submitd/alarm.h"
#include "submitd/app.h"
#include "submitd/words.h"

/* Envelope, Message-ID and body; not the header, in which programs put the
 * time of each attempt. */
static void
hash_message(
    struct submission *s, const struct client *c, const struct fixup *fix)
{
	struct crypt_sha256_ctx *h = crypt_sha256_new();
	uint8_t all[SHA256_LEN];

	crypt_sha256_update(h, fix->msgid.p, fix->msgid.n);
	crypt_sha256_update(h, "", 1);
	crypt_sha256_update(h, c->env.sender.p, c->env.sender.n);
	for (size_t i = 0; i < c->env.nrcpts; i++) {
		struct slice addr = c->env.rcpts[i].addr;

		crypt_sha256_update(h, "", 1);
		crypt_sha256_update(h, addr.p, addr.n);
	}
	crypt_sha256_update(h, "", 1);
	crypt_sha256_update(h, fix->body.p, fix->body.n);
	crypt_sha256_final(&h, all);
	memcpy(s->submit.key, all, SUBMIT_KEY_LEN);
	submit_hash_msgid(fix->msgid, s->submit.msgid);
	s->submit.has_key = true;
}

static void
add_level(struct submission *s, char kind, struct slice name,
    const struct policy_limits *limits)
{
	if (limits->messages_hour != 0 || limits->recipients_hour != 0 ||
	    limits->new_day != 0)
		s->sending.levels[s->sending.nlevels++] =
		    (struct sending_level){ kind, name, *limits };
}

static int
cmp_slice(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Each recipient once. */
static void
add_rcpts(struct submission *s, const struct envelope *env)
{
	struct slice *v = arena_alloc(&s->arena, env->nrcpts * sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < env->nrcpts; i++)
		v[i] = env->rcpts[i].addr;
	qsort(v, env->nrcpts, sizeof(*v), cmp_slice);
	for (size_t i = 0; i < env->nrcpts; i++)
		if (n == 0 || !slice_eq(v[n - 1], v[i]))
			v[n++] = v[i];
	s->sending.rcpts = v;
	s->sending.nrcpts = n;
}

static int
add_limits(struct submission *s, struct client *c)
{
	struct server *srv = c->s.sl->srv;
	struct slice domain = c->env.domain;
	struct policy_limits of_domain;
	int rc = rights_domain(app_of(srv)->rights, domain, &of_domain);

	if (rc != 0)
		return rc;
	s->sending.account = c->who.account;
	s->sending.now = clock_wall_sec();
	add_level(
	    s, POLICY_ACCOUNT, slice_str(c->who.name), &s->rights.account);
	add_level(s, POLICY_DOMAIN, domain, &of_domain);
	add_level(
	    s, POLICY_PACKAGE, slice_str(c->who.package), &s->rights.package);
	if (!sending_is_limited(&s->sending))
		return 0;
	add_rcpts(s, &c->env);
	s->submit.sending = &s->sending;
	return 0;
}

int
submission_init(struct submission *s, struct client *c, const struct fixup *fix)
{
	struct server *srv = c->s.sl->srv;
	int rc;

	*s = (struct submission){ 0 };
	arena_init(&s->arena);
	if (c->who.account == 0)
		return 0;
	rc = rights_get(app_of(srv)->rights, srv->conf, &c->who, &s->rights);
	if (rc != 0 || (rc = add_limits(s, c)) != 0)
		return rc;
	/* Undo: everything waits a while. */
	if (c->env.hold_until == 0 && s->rights.undo_sec != 0)
		c->env.hold_until = clock_wall_sec() + s->rights.undo_sec;
	s->submit.account = c->who.account;
	(void)queue_id_parse(slice_str(c->queue_id), &s->submit.id);
	/* Without a Message-ID of its own, what looks the same may well be
	 * meant twice: a script's "disk is full". */
	if (!fix->made_msgid)
		hash_message(s, c, fix);
	return 0;
}

static uint64_t
sent_folder(struct submission *s, struct store *store)
{
	struct folder_info *v;
	size_t n;

	if (folder_list(store, s->submit.account, false, &s->arena, &v, &n) !=
	    0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].use == USE_SENT)
			return v[i].id;
	return 0;
}

enum { BCC_MAX = 700, NAMED_MAX = 200 };

/* Is the address in one of these fields? */
static bool
is_named(const struct mail_addr *a, struct slice addr)
{
	size_t at = slice_rchr(addr, '@');

	for (; a != NULL; a = a->next)
		if (a->host.p != NULL &&
		    slice_ieq(a->mailbox, slice_sub(addr, 0, at)) &&
		    slice_ieq(a->host, slice_from(addr, at + 1)))
			return true;
	return false;
}

/* Programs leave Bcc out of what they send, and have it in what they file:
 * who is in the envelope alone. */
static struct slice
bcc_of_envelope(
    struct submission *s, const struct envelope *env, struct slice header)
{
	struct mail_addr *named = NULL, **tail = &named;
	struct slice out = SLICE("");
	struct header h;
	struct buf b;

	if (env->nrcpts > NAMED_MAX)
		return out;
	while (header_next(&header, &h))
		if (slice_ieq(h.name, SLICE("To")) ||
		    slice_ieq(h.name, SLICE("Cc")))
			(void)address_append(
			    &s->arena, h.value, NAMED_MAX, &tail);
	buf_init(&b, BCC_MAX);
	for (size_t i = 0; i < env->nrcpts; i++)
		if (!is_named(named, env->rcpts[i].given) &&
		    !is_named(named, env->rcpts[i].addr))
			buf_printf(&b, "%s<%.*s>",
			    buf_len(&b) == 0 ? "Bcc: " : ",\r\n\t",
			    (int)env->rcpts[i].given.n, env->rcpts[i].given.p);
	if (buf_len(&b) != 0)
		buf_add(&b, "\r\n", 2);
	if (!buf_failed(&b))
		out = arena_copy(&s->arena, buf_slice(&b));
	buf_fini(&b);
	return out;
}

/* Who else got it is in the sender's copy alone. */
static struct slice
bcc_of(struct submission *s, const struct envelope *env, struct slice header)
{
	struct slice rest = header;
	struct header h;

	while (header_next(&rest, &h))
		if (slice_ieq(h.name, SLICE("Bcc")) && h.raw.n <= BCC_MAX)
			return arena_copy(&s->arena, h.raw);
	return bcc_of_envelope(s, env, header);
}

static struct deliver_target *
add_copy(struct submission *s, const struct envelope *env,
    const struct fixup *fix, struct dispatch *p, uint64_t folder)
{
	struct deliver_target *t;

	p->targets = mem_grow(
	    p->targets, &p->targets_cap, p->ntargets, sizeof(*p->targets));
	t = &p->targets[p->ntargets++];
	*t = (struct deliver_target){
		.account = s->submit.account,
		.folder = folder,
		.flags = MSG_SEEN,
		.prefix = bcc_of(s, env, fix->header),
	};
	return t;
}

/* Mail to people here alone has arrived with the commit. */
static void
add_sent(struct submission *s, struct client *c, const struct fixup *fix,
    struct dispatch *p)
{
	struct store *store = c->s.sl->srv->store;
	static const struct slice delivered[] = { { "$Delivered", 10 } };
	struct deliver_target *t;
	uint64_t folder;

	if (!s->rights.sent_copy || s->no_sent ||
	    (folder = sent_folder(s, store)) == 0)
		return;
	t = add_copy(s, &c->env, fix, p, folder);
	if (p->nqueue == 0) {
		t->keywords = delivered;
		t->nkeywords = 1;
	}
	s->submit.sent = t;
}

static void
add_box(struct submission *s, struct client *c, const struct fixup *fix,
    struct dispatch *p)
{
	struct server *srv = c->s.sl->srv;
	uint64_t folder;

	if (!s->rights.outbox || s->no_box || p->nqueue == 0 ||
	    !(p->queue[0].row.flags & QUEUE_UNSENT) ||
	    outbox_folder(srv->store, s->submit.account, &folder) != 0)
		return;
	waiting_watch(app_of(srv)->waiting, s->submit.account, folder);
	s->box.target = add_copy(s, &c->env, fix, p, folder);
}

struct submit *
submission_add(struct submission *s, struct client *c, const struct fixup *fix,
    struct dispatch *p)
{
	size_t sent;

	if (s->submit.account == 0)
		return NULL;
	s->submit.sent = s->box.target = NULL;
	add_sent(s, c, fix, p);
	sent = p->ntargets - 1;
	add_box(s, c, fix, p);
	if (s->submit.sent != NULL) /* the array may have moved */
		s->submit.sent = &p->targets[sent];
	return &s->submit;
}

bool
submission_without_copy(struct submission *s, const struct dispatch *p,
    const struct deliver *d, int rc)
{
	const struct deliver_target *bad;

	if ((rc != ERR_QUOTA && rc != ERR_NOTFOUND && rc != ERR_LIMIT) ||
	    d->bad_msg != 0 || d->bad_target >= p->ntargets ||
	    (s->submit.sending != NULL && s->sending.hit != NULL))
		return false;
	bad = &p->targets[d->bad_target];
	if (bad != s->submit.sent && bad != s->box.target)
		return false;
	log_info(NULL, "sent-copy", "account=%llu failed=%s",
	    (unsigned long long)s->submit.account, err_name(rc));
	s->no_sent |= bad == s->submit.sent;
	s->no_box |= bad == s->box.target;
	return true;
}

/* "14:20 CET" */
static void
time_text(int64_t when, char out[32])
{
	time_t t = (time_t)when;
	struct tm tm;

	out[0] = '\0';
	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(out, 32, "%H:%M %Z", &tm);
}

static int
refuse(struct submission *s, struct client *c)
{
	static const struct {
		const char *en, *de;
	} what[] = {
		[SENDING_MESSAGES] = { "messages an hour",
		    "Nachrichten in einer Stunde" },
		[SENDING_RECIPIENTS] = { "recipients an hour",
		    "Empfaenger in einer Stunde" },
		[SENDING_NEW] = { "new recipients a day",
		    "neue Empfaenger an einem Tag" },
	};
	const struct sending *n = &s->sending;
	char en[200], de[200], when[32], name[64];
	unsigned long long count = n->count, limit = n->limit;
	bool never = n->free_at == 0;

	(void)snprintf(
	    name, sizeof(name), "%.*s", (int)n->hit->name.n, n->hit->name.p);
	time_text(n->free_at, when);
	(void)snprintf(en, sizeof(en),
	    never ? "%s may have %llu %s: too many for this message alone"
		  : "%s may have %llu %s and has had %llu; this message can "
		    "go at %s",
	    name, limit, what[n->what].en, count, when);
	(void)snprintf(de, sizeof(de),
	    never ? "%s darf %llu %s: diese E-Mail allein hat mehr"
		  : "%s darf %llu %s, bisher waren es %llu; diese E-Mail geht "
		    "ab %s",
	    name, limit, what[n->what].de, count, when);
	log_info(c->s.id, "refused", "why=limit account=%s of=%s what=\"%s\"",
	    c->who.name, name, what[n->what].en);
	(void)!event_add(
	    c->s.sl->srv->store, c->who.account, EVENT_REFUSED, slice_str(en));
	alarm_limit(c, n, en);
	return words_refuse(c, &c->accept_err, ERR_LIMIT,
	    never ? "550 5.5.3 " : "450 4.7.1 ", en, de);
}

int
submission_result(struct submission *s, struct client *c, int rc)
{
	if (rc == ERR_LIMIT && s->submit.sending != NULL &&
	    s->sending.hit != NULL)
		return refuse(s, c);
	if (rc != ERR_EXISTS || s->submit.first_id == 0)
		return rc;
	log_info(
	    c->s.id, "again", "id=%s account=%s", c->queue_id, c->who.name);
	queue_id_text(s->submit.first_id, c->queue_id);
	return 0;
}

void
submission_fini(struct submission *s)
{
	arena_clear(&s->arena);
}

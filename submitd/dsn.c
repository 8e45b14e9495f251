#include "submitd/dsn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/ident.h"
#include "lib/base/clock.h"
#include "lib/base/cur.h"
#include "lib/base/log.h"
#include "lib/base/utf8.h"
#include "lib/mail/date.h"
#include "lib/mail/encode.h"
#include "lib/mail/header.h"
#include "storage/account.h"
#include "submitd/forward.h"

enum { TEXT_MAX = 1 << 20 };

enum action {
	ACT_NONE,
	ACT_FAILED,
	ACT_DELAYED,
	ACT_RELAYED,
	ACT_DELIVERED,
	ACTIONS
};

/* RFC 3464 2.3.3 */
static const char *const action_names[] = { "none", "failed", "delayed",
	"relayed", "delivered" };

/* What people read, one row a language; %s in order: this host, the list. */
struct words {
	const char *lang;
	const char *subject[ACTIONS], *intro[ACTIONS], *reason, *own,
	    *todo[ACTIONS];
};

static const struct words languages[] = {
	{ "de",
	    { "", "Ihre E-Mail konnte nicht zugestellt werden",
		"Ihre E-Mail ist noch unterwegs", "Ihre E-Mail wurde übergeben",
		"Ihre E-Mail wurde zugestellt" },
	    { "",
		"Ihre E-Mail konnte nicht zugestellt werden. Das ist "
		"endgültig: sie wird nicht noch einmal versucht.",
		"Ihre E-Mail konnte noch nicht zugestellt werden. Es wird "
		"weiter versucht; Sie brauchen nichts zu tun.",
		"Ihre E-Mail wurde dem Server des Empfängers übergeben. Er "
		"meldet die Zustellung nicht selbst.",
		"Ihre E-Mail liegt im Postfach des Empfängers." },
	    "Der andere Server sagt", "Grund",
	    { "",
		"Prüfen Sie die Adresse. Ist sie richtig, hilft der Text des "
		"anderen Servers dem Empfänger oder dessen Anbieter weiter.",
		"Sie bekommen Bescheid, wenn die Zustellung endgültig "
		"misslingt. Bitte senden Sie die E-Mail nicht noch einmal.",
		"", "" } },
	{ "en",
	    { "", "Your mail could not be delivered",
		"Your mail is still on its way", "Your mail was relayed",
		"Your mail was delivered" },
	    { "",
		"Your mail could not be delivered. This is final: it will "
		"not be tried again.",
		"Your mail could not be delivered yet. It will be tried "
		"again; you need not do anything.",
		"Your mail was handed to the recipient's server, which does "
		"not report delivery itself.",
		"Your mail is in the recipient's mailbox." },
	    "The other server says", "The reason",
	    { "",
		"Check the address. If it is right, the other server's words "
		"will help the recipient or their provider.",
		"You will be told when it fails for good. Please do not send "
		"the mail again.",
		"", "" } },
};

static bool
notifies(unsigned notify, unsigned wish, bool by_default)
{
	return notify == NOTIFY_ON_DEFAULT ? by_default : (notify & wish) != 0;
}

/* What there is to tell about one recipient in this round. */
static enum action
action_of(const struct errand *e, size_t i, bool late)
{
	const struct queue_rcpt *r = &e->row.rcpts[i];

	if (r->state == RCPT_FAILED && e->out[i] == OUT_PERM &&
	    notifies(r->notify, NOTIFY_ON_FAILURE, true))
		return ACT_FAILED;
	if (r->state == RCPT_PENDING && late &&
	    notifies(r->notify, NOTIFY_ON_DELAY, true))
		return ACT_DELAYED;
	if (r->state == RCPT_DELIVERED && e->out[i] == OUT_SENT &&
	    !e->remote_dsn && notifies(r->notify, NOTIFY_ON_SUCCESS, false))
		return e->original.p != NULL ? ACT_DELIVERED : ACT_RELAYED;
	return ACT_NONE;
}

/* The gravest action of all recipients names the report. */
static enum action
overall(const struct errand *e, bool late)
{
	enum action best = ACT_NONE;

	for (size_t i = 0; i < e->row.nrcpts; i++) {
		enum action a = action_of(e, i, late);

		if (a != ACT_NONE && (best == ACT_NONE || a < best))
			best = a;
	}
	return best;
}

static bool
read_status(struct cur *c, struct slice *out)
{
	const char *from = c->p;
	uint32_t n;
	bool ok = cur_u32(c, &n) && n >= 2 && n <= 5 && cur_byte(c, '.') &&
		  cur_u32(c, &n) && n < 1000 && cur_byte(c, '.') &&
		  cur_u32(c, &n) && n < 1000;

	*out = slice_of(from, (size_t)(c->p - from));
	return ok && out->n <= 9;
}

void
dsn_status(struct slice reply, bool failed, char out[16])
{
	struct slice found;
	struct cur c;

	cur_init(&c, slice_from(reply, 4));
	if (!read_status(&c, &found)) {
		cur_init(&c, reply);
		if (!read_status(&c, &found))
			found = failed ? SLICE("5.0.0") : SLICE("4.0.0");
	}
	(void)slice_copy(found, out, 16);
	/* RFC 3464 2.3.4: a failure's class is 5, whatever it came from. */
	out[0] = failed ? '5' : out[0];
}

static void
put_people(struct buf *out, const struct errand *e, bool late,
    const struct words *w, enum action act)
{
	bool any = false;

	for (size_t i = 0; i < e->row.nrcpts; i++) {
		const struct queue_rcpt *r = &e->row.rcpts[i];

		if (action_of(e, i, late) != act)
			continue;
		if (!any)
			buf_printf(out, "%s\r\n\r\n", w->intro[act]);
		any = true;
		buf_printf(out, "    %.*s\r\n", (int)r->addr.n, r->addr.p);
		if (r->reply.n != 0 && r->remote.n != 0)
			buf_printf(out, "    %s (%.*s):\r\n", w->reason,
			    (int)r->remote.n, r->remote.p);
		else if (r->reply.n != 0)
			buf_printf(out, "    %s:\r\n", w->own);
		if (r->reply.n != 0)
			buf_printf(
			    out, "    %.*s\r\n", (int)r->reply.n, r->reply.p);
		buf_add_str(out, "\r\n");
	}
	if (any && w->todo[act][0] != '\0')
		buf_printf(out, "%s\r\n\r\n", w->todo[act]);
}

static void
put_text(struct dsn *d, const struct errand *e, bool late, bool english_first)
{
	struct buf plain;

	buf_init(&plain, TEXT_MAX);
	for (size_t k = 0; k < PH_LEN(languages); k++) {
		const struct words *w =
		    &languages[english_first ? PH_LEN(languages) - 1 - k : k];

		if (k != 0)
			buf_add_str(&plain, "-- \r\n\r\n");
		for (int act = ACT_FAILED; act < ACTIONS; act++)
			put_people(&plain, e, late, w, (enum action)act);
	}
	buf_add_str(&d->text, "Content-Type: text/plain; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: "
			      "quoted-printable\r\n\r\n");
	encode_qp(&d->text, buf_slice(&plain));
	buf_fini(&plain);
}

/* RFC 3464 2.3: one group of fields a recipient. */
static void
put_rcpt_fields(
    struct buf *out, const struct errand *e, size_t i, enum action act)
{
	const struct queue_rcpt *r = &e->row.rcpts[i];
	char status[16];

	dsn_status(r->reply, act == ACT_FAILED, status);
	buf_add_str(out, "\r\n");
	if (r->orcpt.n != 0)
		buf_printf(out, "Original-Recipient: %.*s\r\n", (int)r->orcpt.n,
		    r->orcpt.p);
	/* RFC 6533 4.3: an address type for what is not ASCII */
	buf_printf(out,
	    "Final-Recipient: %s; %.*s\r\nAction: %s\r\n"
	    "Status: %s\r\n",
	    utf8_is_ascii(r->addr) ? "rfc822" : "utf-8", (int)r->addr.n,
	    r->addr.p, action_names[act],
	    act >= ACT_RELAYED ? "2.0.0" : status);
	/* RFC 3464 2.3.6: without it the words are ours. */
	if (r->remote.n != 0)
		buf_printf(out, "Remote-MTA: dns; %.*s\r\n",
		    (int)slice_chr(r->remote, ' '), r->remote.p);
	if (r->reply.n != 0)
		buf_printf(out, "Diagnostic-Code: smtp; %.*s\r\n",
		    (int)r->reply.n, r->reply.p);
	buf_add_str(out, "Last-Attempt-Date: ");
	date_rfc5322(out, r->tried_at, 0);
	buf_add_str(out, "\r\n");
	if (act == ACT_DELAYED) {
		buf_add_str(out, "Will-Retry-Until: ");
		date_rfc5322(out, e->row.expire_at, 0);
		buf_add_str(out, "\r\n");
	}
}

static bool
all_ascii(const struct errand *e)
{
	for (size_t i = 0; i < e->row.nrcpts; i++)
		if (!utf8_is_ascii(e->row.rcpts[i].addr) ||
		    !utf8_is_ascii(e->row.rcpts[i].reply))
			return false;
	return true;
}

static void
put_status(
    struct dsn *d, const struct errand *e, bool late, const char *hostname)
{
	struct buf *out = &d->text;

	/* RFC 6533 4: the form whose fields are UTF-8 */
	buf_printf(out,
	    "Content-Type: message/%s\r\n\r\n"
	    "Reporting-MTA: dns; %s\r\n",
	    all_ascii(e) ? "delivery-status" : "global-delivery-status",
	    hostname);
	if (e->row.envid.n != 0)
		buf_printf(out, "Original-Envelope-Id: %.*s\r\n",
		    (int)e->row.envid.n, e->row.envid.p);
	buf_add_str(out, "Arrival-Date: ");
	date_rfc5322(out, e->row.created_at, 0);
	buf_add_str(out, "\r\n");
	for (size_t i = 0; i < e->row.nrcpts; i++) {
		enum action act = action_of(e, i, late);

		if (act != ACT_NONE)
			put_rcpt_fields(out, e, i, act);
	}
}

/* RFC 3461 6.2: the header, or all of a short message when asked for. */
static void
put_original(struct dsn *d, const struct errand *e, struct store *s)
{
	struct buf orig;
	bool full =
	    (e->row.flags & QUEUE_RET_FULL) && e->row.size <= DSN_ORIGINAL_MAX;
	struct slice bytes;

	buf_init(&orig, DSN_ORIGINAL_MAX);
	if (e->original.p == NULL &&
	    queue_read(s, &e->row, 0, DSN_ORIGINAL_MAX, &orig) != 0)
		buf_clear(&orig);
	bytes = e->original.p != NULL ? e->original : buf_slice(&orig);
	if (!full)
		bytes = slice_sub(bytes, 0, header_end(bytes));
	buf_printf(&d->text, "Content-Type: %s\r\n",
	    full ? "message/rfc822" : "text/rfc822-headers");
	if (!utf8_is_ascii(bytes))
		buf_add_str(&d->text, "Content-Transfer-Encoding: 8bit\r\n");
	buf_add_str(&d->text, "\r\n");
	buf_add_slice(&d->text, bytes);
	buf_fini(&orig);
}

static bool
is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

static void
put_head(struct dsn *d, const struct errand *e, const char *hostname,
    const char *subject, const char *boundary)
{
	struct buf *out = &d->text;

	buf_printf(out,
	    "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <%.*s>\r\nSubject: ",
	    hostname, (int)e->row.sender.n, e->row.sender.p);
	encode_words(out, slice_str(subject));
	buf_add_str(out, "\r\nDate: ");
	date_rfc5322(out, clock_wall_sec(), 0);
	buf_printf(out, "\r\nMessage-ID: <%s@%s>\r\n", boundary, hostname);
	/* Kept for listings as it came; here only when it is one word. */
	if (e->row.msgid.n != 0 && is_word(e->row.msgid))
		buf_printf(out, "References: <%.*s>\r\n", (int)e->row.msgid.n,
		    e->row.msgid.p);
	/* RFC 3834 5 */
	buf_printf(out,
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"%s\"\r\n\r\n"
	    "This is a multipart report, RFC 3464.\r\n",
	    boundary);
}

static void
put_delimiter(struct dsn *d, const char *boundary, const char *end)
{
	buf_printf(&d->text, "\r\n--%s%s\r\n", boundary, end);
}

static bool
wants_english(struct dsn *d, const struct errand *e, struct server *srv)
{
	struct slice lang = slice_str(srv->conf->lang);
	struct account ac;

	if (e->row.account != 0 &&
	    account_get_id(srv->store, e->row.account, &d->arena, &ac) == 0 &&
	    ac.lang.n != 0)
		lang = ac.lang;
	return slice_ieq(lang, SLICE("en"));
}

/* Somewhere else: the report is a row of the queue like others. */
static void
add_away(struct dsn *d, struct slice addr, const struct conf *conf)
{
	struct queue_row *row = &d->msg.queue[d->msg.nqueue++].row;

	row->rcpts = arena_alloc(&d->arena, sizeof(*row->rcpts));
	row->rcpts[0] =
	    (struct queue_rcpt){ .addr = addr, .notify = NOTIFY_ON_NEVER };
	row->nrcpts = 1;
	row->sender = SLICE("");
	row->flags = QUEUE_DSN | QUEUE_8BIT;
	row->state = QUEUE_QUEUED;
	row->created_at = row->next_at = clock_wall_sec();
	row->expire_at = row->created_at + (int64_t)(conf->queue_expire / 1000);
}

static void
add_route(struct dsn *d, const struct route *to, const struct conf *conf)
{
	struct deliver_msg *m = &d->msg;

	m->targets =
	    arena_alloc(&d->arena, (to->naccounts + 1) * sizeof(*m->targets));
	m->queue =
	    arena_alloc(&d->arena, (to->nremote + 1) * sizeof(*m->queue));
	for (size_t i = 0; i < to->naccounts; i++)
		m->targets[m->ntargets++] = (struct deliver_target){
			.account = to->accounts[i],
			.prefix = SLICE("Return-Path: <>\r\n"),
			.over_quota = true,
		};
	for (size_t i = 0; i < to->nremote; i++)
		add_away(d, to->remote[i], conf);
}

/* To the sender's folders, or away.  ERR_NOTFOUND: nobody is there. */
static int
address_to_sender(struct dsn *d, const struct errand *e, struct server *srv)
{
	struct slice addr, domain, sender;
	char folded[IDENT_MAX + 1];
	struct route to = { 0 };
	bool local;
	int rc;

	/* Forwarded by us: it is who wrote it that wants to know. */
	sender = forward_first(srv, e->row.sender, &d->arena);
	if (ident_fold_address(sender, folded, NULL) != 0)
		return ERR_NOTFOUND;
	addr = slice_str(folded);
	rc = address_route(srv->store, addr, &d->arena, &to);
	if (rc == ERR_NOTFOUND) {
		domain = slice_from(addr, slice_rchr(addr, '@') + 1);
		rc = domain_is_local(srv->store, domain, &local);
		if (rc == 0 && local)
			rc = ERR_NOTFOUND;
		to.remote = arena_alloc(&d->arena, sizeof(*to.remote));
		to.remote[0] = sender;
		to.nremote = 1;
	}
	if (rc == 0)
		add_route(d, &to, srv->conf);
	return rc == ERR_DENIED ? ERR_NOTFOUND : rc;
}

static void
put_report(struct dsn *d, const struct errand *e, struct server *srv, bool late)
{
	enum action act = overall(e, late);
	bool english = wants_english(d, e, srv);
	char boundary[64];

	d->action = action_names[act];
	d->sender = e->row.sender;
	queue_id_text(store_new_id(srv->store), d->id);
	(void)snprintf(boundary, sizeof(boundary), "dsn-%s-%" PRId64, d->id,
	    clock_wall_sec());
	put_head(
	    d, e, srv->hostname, languages[english].subject[act], boundary);
	put_delimiter(d, boundary, "");
	put_text(d, e, late, english);
	put_delimiter(d, boundary, "");
	put_status(d, e, late, srv->hostname);
	put_delimiter(d, boundary, "");
	put_original(d, e, srv->store);
	put_delimiter(d, boundary, "--");
}

void
dsn_log(const struct dsn *d, const char *of)
{
	const struct deliver_msg *m = &d->msg;
	char id[24];

	log_mail(d->id, "report", "from-id=%s to=%s action=%s", of,
	    log_q(d->sender), d->action);
	for (size_t i = 0; i < m->ntargets; i++)
		log_trail(d->id, "deliver", "accounts=%" PRIu64,
		    m->targets[i].account);
	for (size_t i = 0; i < m->nqueue; i++) {
		queue_id_text(m->queue[i].id, id);
		log_trail(id, "queue", "from-id=%s to=%s", d->id,
		    log_q(m->queue[i].row.rcpts[0].addr));
	}
}

int
dsn_make(struct dsn *d, const struct errand *e, struct server *srv, bool late)
{
	int rc;

	*d = (struct dsn){ 0 };
	arena_init(&d->arena);
	buf_init(&d->text, TEXT_MAX);
	/* RFC 5321 6.1: nothing is ever reported to <>. */
	if (overall(e, late) == ACT_NONE || e->row.sender.n == 0 ||
	    (e->row.flags & QUEUE_DSN))
		return 0;
	if ((rc = address_to_sender(d, e, srv)) != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	put_report(d, e, srv, late);
	d->part = buf_slice(&d->text);
	d->msg.parts = &d->part;
	d->msg.nparts = 1;
	d->has_msg = d->msg.ntargets + d->msg.nqueue != 0;
	return 0;
}

void
dsn_fini(struct dsn *d)
{
	buf_fini(&d->text);
	arena_clear(&d->arena);
}

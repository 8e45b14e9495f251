#include "submitd/fixup.h"

#include <stdlib.h>

#include "auth/ident.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"
#include "lib/mail/header.h"
#include "lib/mail/rewrite.h"
#include "submitd/claim.h"
#include "submitd/forward.h"
#include "submitd/own.h"
#include "submitd/words.h"

enum {
	RECEIVED_MAX = 100,
	OWN_MAX = 10, /* of them by this host */
	HEAD_MAX = 16 << 10,
	FROM_MAX = 100
};

/* RFC 3848: ESMTP, ESMTPS, ESMTPA, ESMTPSA, LMTP; RFC 6531 3.7.3: UTF8 in
 * front. */
static void
put_with(struct buf *b, const struct client *c)
{
	buf_add_str(b, "with ");
	if (c->env.flags & QUEUE_UTF8)
		buf_add_str(b, "UTF8");
	if (c->role == ROLE_LMTP)
		buf_add_str(b, "LMTP");
	else if (!c->esmtp)
		buf_add_str(b, "SMTP");
	else if (c->env.flags & QUEUE_UTF8)
		buf_add_str(b, "SMTP");
	else
		buf_add_str(b, "ESMTP");
	if (c->esmtp && c->role != ROLE_LMTP) {
		buf_add_str(b, c->tls[0] != '\0' ? "S" : "");
		buf_add_str(b, c->who.account != 0 ? "A" : "");
	}
}

/*
 * RFC 5321 4.4.  A submitter's name and address stay out: they are nobody's
 * business but ours (the log has them under the id).
 */
static void
put_received(struct buf *b, const struct client *c)
{
	if (c->role == ROLE_SUBMIT)
		buf_add_str(b, "Received: from submission");
	else
		buf_printf(b, "Received: from %s", c->helo);
	if (c->role == ROLE_MX)
		buf_printf(b, " ([%s%s])",
		    slice_chr(slice_str(c->s.conn.peer_ip), ':') !=
			    slice_str(c->s.conn.peer_ip).n
			? "IPv6:"
			: "",
		    c->s.conn.peer_ip);
	buf_printf(b, "\r\n\tby %s (Posthof) ", c->s.sl->srv->hostname);
	put_with(b, c);
	buf_printf(b, " id %s", c->queue_id);
	if (c->tls[0] != '\0')
		buf_printf(b, "\r\n\t(%s)", c->tls);
	/* Only a single recipient is named: Bcc must not leak. */
	if (c->env.nrcpts == 1)
		buf_printf(b, "\r\n\tfor <%.*s>", (int)c->env.rcpts[0].addr.n,
		    c->env.rcpts[0].addr.p);
	buf_add_str(b, ";\r\n\t");
	date_rfc5322(b, clock_wall_sec(), 0);
	buf_add_str(b, "\r\n");
}

static void
add_part(struct fixup *f, struct slice part)
{
	if (part.n == 0)
		return;
	f->parts = mem_grow(f->parts, &f->cap, f->nparts, sizeof(*f->parts));
	f->parts[f->nparts++] = part;
}

static int
not_own(struct fixup *f, struct client *c, struct slice addr, struct err *e)
{
	log_info(c->s.id, "refused", "why=from account=%s from=%s", c->who.name,
	    log_q(addr));
	return words_refuse(c, e, ERR_DENIED, "553 5.7.1 ",
	    arena_printf(&f->arena,
		"%s may not send with this From: use an address of its own",
		c->who.name),
	    arena_printf(&f->arena,
		"%s darf diesen Absender (From) nicht verwenden: eine eigene "
		"Adresse eintragen",
		c->who.name));
}

/* Each address in From must be the login's own (O11), so what cannot be read
 * to its end cannot be checked. */
static int
check_from(
    struct fixup *f, struct client *c, const struct rewrite *rw, struct err *e)
{
	struct mail_addr *a = address_parse(&f->arena, rw->from, FROM_MAX);
	unsigned all = 0, n = 0;

	for (; a != NULL; a = a->next, all++) {
		struct slice full;

		if (a->group_start || a->group_end)
			continue;
		n++;
		full = slice_str(
		    arena_printf(&f->arena, "%.*s@%.*s", (int)a->mailbox.n,
			a->mailbox.p, (int)a->host.n, a->host.p));
		if (own_address(c, full) == 0)
			continue;
		return not_own(f, c, full, e);
	}
	if (n != 0 && all < FROM_MAX && rw->nfrom == 1)
		return 0;
	return words_refuse(c, e, ERR_DENIED, "554 5.6.0 ",
	    n == 0 ? "the From field has no address"
		   : "there may be one From field with few addresses",
	    n == 0 ? "im Absenderfeld (From) fehlt die Adresse"
		   : "es darf nur ein Absenderfeld (From) geben");
}

static int
fix_submission(
    struct fixup *f, struct client *c, struct slice bytes, struct err *e)
{
	struct rewrite_opts opts = {
		.now_sec = clock_wall_sec(),
		.msgid = slice_str(arena_printf(
		    &f->arena, "%s@%s", c->queue_id, c->s.sl->srv->hostname)),
		.drop = rewrite_drop_usual,
		.ndrop = rewrite_drop_usual_n,
	};
	struct rewrite rw;
	struct slice piece;
	size_t at = 0;
	int rc;

	if ((rc = rewrite_submission(&f->arena, bytes, &opts, &rw)) != 0)
		return err_set(e, rc, "too many header fields");
	if (rw.from.p != NULL && (rc = check_from(f, c, &rw, e)) != 0)
		return rc;
	/* Scanners leave it out; RFC 6409 8.1 lets us know who it is. */
	if (rw.from.p == NULL && c->env.sender.n != 0)
		buf_printf(&f->head, "From: <%.*s>\r\n", (int)c->env.sender.n,
		    c->env.sender.p);
	if (rw.nmsgid == 0)
		f->msgid = opts.msgid;
	f->made_msgid = rw.nmsgid == 0;
	add_part(f, buf_slice(&f->head));
	while (rewrite_next(&rw, bytes, &at, &piece))
		add_part(f, piece);
	return 0;
}

static struct slice
find_msgid(struct slice bytes)
{
	struct slice id = slice_trim(header_find(bytes, SLICE("Message-ID")));

	if (id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = slice_sub(id, 1, id.n - 2);
	return slice_sub(id, 0, 250);
}

/* RFC 5321 6.3; forwards that lead back to us go round less often. */
static bool
is_loop(const struct client *c, struct slice header)
{
	struct slice name = slice_str(c->s.sl->srv->hostname);
	unsigned all = 0, own = 0;
	struct header h;

	while (header_next(&header, &h)) {
		size_t at;

		if (!slice_ieq(h.name, SLICE("Received")))
			continue;
		all++;
		at = slice_find(h.value, SLICE("by "));
		own += slice_istarts(slice_from(h.value, at + 3), name) &&
		       slice_find(h.value, SLICE("(Posthof)")) != h.value.n;
	}
	return all > RECEIVED_MAX || own > OWN_MAX;
}

int
fixup_make(struct fixup *f, struct client *c, struct slice bytes, struct err *e)
{
	struct slice header = slice_sub(bytes, 0, header_end(bytes));
	int rc;

	arena_init(&f->arena);
	buf_init(&f->head, HEAD_MAX);
	f->header = header;
	f->body = slice_from(bytes, header.n);
	if (is_loop(c, header)) {
		return words_refuse(c, e, ERR_DENIED, "554 5.4.6 ",
		    "this message has been going round in a loop",
		    "diese E-Mail dreht sich im Kreis");
	}
	f->msgid = find_msgid(header);
	put_received(&f->head, c);
	/* Only of a single one, as with "for": Bcc must not leak. */
	if (c->env.nrcpts == 1)
		forward_mark(&f->head, &c->env);
	if (c->role == ROLE_SUBMIT)
		return fix_submission(f, c, bytes, e);
	if ((rc = claim_mark(c, header, &f->head, e)) != 0)
		return rc;
	add_part(f, buf_slice(&f->head));
	add_part(f, bytes);
	return 0;
}

void
fixup_fini(struct fixup *f)
{
	buf_fini(&f->head);
	free(f->parts);
	arena_clear(&f->arena);
}

#include "imapd/fetch.h"

#include <inttypes.h>

#include "lib/mail/date.h"
#include "lib/mail/header.h"
#include "lib/mail/mime_imap.h"

bool
fetch_whole(struct fetch_run *r)
{
	struct buf b;
	int rc;

	if (r->whole.p != NULL)
		return true;
	buf_init(&b, r->meta.size + 1);
	rc = msg_read(client_store(r->c), &r->meta, 0, r->meta.size, &b);
	if (rc == 0 && buf_len(&b) != r->meta.size)
		rc = ERR_CORRUPT;
	if (rc == 0)
		r->whole = arena_copy(&r->scratch, buf_slice(&b));
	else
		fetch_trouble(r, rc);
	buf_fini(&b);
	return rc == 0;
}

static void
name(struct fetch_run *r, const char *text)
{
	fetch_sep(r);
	buf_add_str(&r->c->out, text);
}

static void
put_envelope(struct fetch_run *r)
{
	struct buf *out = &r->c->out;

	name(r, "ENVELOPE ");
	if (r->meta.envelope.p != NULL)
		buf_add_slice(out, r->meta.envelope);
	else if (fetch_whole(r))
		mime_envelope(
		    out, slice_sub(r->whole, 0, r->meta.header_bytes));
	else
		buf_add_str(out, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
}

/* Where nothing can be known: an opaque part of the right size. */
static void
put_unknown(struct fetch_run *r)
{
	buf_printf(&r->c->out,
	    "(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" %" PRIu64
	    ")",
	    r->meta.size);
}

static void
put_structure(struct fetch_run *r, bool extended)
{
	struct slice known = r->meta.bodystructure;
	struct buf *out = &r->c->out;

	name(r, extended ? "BODYSTRUCTURE " : "BODY ");
	if (known.p != NULL && extended)
		buf_add_slice(out, known);
	else if (known.p != NULL && fetch_body_of(out, known))
		return;
	else if (fetch_whole(r))
		mime_bodystructure(out, mime_parse(&r->scratch, r->whole, NULL),
		    r->whole, extended);
	else
		put_unknown(r);
}

static void
put_date(struct fetch_run *r, const char *word, int64_t when)
{
	name(r, word);
	date_internal(&r->c->out, when, 0);
}

static void
put_id(struct fetch_run *r, const char *word, char letter, uint64_t id)
{
	name(r, word);
	buf_printf(&r->c->out, "(%c%" PRIu64 ")", letter, id);
}

static void
put_index(struct fetch_run *r)
{
	unsigned items = r->a->items;

	if (items & FI_INTERNALDATE)
		put_date(r, "INTERNALDATE ", r->meta.internal_date);
	if (items & FI_SIZE) {
		name(r, "RFC822.SIZE ");
		buf_add_u64(&r->c->out, r->meta.size);
	}
	if (items & FI_SAVEDATE)
		put_date(r, "SAVEDATE ", r->meta.save_date);
	if (items & FI_EMAILID)
		put_id(r, "EMAILID ", 'M', r->meta.msgid);
	if (items & FI_THREADID)
		put_id(r, "THREADID ", 'T', r->meta.thread);
	if (items & FI_ENVELOPE)
		put_envelope(r);
	if (items & FI_BODYSTRUCTURE)
		put_structure(r, true);
	if (items & FI_BODY)
		put_structure(r, false);
	if (items & FI_PREVIEW) {
		name(r, "PREVIEW ");
		resp_string(&r->c->out, r->meta.preview);
	}
}

/* Has this command set its \Seen?  Asked in rising order. */
static bool
got_seen(struct fetch_run *r)
{
	while (r->at_seen < r->nseen && r->seen[r->at_seen] < r->m.uid)
		r->at_seen++;
	return r->at_seen < r->nseen && r->seen[r->at_seen] == r->m.uid;
}

void
fetch_items(struct fetch_run *r)
{
	struct client *c = r->c;
	bool uid_only = (c->enabled & EN_UIDONLY) != 0;
	unsigned items = r->a->items;

	if (got_seen(r)) {
		items |= FI_FLAGS;
		if (c->enabled & EN_CONDSTORE) /* RFC 7162 3.2.4 */
			items |= FI_MODSEQ | (uid_only ? 0 : FI_UID);
	}
	/* A UIDFETCH begins with it. */
	if ((c->cmd.uid && !uid_only) || items & FI_UID) {
		name(r, "UID ");
		buf_add_u64(&c->out, r->m.uid);
	}
	if (items & FI_FLAGS) {
		fetch_sep(r);
		sync_flags_item(c, &r->m);
	}
	/* RFC 7162 3.1.4.1: CHANGEDSINCE asks for MODSEQ, too. */
	if (items & FI_MODSEQ || r->a->has_since) {
		name(r, "MODSEQ (");
		buf_add_u64(&c->out, r->m.modseq);
		buf_add_char(&c->out, ')');
	}
	if (r->need_index)
		put_index(r);
}

#include "lib/mail/rewrite.h"

#include "lib/base/cset.h"
#include "lib/base/err.h"
#include "lib/mail/date.h"
#include "lib/mail/header.h"

enum { CUTS = 1000, ADD_MAX = 8192 };

const struct slice rewrite_drop_usual[] = { { "Bcc", 3 }, { "Resent-Bcc", 10 },
	{ "Return-Path", 11 } };
const size_t rewrite_drop_usual_n = PH_LEN(rewrite_drop_usual);

static bool
is_dropped(const struct rewrite_opts *o, struct slice name)
{
	for (size_t i = 0; i < o->ndrop; i++)
		if (slice_ieq(name, o->drop[i]))
			return true;
	return o->sender.n != 0 && slice_ieq_str(name, "sender");
}

/* Notes the fields that decide what is added. */
static void
count_field(struct rewrite *rw, const struct header *h)
{
	if (slice_ieq_str(h->name, "from")) {
		if (rw->nfrom++ == 0)
			rw->from = slice_trim(h->value);
	} else if (slice_ieq_str(h->name, "sender")) {
		rw->nsender++;
	} else if (slice_ieq_str(h->name, "date")) {
		rw->ndate++;
	} else if (slice_ieq_str(h->name, "message-id")) {
		rw->nmsgid++;
	}
}

/* Leaves out [off, off + len); neighbours become one. */
static int
cut(struct rewrite *rw, uint64_t off, uint64_t len)
{
	struct rewrite_cut *last = rw->cuts + rw->ncuts;

	if (rw->ncuts != 0 && last[-1].off + last[-1].len == off) {
		last[-1].len += len;
		return 0;
	}
	if (rw->ncuts == CUTS)
		return ERR_TOOBIG;
	*last = (struct rewrite_cut){ .off = off, .len = len };
	rw->ncuts++;
	return 0;
}

/* Our own text into a field: nothing in it may end the field. */
static void
add_clean(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!cset_has(&cset_ctl, s.p[i]))
			buf_add_char(out, s.p[i]);
}

/* RFC 6409 8.1 to 8.3 */
static void
make_fields(
    struct buf *add, const struct rewrite *rw, const struct rewrite_opts *o)
{
	if (o->sender.n != 0) {
		buf_add_str(add, "Sender: <");
		add_clean(add, o->sender);
		buf_add_str(add, ">\r\n");
	}
	if (rw->ndate == 0) {
		buf_add_str(add, "Date: ");
		date_rfc5322(add, o->now_sec, o->tz_min);
		buf_add_str(add, "\r\n");
	}
	if (rw->nmsgid == 0 && o->msgid.n != 0) {
		buf_add_str(add, "Message-ID: <");
		add_clean(add, o->msgid);
		buf_add_str(add, ">\r\n");
	}
}

/* Room for the cuts there can be: fields to drop, at most CUTS. */
static void
make_room(struct arena *a, struct slice msg, const struct rewrite_opts *o,
    struct rewrite *rw)
{
	struct header h;
	size_t n = 0;

	while (n < CUTS && header_next(&msg, &h))
		n += h.name.n != 0 && is_dropped(o, h.name);
	rw->cuts = arena_alloc(a, (n + 1) * sizeof(*rw->cuts));
}

static int
read_fields(struct slice msg, const struct rewrite_opts *o, struct rewrite *rw)
{
	struct slice rest = msg;
	struct header h;
	uint64_t off = 0;
	int rc = 0;

	while (rc == 0 && header_next(&rest, &h)) {
		if (off == 0 && h.name.n == 0)
			return 0; /* text without a header */
		if (h.name.n != 0) {
			count_field(rw, &h);
			if (is_dropped(o, h.name))
				rc = cut(rw, off, h.raw.n);
		}
		off += h.raw.n;
	}
	rw->body_off = msg.n - rest.n;
	return rc;
}

int
rewrite_submission(struct arena *a, struct slice msg,
    const struct rewrite_opts *opts, struct rewrite *rw)
{
	struct buf add;
	int rc;

	*rw = (struct rewrite){ 0 };
	make_room(a, msg, opts, rw);
	if ((rc = read_fields(msg, opts, rw)) != 0)
		return rc;
	buf_init(&add, ADD_MAX);
	make_fields(&add, rw, opts);
	if (rw->body_off == 0 && msg.n != 0)
		buf_add_str(&add, "\r\n");
	rw->add = arena_copy(a, buf_slice(&add));
	rw->size = rw->add.n + msg.n;
	for (size_t i = 0; i < rw->ncuts; i++)
		rw->size -= rw->cuts[i].len;
	rc = buf_failed(&add) ? ERR_TOOBIG : 0;
	buf_fini(&add);
	return rc;
}

bool
rewrite_next(const struct rewrite *rw, struct slice msg, size_t *at,
    struct slice *piece_out)
{
	while (*at <= rw->ncuts + 1) {
		size_t i = (*at)++;
		uint64_t from, to;

		if (i == 0) {
			*piece_out = rw->add;
		} else {
			from = i > 1 ? rw->cuts[i - 2].off + rw->cuts[i - 2].len
				     : 0;
			to = i <= rw->ncuts ? rw->cuts[i - 1].off : msg.n;
			*piece_out = slice_sub(msg, from, to - from);
		}
		if (piece_out->n != 0)
			return true;
	}
	*piece_out = SLICE("");
	return false;
}

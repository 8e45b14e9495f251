#include "submitd/downgrade.h"

#include "lib/base/utf8.h"
#include "lib/mail/dotted.h"
#include "lib/mail/encode.h"
#include "lib/mail/header.h"
#include "lib/mail/mime.h"
#include "submitd/ascii_head.h"
#include "submitd/scan.h"

static const char *const cte_names[] = { [MIME_7BIT] = "7bit",
	[MIME_8BIT] = "8bit",
	[MIME_QP] = "quoted-printable",
	[MIME_BASE64] = "base64" };

/* What is to be got rid of, and how what remains is called. */
struct down {
	struct buf *out;
	bool (*clean)(struct slice s);
	enum mime_cte text; /* of text parts that are not clean */
	enum mime_cte rest; /* of what is made of parts */
	bool relabel;       /* nothing may be called binary any more */
};

/* top: a message of its own, not a part of one. */
static bool emit(const struct down *d, struct slice msg,
    const struct mime_part *p, bool top);

static bool
copy_clean(const struct down *d, struct slice s)
{
	buf_add_slice(d->out, s);
	return d->clean(s);
}

/* RFC 5322 2.1.1: lines of at most 998 bytes, none of them NUL, that end in
 * CR LF. */
static bool
is_lines(struct slice s)
{
	struct scan scan = { .last = '\n' };
	struct slice line;

	scan_feed(&scan, s);
	scan_end(&scan);
	if (scan.flags & (DOTTED_BARE_CR | DOTTED_BARE_LF | DOTTED_NUL))
		return false;
	while (slice_split(&s, '\n', &line))
		if (line.n > 999)
			return false;
	return true;
}

static uint64_t
end_of(const struct mime_part *p)
{
	return p->body_off + p->body_len;
}

/* [from, to) of the message */
static struct slice
span(struct slice msg, uint64_t from, uint64_t to)
{
	return slice_sub(msg, (size_t)from, (size_t)(to - from));
}

/* What a message without MIME is called now that it has an encoding, RFC 1428
 * 3. */
static void
make_mime(struct buf *out, struct slice head)
{
	if (header_find(head, SLICE("MIME-Version")).p == NULL)
		buf_add_str(out, "MIME-Version: 1.0\r\n");
	if (header_find(head, SLICE("Content-Type")).p == NULL)
		buf_add_str(
		    out, "Content-Type: text/plain; charset=unknown-8bit\r\n");
}

/* The header with this Content-Transfer-Encoding in place of its own. */
static bool
put_header(const struct down *d, struct slice head, bool top, enum mime_cte cte)
{
	struct buf *out = d->out;
	struct slice rest = head;
	struct header h;

	while (header_next(&rest, &h))
		if (!slice_ieq(h.name, SLICE("Content-Transfer-Encoding")))
			buf_add_slice(out, h.raw);
	if (top && cte != MIME_7BIT && cte != MIME_8BIT)
		make_mime(out, head);
	buf_printf(
	    out, "Content-Transfer-Encoding: %s\r\n\r\n", cte_names[cte]);
	return d->clean(head);
}

static bool
is_misnamed(const struct down *d, const struct mime_part *p)
{
	return d->relabel && p->cte == MIME_BINARY;
}

static bool
put_leaf(
    const struct down *d, struct slice msg, const struct mime_part *p, bool top)
{
	struct slice head = span(msg, p->head_off, p->body_off);
	struct slice body = span(msg, p->body_off, end_of(p));
	enum mime_cte cte = p->is_text ? d->text : MIME_BASE64;

	if (d->clean(body)) {
		if (is_misnamed(d, p))
			(void)put_header(d, head, false, d->rest);
		else
			buf_add_slice(d->out, head);
		buf_add_slice(d->out, body);
		return d->clean(head);
	}
	/* An encoding that lies cannot be told what it means; nor may what is
	 * made of parts or messages have one (RFC 2045 6.4). */
	if (p->opaque || p->cte == MIME_QP || p->cte == MIME_BASE64 ||
	    p->cte == MIME_OTHER || !put_header(d, head, top, cte))
		return false;
	if (cte == MIME_QP)
		encode_qp(d->out, body);
	else
		encode_base64(d->out, body);
	return true;
}

static bool
put_multipart(const struct down *d, struct slice msg, const struct mime_part *p)
{
	uint64_t at = p->body_off;

	if (slice_ieq(p->subtype, SLICE("signed")) ||
	    !put_header(d, span(msg, p->head_off, p->body_off), false, d->rest))
		return false;
	for (const struct mime_part *c = p->child; c != NULL; c = c->next) {
		if (!copy_clean(d, span(msg, at, c->head_off)) ||
		    !emit(d, msg, c, false))
			return false;
		at = end_of(c);
	}
	return copy_clean(d, span(msg, at, end_of(p)));
}

static bool
emit(
    const struct down *d, struct slice msg, const struct mime_part *p, bool top)
{
	struct slice whole = span(msg, p->head_off, end_of(p));

	/* What is good stays as it is, signatures and all. */
	if (d->clean(whole) && !is_misnamed(d, p)) {
		buf_add_slice(d->out, whole);
		return true;
	}
	switch (p->kind) {
	case MIME_MULTIPART: return put_multipart(d, msg, p);
	case MIME_MESSAGE:
		return put_header(d, span(msg, p->head_off, p->body_off), false,
			   d->rest) &&
		       emit(d, msg, p->message, true);
	default: return put_leaf(d, msg, p, top);
	}
}

static bool
run(const struct down *d, struct slice msg)
{
	struct mime_part *root;
	struct arena a;
	bool good;

	arena_init(&a);
	root = mime_parse(&a, msg, NULL);
	good =
	    !root->truncated && emit(d, msg, root, true) && !buf_failed(d->out);
	arena_clear(&a);
	return good;
}

/* The message with an ASCII header (RFC 6532 to RFC 2047). */
static bool
ascii_message(struct slice msg, struct buf *out)
{
	size_t end = header_end(msg);

	if (!ascii_head(slice_sub(msg, 0, end), out))
		return false;
	buf_add_slice(out, slice_from(msg, end));
	return !buf_failed(out);
}

bool
downgrade(struct slice msg, bool utf8, struct buf *out)
{
	struct down d = { out, utf8_is_ascii, MIME_QP, MIME_7BIT, false };
	struct buf ascii;
	bool good = true;

	buf_init(&ascii, out->max);
	if (utf8 && !utf8_is_ascii(slice_sub(msg, 0, header_end(msg)))) {
		good = ascii_message(msg, &ascii);
		msg = buf_slice(&ascii);
	}
	good = good && run(&d, msg);
	buf_fini(&ascii);
	return good;
}

bool
downgrade_binary(struct slice msg, struct buf *out)
{
	struct down d = { out, is_lines, MIME_BASE64, MIME_8BIT, true };

	return run(&d, msg);
}

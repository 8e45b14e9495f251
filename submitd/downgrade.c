#include "submitd/downgrade.h"

#include "lib/base/utf8.h"
#include "lib/mail/encode.h"
#include "lib/mail/header.h"
#include "lib/mail/mime.h"

static const char *const cte_names[] = { [MIME_7BIT] = "7bit",
	[MIME_QP] = "quoted-printable",
	[MIME_BASE64] = "base64" };

/* top: a message of its own, not a part of one. */
static bool emit(
    struct buf *out, struct slice msg, const struct mime_part *p, bool top);

static bool
copy_ascii(struct buf *out, struct slice s)
{
	buf_add_slice(out, s);
	return utf8_is_ascii(s);
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
put_header(struct buf *out, struct slice head, bool top, enum mime_cte cte)
{
	struct slice rest = head;
	struct header h;

	while (header_next(&rest, &h))
		if (!slice_ieq(h.name, SLICE("Content-Transfer-Encoding")))
			buf_add_slice(out, h.raw);
	if (top && cte != MIME_7BIT)
		make_mime(out, head);
	buf_printf(
	    out, "Content-Transfer-Encoding: %s\r\n\r\n", cte_names[cte]);
	return utf8_is_ascii(head);
}

static bool
put_leaf(struct buf *out, struct slice msg, const struct mime_part *p, bool top)
{
	struct slice head = span(msg, p->head_off, p->body_off);
	struct slice body = span(msg, p->body_off, end_of(p));
	enum mime_cte cte = p->is_text ? MIME_QP : MIME_BASE64;

	if (utf8_is_ascii(body))
		return copy_ascii(out, span(msg, p->head_off, end_of(p)));
	/* An encoding that lies cannot be told what it means; nor may what is
	 * made of parts or messages have one (RFC 2045 6.4). */
	if (p->opaque || p->cte == MIME_QP || p->cte == MIME_BASE64 ||
	    p->cte == MIME_OTHER || !put_header(out, head, top, cte))
		return false;
	if (cte == MIME_QP)
		encode_qp(out, body);
	else
		encode_base64(out, body);
	return true;
}

static bool
put_multipart(struct buf *out, struct slice msg, const struct mime_part *p)
{
	uint64_t at = p->body_off;

	if (slice_ieq(p->subtype, SLICE("signed")) ||
	    !put_header(
		out, span(msg, p->head_off, p->body_off), false, MIME_7BIT))
		return false;
	for (const struct mime_part *c = p->child; c != NULL; c = c->next) {
		if (!copy_ascii(out, span(msg, at, c->head_off)) ||
		    !emit(out, msg, c, false))
			return false;
		at = end_of(c);
	}
	return copy_ascii(out, span(msg, at, end_of(p)));
}

static bool
emit(struct buf *out, struct slice msg, const struct mime_part *p, bool top)
{
	struct slice whole = span(msg, p->head_off, end_of(p));

	/* What is 7-bit stays as it is, signatures and all. */
	if (utf8_is_ascii(whole)) {
		buf_add_slice(out, whole);
		return true;
	}
	switch (p->kind) {
	case MIME_MULTIPART: return put_multipart(out, msg, p);
	case MIME_MESSAGE:
		return put_header(out, span(msg, p->head_off, p->body_off),
			   false, MIME_7BIT) &&
		       emit(out, msg, p->message, true);
	default: return put_leaf(out, msg, p, top);
	}
}

bool
downgrade(struct slice msg, struct buf *out)
{
	struct mime_part *root;
	struct arena a;
	bool good;

	arena_init(&a);
	root = mime_parse(&a, msg, NULL);
	good =
	    !root->truncated && emit(out, msg, root, true) && !buf_failed(out);
	arena_clear(&a);
	return good;
}

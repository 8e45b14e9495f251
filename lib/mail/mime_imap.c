#include "lib/mail/mime_imap.h"

#include "lib/base/cset.h"
#include "lib/mail/address.h"
#include "lib/mail/header.h"

enum { ADDRESSES = 10000 };

/* Printable ASCII but '"' and '\'; these go into quotes as they are. */
static const struct cset plain = { { ~CSET_CTL0 & ~CSET_BIT('"'),
    ~CSET_DEL1 & ~CSET_BIT('\\'), 0, 0 } };

static size_t
plain_run(struct slice s)
{
	size_t n = 0;

	while (n < s.n && cset_has(&plain, s.p[n]))
		n++;
	return n;
}

static bool
is_quotable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!cset_has(&plain, s.p[i]) && s.p[i] != '"' &&
		    s.p[i] != '\\' && s.p[i] != '\t')
			return false;
	return true;
}

/* literal = "{" number "}" CRLF *CHAR8; CHAR8 is not NUL. */
static void
add_literal(struct buf *out, struct slice s)
{
	size_t nuls = 0;

	for (size_t i = 0; i < s.n; i++)
		nuls += s.p[i] == '\0';
	buf_add_char(out, '{');
	buf_add_u64(out, s.n - nuls);
	buf_add(out, "}\r\n", 3);
	while (s.n != 0) {
		size_t n = slice_chr(s, '\0');

		buf_add(out, s.p, n);
		s = slice_from(s, n + 1);
	}
}

void
mime_string(struct buf *out, struct slice s)
{
	size_t n;

	if (s.p == NULL) {
		buf_add(out, "NIL", 3);
		return;
	}
	n = plain_run(s);
	if (n != s.n && !is_quotable(slice_from(s, n))) {
		add_literal(out, s);
		return;
	}
	buf_add_char(out, '"');
	buf_add(out, s.p, n);
	for (; n < s.n; n++) {
		if (s.p[n] == '"' || s.p[n] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, s.p[n]);
	}
	buf_add_char(out, '"');
}

/* A field's value as nstring, unfolded. */
static void
add_value(struct buf *out, struct slice value)
{
	struct buf text;

	if (value.p == NULL || (slice_chr(value, '\n') == value.n &&
				   slice_chr(value, '\r') == value.n)) {
		mime_string(out, value);
		return;
	}
	buf_init(&text, value.n);
	header_unfold(&text, value);
	mime_string(out, buf_slice(&text));
	buf_fini(&text);
}

/* The fields of an envelope, in its order. */
enum {
	DATE,
	SUBJECT,
	FROM,
	SENDER,
	REPLY_TO,
	TO,
	CC,
	BCC,
	IN_REPLY_TO,
	MESSAGE_ID,
	FIELDS
};

static const struct slice names[FIELDS] = { { "date", 4 }, { "subject", 7 },
	{ "from", 4 }, { "sender", 6 }, { "reply-to", 8 }, { "to", 2 },
	{ "cc", 2 }, { "bcc", 3 }, { "in-reply-to", 11 },
	{ "message-id", 10 } };

struct envelope {
	struct arena arena;
	struct slice text[FIELDS];
	struct mail_addr *list[FIELDS], **tail[FIELDS];
	size_t left; /* addresses that may still be taken */
};

static int
field_of(struct slice name)
{
	for (int i = 0; i < FIELDS; i++)
		if (name.n == names[i].n && slice_ieq(name, names[i]))
			return i;
	return -1;
}

static void
take_field(struct envelope *e, const struct header *h)
{
	int i = field_of(h->name);

	if (i < 0)
		return;
	if (i >= FROM && i <= BCC)
		e->left -=
		    address_append(&e->arena, h->value, e->left, &e->tail[i]);
	else if (e->text[i].p == NULL)
		e->text[i] = slice_trim(h->value);
}

/* address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")" */
static void
add_addresses(struct buf *out, const struct mail_addr *list)
{
	if (list == NULL) {
		buf_add(out, "NIL", 3);
		return;
	}
	buf_add_char(out, '(');
	for (; list != NULL; list = list->next) {
		buf_add_char(out, '(');
		mime_string(out, list->name);
		buf_add_char(out, ' ');
		mime_string(out, list->route);
		buf_add_char(out, ' ');
		mime_string(out, list->mailbox);
		buf_add_char(out, ' ');
		mime_string(out, list->host);
		buf_add_char(out, ')');
	}
	buf_add_char(out, ')');
}

void
mime_envelope(struct buf *out, struct slice headers)
{
	struct envelope e = { .left = ADDRESSES };
	struct header h;

	arena_init(&e.arena);
	for (int i = 0; i < FIELDS; i++)
		e.tail[i] = &e.list[i];
	while (header_next(&headers, &h))
		if (h.name.n != 0)
			take_field(&e, &h);
	/* RFC 9051 7.5.2: absent or empty, they are the same as From. */
	if (e.list[SENDER] == NULL)
		e.list[SENDER] = e.list[FROM];
	if (e.list[REPLY_TO] == NULL)
		e.list[REPLY_TO] = e.list[FROM];
	for (int i = 0; i < FIELDS; i++) {
		buf_add_char(out, i == 0 ? '(' : ' ');
		if (i >= FROM && i <= BCC)
			add_addresses(out, e.list[i]);
		else
			add_value(out, e.text[i]);
	}
	buf_add_char(out, ')');
	arena_clear(&e.arena);
}

/* body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
static void
add_params(struct buf *out, const struct mime_param *p, bool want_charset)
{
	char before = '(';

	if (want_charset && mime_param_find(p, SLICE("charset")).p != NULL)
		want_charset = false;
	if (p == NULL && !want_charset) {
		buf_add(out, "NIL", 3);
		return;
	}
	for (; p != NULL; p = p->next) {
		buf_add_char(out, before);
		mime_string(out, p->name);
		buf_add_char(out, ' ');
		mime_string(out, p->value);
		before = ' ';
	}
	if (want_charset) {
		buf_add_char(out, before);
		buf_add_str(out, "\"CHARSET\" \"US-ASCII\"");
	}
	buf_add_char(out, ')');
}

/* SP body-fld-dsp SP body-fld-lang SP body-fld-loc */
static void
add_extension(struct buf *out, const struct mime_part *part)
{
	const struct mime_lang *l;

	if (part->disposition.p != NULL) {
		buf_add(out, " (", 2);
		mime_string(out, part->disposition);
		buf_add_char(out, ' ');
		add_params(out, part->disp_params, false);
		buf_add_char(out, ')');
	} else {
		buf_add(out, " NIL", 4);
	}
	buf_add_char(out, ' ');
	if (part->langs == NULL)
		buf_add(out, "NIL", 3);
	for (l = part->langs; l != NULL; l = l->next) {
		buf_add_char(out, l == part->langs ? '(' : ' ');
		mime_string(out, l->tag);
		if (l->next == NULL)
			buf_add_char(out, ')');
	}
	buf_add_char(out, ' ');
	mime_string(out, part->location);
}

/* body-fields, with the media type in front.  What could not be parsed as it
 * says is shown as what it is to the client: bytes. */
static void
add_fields(struct buf *out, const struct mime_part *part)
{
	if (part->opaque) {
		buf_add_str(out, "\"APPLICATION\" \"OCTET-STREAM\"");
	} else {
		mime_string(out, part->type);
		buf_add_char(out, ' ');
		mime_string(out, part->subtype);
	}
	buf_add_char(out, ' ');
	add_params(out, part->params, part->is_text);
	buf_add_char(out, ' ');
	mime_string(out, part->id);
	buf_add_char(out, ' ');
	mime_string(out, part->description);
	buf_add_char(out, ' ');
	mime_string(
	    out, part->encoding.p != NULL ? part->encoding : SLICE("7BIT"));
	buf_add_char(out, ' ');
	buf_add_u64(out, part->body_len);
}

/* What stands before the parts in it. */
static void
open_body(struct buf *out, const struct mime_part *part, struct slice msg)
{
	const struct mime_part *m = part->message;

	buf_add_char(out, '(');
	if (part->kind == MIME_MULTIPART)
		return;
	add_fields(out, part);
	if (part->kind == MIME_MESSAGE) {
		buf_add_char(out, ' ');
		mime_envelope(out,
		    slice_sub(msg, m->head_off, m->body_off - m->head_off));
		buf_add_char(out, ' ');
	}
}

/* What stands behind the parts in it. */
static void
close_body(struct buf *out, const struct mime_part *part, bool extended)
{
	if (part->kind == MIME_MULTIPART) {
		buf_add_char(out, ' ');
		mime_string(out, part->subtype);
	} else if (part->kind == MIME_MESSAGE || part->is_text) {
		buf_add_char(out, ' ');
		buf_add_u64(out, part->lines);
	}
	if (extended) {
		buf_add_char(out, ' ');
		if (part->kind == MIME_MULTIPART)
			add_params(out, part->params, false);
		else
			mime_string(out, part->md5);
		add_extension(out, part);
	}
	buf_add_char(out, ')');
}

void
mime_bodystructure(struct buf *out, const struct mime_part *root,
    struct slice msg, bool extended)
{
	const struct mime_part *part = root, *down;

	while (part != NULL) {
		open_body(out, part, msg);
		down = part->kind == MIME_MESSAGE ? part->message : part->child;
		if (down != NULL) {
			part = down;
			continue;
		}
		close_body(out, part, extended);
		while (part != root && part->next == NULL) {
			part = part->parent;
			close_body(out, part, extended);
		}
		part = part != root ? part->next : NULL;
	}
}

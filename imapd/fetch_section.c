#include "imapd/fetch.h"

#include <inttypes.h>

#include "lib/mail/header.h"

enum { PICKED_KEEP = 64 << 10 };

/* Where a section lies. */
struct place {
	bool nil;
	uint64_t off, len;
	const struct mime_part *part; /* NULL: the message itself */
};

/* The tree of parts; NULL when it cannot be had. */
static const struct mime_part *
root_of(struct fetch_run *r)
{
	struct slice body;

	if (r->root != NULL)
		return r->root;
	if (r->meta.structure.p != NULL &&
	    mime_load(r->meta.structure, &r->scratch, &r->root) &&
	    mime_end(r->root) == r->meta.size - r->meta.prefix.n)
		return r->root;
	r->root = NULL;
	if (!fetch_whole(r))
		return NULL;
	body = slice_from(r->whole, r->meta.prefix.n);
	r->root = mime_parse(&r->scratch, body, NULL);
	return r->root;
}

/* BODY[], BODY[HEADER], BODY[TEXT]: no structure is needed. */
static void
locate_top(
    const struct fetch_run *r, const struct fetch_section *s, struct place *p)
{
	uint64_t head = r->meta.header_bytes, size = r->meta.size;

	if (head > size)
		head = size;
	p->off = s->what == MIME_TEXT ? head : 0;
	p->len = s->what == MIME_HEADER ? head : size - p->off;
}

static void
locate(struct fetch_run *r, const struct fetch_section *s, struct place *p)
{
	const struct mime_part *root;

	*p = (struct place){ 0 };
	if (s->npath == 0) {
		locate_top(r, s, p);
		return;
	}
	root = root_of(r);
	p->nil =
	    root == NULL ||
	    !mime_range(root, s->path, s->npath, s->what, &p->off, &p->len) ||
	    !mime_section(root, s->path, s->npath, &p->part);
	/* Offsets count from behind the prefix. */
	p->off += r->meta.prefix.n;
	if (!p->nil &&
	    (p->off > r->meta.size || p->len > r->meta.size - p->off))
		p->nil = true;
}

/* "BODY[1]<0> " */
static void
put_label(struct fetch_run *r, const struct fetch_section *s)
{
	struct buf *out = &r->c->out;

	fetch_sep(r);
	buf_add_slice(out, s->label);
	if (s->partial)
		buf_printf(out, "<%" PRIu64 ">", s->off);
	buf_add_char(out, ' ');
}

/* The part of [0, len) that a partial asks for, RFC 9051 6.4.5. */
static void
clip(const struct fetch_section *s, uint64_t *off, uint64_t *len)
{
	uint64_t skip = s->partial ? s->off : 0;

	if (skip > *len)
		skip = *len;
	*off += skip;
	*len -= skip;
	if (s->partial && *len > s->len)
		*len = s->len;
}

static void
put_bytes(
    struct fetch_run *r, const struct fetch_section *s, struct slice bytes)
{
	uint64_t off = 0, len = bytes.n;
	size_t before;

	clip(s, &off, &len);
	fetch_literal(r, len);
	before = buf_len(&r->c->out);
	buf_add_slice(&r->c->out, slice_sub(bytes, off, len));
	fetch_hide_nuls(&r->c->out, before);
}

/* Does the index keep all these fields? */
static bool
all_cached(const struct fetch_run *r, const struct fetch_section *s)
{
	return s->kept && s->fields == FIELDS_ONLY && s->npath == 0 &&
	       r->meta.headers.p != NULL;
}

/* The header block that HEADER.FIELDS picks from. */
static int
read_header(struct fetch_run *r, const struct place *p, struct buf *out)
{
	int rc = 0;

	if (r->whole.p != NULL)
		buf_add_slice(out, slice_sub(r->whole, p->off, p->len));
	else
		rc =
		    msg_read(client_store(r->c), &r->meta, p->off, p->len, out);
	if (rc == 0 && buf_len(out) != p->len)
		rc = ERR_CORRUPT;
	return rc;
}

bool
fetch_fields(
    struct fetch_run *r, const struct fetch_section *s, struct buf *out)
{
	bool not = s->fields == FIELDS_NOT;
	struct place p = { 0 };
	struct buf head;
	int rc;

	if (all_cached(r, s)) {
		header_fields(out, r->meta.headers, s->names, s->nnames, not );
		/* The index keeps no empty line. */
		buf_add(out, "\r\n", 2);
		return true;
	}
	locate(r, s, &p);
	if (p.nil)
		return false;
	buf_init(&head, FETCH_FIELDS_MAX);
	if ((rc = read_header(r, &p, &head)) != 0)
		fetch_trouble(r, rc);
	else
		header_fields(out, buf_slice(&head), s->names, s->nnames, not );
	buf_fini(&head);
	return rc == 0;
}

static void
put_fields(struct fetch_run *r, const struct fetch_section *s)
{
	buf_clear(&r->picked);
	if (fetch_fields(r, s, &r->picked))
		put_bytes(r, s, buf_slice(&r->picked));
	else
		buf_add_str(&r->c->out, "NIL");
	if (r->picked.cap > PICKED_KEEP) /* a rare, large one */
		buf_fini(&r->picked);
}

bool
fetch_locate(struct fetch_run *r, const struct fetch_section *s,
    uint64_t *off_out, uint64_t *len_out)
{
	struct place p;

	locate(r, s, &p);
	*off_out = p.off;
	*len_out = p.len;
	return !p.nil;
}

/* RFC 3516 4.3: undone as far as there is something to undo. */
static bool
encoding(struct fetch_run *r, const struct place *p, enum decode_kind *out)
{
	*out = DECODE_NONE;
	if (p->part == NULL || p->part->kind != MIME_LEAF)
		return true;
	if (p->part->cte == MIME_BASE64)
		*out = DECODE_BASE64;
	else if (p->part->cte == MIME_QP)
		*out = DECODE_QP;
	if (p->part->cte != MIME_OTHER)
		return true;
	r->no_code = "UNKNOWN-CTE";
	r->no_text = "a part has an unknown transfer encoding";
	return false;
}

static bool
put_binary(struct fetch_run *r, const struct fetch_section *s, struct place *p)
{
	enum decode_kind kind;
	uint64_t size = p->len, skip = 0;

	if (!encoding(r, p, &kind) ||
	    (kind != DECODE_NONE &&
		!fetch_decoded_size(r, kind, p->off, p->len, &size))) {
		buf_add_str(
		    &r->c->out, s->form == FORM_BINARY_SIZE ? "0" : "NIL");
		return true;
	}
	if (s->form == FORM_BINARY_SIZE) {
		buf_add_u64(&r->c->out, size);
		return true;
	}
	clip(s, &skip, &size);
	return fetch_start_binary(r, kind, p->off, p->len, skip, size);
}

bool
fetch_section(struct fetch_run *r)
{
	const struct fetch_section *s = r->section;
	struct place p;

	if (r->stream.owed != 0)
		return fetch_go_on(r);
	put_label(r, s);
	if (s->fields != FIELDS_ALL) {
		put_fields(r, s);
		return true;
	}
	locate(r, s, &p);
	if (p.nil) {
		buf_add_str(
		    &r->c->out, s->form == FORM_BINARY_SIZE ? "0" : "NIL");
		return true;
	}
	if (s->form == FORM_BINARY || s->form == FORM_BINARY_SIZE)
		return put_binary(r, s, &p);
	clip(s, &p.off, &p.len);
	return fetch_start(r, p.off, p.len);
}

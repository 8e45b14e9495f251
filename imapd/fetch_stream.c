#include "imapd/fetch.h"

#include <inttypes.h>
#include <string.h>

enum {
	CHUNK = 128 << 10,     /* read at once, of a large message */
	WHOLE_MAX = 256 << 10, /* read whole, and so checked by its CRC */
	PLAIN_MAX = 1 << 20
};

void
fetch_literal(struct fetch_run *r, uint64_t n)
{
	struct buf *out = &r->c->out;

	buf_add_char(out, '{');
	buf_add_u64(out, n);
	buf_add(out, "}\r\n", 3);
}

void
fetch_hide_nuls(struct buf *out, size_t from)
{
	char *p = out->p + out->start + from, *end = out->p + out->n;

	while (p < end && (p = memchr(p, '\0', (size_t)(end - p))) != NULL)
		*p++ = (char)0x80;
}

/* Appends exactly these bytes of the message, or nothing. */
static int
read_range(struct fetch_run *r, uint64_t off, size_t n, struct buf *out)
{
	size_t before = buf_len(out);
	int rc = 0;

	if (r->whole.p != NULL)
		buf_add_slice(out, slice_sub(r->whole, off, n));
	else
		rc = msg_read(client_store(r->c), &r->meta, off, n, out);
	if (rc == 0 && buf_len(out) - before != n)
		rc = ERR_CORRUPT;
	if (rc != 0)
		buf_truncate(out, before);
	return rc;
}

static int
read_text(struct fetch_run *r, uint64_t off, size_t n)
{
	struct buf *out = &r->c->out;
	size_t before = buf_len(out);
	int rc = read_range(r, off, n, out);

	if (rc == 0 && n != 0)
		fetch_hide_nuls(out, before);
	return rc;
}

/* Once a literal is announced there is no way back: what cannot be read ends
 * the session. */
static bool
broken(struct fetch_run *r, int rc)
{
	fetch_trouble(r, rc);
	r->c->bye_code = "UNAVAILABLE";
	r->c->bye_text = "a message cannot be read";
	return false;
}

bool
fetch_start(struct fetch_run *r, uint64_t off, uint64_t len)
{
	struct buf *out = &r->c->out;
	size_t before = buf_len(out);
	size_t n = len <= WHOLE_MAX ? (size_t)len : CHUNK;
	int rc;

	/* The first bytes go with the announcement, so that a message that
	 * cannot be read is NIL. */
	fetch_literal(r, len);
	if ((rc = read_text(r, off, n)) != 0) {
		fetch_trouble(r, rc);
		buf_truncate(out, before);
		buf_add_str(out, "NIL");
		return true;
	}
	r->stream = (struct fetch_stream){
		.off = off + n, .left = len - n, .owed = len - n
	};
	return len == n;
}

/* ---- BINARY ---- */

/* Decodes the next chunk into `plain`; false: cannot be read. */
static bool
decode_chunk(struct fetch_run *r, struct fetch_stream *s, struct buf *plain)
{
	size_t n = s->left < CHUNK ? (size_t)s->left : CHUNK;
	struct buf raw;
	int rc;

	buf_init(&raw, CHUNK);
	rc = read_range(r, s->off, n, &raw);
	s->off += n;
	s->left -= n;
	if (rc == 0) {
		decode_feed(&s->decoder, buf_slice(&raw), plain);
		if (s->left == 0)
			decode_finish(&s->decoder, plain);
	} else {
		fetch_trouble(r, rc);
	}
	buf_fini(&raw);
	return rc == 0;
}

bool
fetch_decoded_size(struct fetch_run *r, enum decode_kind kind, uint64_t off,
    uint64_t len, uint64_t *size_out)
{
	struct fetch_stream s = { .off = off, .left = len };
	struct buf plain;
	bool good = true;

	*size_out = 0;
	buf_init(&plain, PLAIN_MAX);
	decode_init(&s.decoder, kind);
	while (good && s.left != 0) {
		good = decode_chunk(r, &s, &plain);
		*size_out += buf_len(&plain);
		buf_clear(&plain);
	}
	buf_fini(&plain);
	return good;
}

bool
fetch_start_binary(struct fetch_run *r, enum decode_kind kind, uint64_t off,
    uint64_t len, uint64_t skip, uint64_t size)
{
	/* literal8, RFC 3516 4.4: there may be NULs. */
	buf_printf(&r->c->out, "~{%" PRIu64 "}\r\n", size);
	r->stream = (struct fetch_stream){ .off = off,
		.left = len,
		.owed = size,
		.decoding = true,
		.skip = skip };
	decode_init(&r->stream.decoder, kind);
	return size == 0;
}

static bool
go_on_decoding(struct fetch_run *r)
{
	struct fetch_stream *s = &r->stream;
	struct slice part;
	struct buf plain;

	buf_init(&plain, PLAIN_MAX);
	if (s->left == 0 || !decode_chunk(r, s, &plain)) {
		buf_fini(&plain);
		return broken(r, ERR_CORRUPT);
	}
	part = buf_slice(&plain);
	if (s->skip < part.n) {
		part = slice_sub(part, (size_t)s->skip,
		    s->owed < part.n ? (size_t)s->owed : part.n);
		buf_add_slice(&r->c->out, part);
		s->owed -= part.n;
		s->skip = 0;
	} else {
		s->skip -= part.n;
	}
	buf_fini(&plain);
	return s->owed == 0;
}

bool
fetch_go_on(struct fetch_run *r)
{
	struct fetch_stream *s = &r->stream;
	size_t n = s->left < CHUNK ? (size_t)s->left : CHUNK;
	int rc;

	if (s->decoding)
		return go_on_decoding(r);
	if ((rc = read_text(r, s->off, n)) != 0)
		return broken(r, rc);
	s->off += n;
	s->left -= n;
	s->owed -= n;
	return s->owed == 0;
}

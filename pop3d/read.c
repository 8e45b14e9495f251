#include "pop3d/read.h"

#include <string.h>

#include "lib/base/cset.h"

enum {
	WHOLE_MAX = 1 << 20, /* read at once, which verifies it */
	CHUNK = 64 << 10,
	TOP_LINE = 128 /* a guess, for the first read of TOP */
};

/* Where in the end of the header we are: does the blank line come? */
enum tail { TAIL_START, TAIL_TEXT, TAIL_CR, TAIL_LINE, TAIL_LINE_CR, TAIL_END };

static void
start(struct read *r, int64_t lines)
{
	r->at = 0;
	r->lines_left = lines;
	r->clipped = false;
	r->ascii = false;
	r->tail = TAIL_START;
	dotted_enc_init(&r->dots, true);
}

int
read_begin(struct read *r, struct store *s, uint64_t account, uint64_t folder,
    uint32_t uid, int64_t lines)
{
	int rc;

	read_end(r);
	rc = msg_meta_get(s, account, folder, uid, &r->arena, &r->meta);
	if (rc == 0 && r->meta.body == 0)
		rc = ERR_CORRUPT;
	if (rc != 0) {
		read_end(r);
		return rc;
	}
	start(r, lines);
	return 0;
}

void
read_begin_known(struct read *r, const struct msg_meta *m, int64_t lines)
{
	read_end(r);
	r->meta = *m;
	r->meta.prefix = arena_copy(&r->arena, m->prefix);
	start(r, lines);
}

void
read_end(struct read *r)
{
	arena_clear(&r->arena);
}

/* CLIENTS D: Outlook hangs on NUL; 0x80 has the same length. */
static void
map_nul(char *p, size_t n)
{
	char *end = p + n;

	while (p != end && (p = memchr(p, '\0', (size_t)(end - p))) != NULL)
		*p++ = (char)0x80;
}

/* RFC 6856 2.1: without UTF-8 mode a surrogate of the same size. */
static void
map_header(struct read *r, char *p, size_t n)
{
	size_t head = r->at < r->meta.header_bytes
			  ? r->meta.header_bytes - (size_t)r->at
			  : 0;

	for (size_t i = 0; i < n && i < head; i++)
		if (cset_has(&cset_8bit, p[i]))
			p[i] = '?';
}

/* How much of the chunk TOP may still show: the header, then its lines. */
static size_t
clip_lines(struct read *r, struct slice chunk)
{
	size_t head = 0, at;

	if (r->lines_left < 0)
		return chunk.n;
	if (r->at < r->meta.header_bytes)
		head = r->meta.header_bytes - r->at;
	if (head >= chunk.n)
		return chunk.n;
	for (at = head; r->lines_left > 0 && at < chunk.n; r->lines_left--) {
		at += slice_chr(slice_from(chunk, at), '\n');
		if (at == chunk.n)
			break;
		at++;
	}
	return at;
}

/* Follows CR LF CR LF, or CR LF as the very first bytes. */
static unsigned
next_tail(unsigned tail, char c)
{
	bool at_line = tail == TAIL_START || tail == TAIL_LINE;

	if (c == '\r')
		return at_line ? TAIL_LINE_CR : TAIL_CR;
	if (c != '\n')
		return TAIL_TEXT;
	return tail == TAIL_LINE_CR || at_line ? TAIL_END : TAIL_LINE;
}

/* Only of a message that is all header: its last bytes tell. */
static void
watch_tail(struct read *r, struct slice chunk)
{
	size_t from = chunk.n > 4 ? chunk.n - 4 : 0;

	if (from != 0)
		r->tail = TAIL_TEXT;
	for (size_t i = from; i < chunk.n; i++)
		r->tail = next_tail(r->tail, chunk.p[i]);
}

/* CLIENTS D: Outlook Express and Netscape need the line that ends the header
 * even when the message has none. */
static void
end_header(struct read *r, struct buf *out)
{
	static const struct slice crlf = { "\r\n", 2 };

	if (r->meta.header_bytes < r->meta.size || r->tail == TAIL_END)
		return;
	if (r->tail != TAIL_START && r->tail != TAIL_LINE)
		dotted_stuff(out, crlf, &r->dots);
	dotted_stuff(out, crlf, &r->dots);
}

static void
put_chunk(struct read *r, struct slice chunk, struct buf *out)
{
	size_t show = clip_lines(r, chunk);

	if (r->meta.header_bytes >= r->meta.size)
		watch_tail(r, chunk);
	dotted_stuff(out, slice_sub(chunk, 0, show), &r->dots);
	r->clipped |= show < chunk.n;
	r->at = show < chunk.n ? r->meta.size : r->at + show;
}

static size_t
wanted(const struct read *r)
{
	uint64_t top;

	if (r->lines_left >= 0) {
		/* RFC 1939 7, TOP: seldom more than the header. */
		top = r->at < r->meta.header_bytes
			  ? r->meta.header_bytes - r->at
			  : 0;
		top += (uint64_t)r->lines_left * TOP_LINE;
		if (top < CHUNK)
			return (size_t)top;
	}
	return r->meta.size <= WHOLE_MAX ? (size_t)r->meta.size : CHUNK;
}

static int
next_chunk(struct read *r, struct store *s, struct buf *out)
{
	size_t n = wanted(r);
	struct buf chunk;
	int rc = 0;

	if (n == 0) { /* TOP without lines, and the header is out */
		r->clipped = true;
		r->at = r->meta.size;
		return 0;
	}
	buf_init(&chunk, WHOLE_MAX + 1);
	rc = msg_read(s, &r->meta, r->at, n, &chunk);
	if (rc == 0 && buf_len(&chunk) == 0)
		rc = ERR_CORRUPT;
	if (rc == 0) {
		map_nul(chunk.p + chunk.start, buf_len(&chunk));
		if (r->ascii)
			map_header(r, chunk.p + chunk.start, buf_len(&chunk));
		put_chunk(r, buf_slice(&chunk), out);
	}
	buf_fini(&chunk);
	return rc;
}

int
read_more(struct read *r, struct store *s, struct buf *out, bool *done_out)
{
	int rc = 0;

	*done_out = false;
	if (r->at < r->meta.size && (rc = next_chunk(r, s, out)) != 0)
		return rc;
	if (r->at < r->meta.size)
		return 0;
	end_header(r, out);
	dotted_stuff_end(out, &r->dots);
	*done_out = true;
	return 0;
}

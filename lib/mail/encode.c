#include "lib/mail/encode.h"

#include "lib/base/b64.h"
#include "lib/base/cset.h"
#include "lib/base/utf8.h"

enum {
	WORD_TEXT = 63,  /* 75 without "=?UTF-8?Q?" and "?=", RFC 2047 2 */
	WORD_BYTES = 45, /* what 60 characters of base64 hold */
	QP_LINE = 76,    /* RFC 2045 6.7 (5) */
	B64_BYTES = 57   /* 76 characters, RFC 2045 6.8 */
};

static const char hex[] = "0123456789ABCDEF";

/* RFC 2047 5 (3): what may stand for itself also within a phrase. */
static const struct cset q_plain = {
	{ UINT64_C(0x03ff000000000000) | CSET_BIT('!') | CSET_BIT('*') |
		CSET_BIT('+') | CSET_BIT('-') | CSET_BIT('/'),
	    UINT64_C(0x07fffffe07fffffe), 0, 0 }
};

static void
add_hex(struct buf *out, char c)
{
	char b[3] = { '=', hex[(unsigned char)c >> 4], hex[c & 15] };

	buf_add(out, b, 3);
}

/* The next character as bytes; malformed ones and controls that could end a
 * field are replaced. */
static struct slice
next_char(struct slice *s)
{
	struct slice from = *s;
	uint32_t cp;

	if (!utf8_next(s, &cp)) {
		*s = slice_from(*s, 1);
		return SLICE("\xef\xbf\xbd");
	}
	if (cp == '\r' || cp == '\n' || cp == 0)
		return SLICE(" ");
	return slice_sub(from, 0, from.n - s->n);
}

static void
add_q(struct buf *out, struct slice c)
{
	for (size_t i = 0; i < c.n; i++) {
		if (c.p[i] == ' ')
			buf_add_char(out, '_');
		else if (cset_has(&q_plain, c.p[i]))
			buf_add_char(out, c.p[i]);
		else
			add_hex(out, c.p[i]);
	}
}

/* One encoded word from the front of *s. */
static void
add_word(struct buf *out, struct slice *s, bool base64)
{
	struct buf text, piece;
	size_t max = base64 ? WORD_BYTES : WORD_TEXT;

	buf_init(&text, 128);
	buf_init(&piece, 16);
	while (s->n != 0) {
		struct slice rest = *s, c = next_char(&rest);

		buf_clear(&piece);
		if (base64)
			buf_add_slice(&piece, c);
		else
			add_q(&piece, c);
		if (buf_len(&text) + buf_len(&piece) > max)
			break;
		buf_add_slice(&text, buf_slice(&piece));
		*s = rest;
	}
	buf_add_str(out, base64 ? "=?UTF-8?B?" : "=?UTF-8?Q?");
	if (base64)
		b64_encode(out, buf_slice(&text));
	else
		buf_add_slice(out, buf_slice(&text));
	buf_add_str(out, "?=");
	buf_fini(&text);
	buf_fini(&piece);
}

void
encode_words(struct buf *out, struct slice utf8)
{
	size_t odd = 0;
	bool plain = slice_find(utf8, SLICE("=?")) == utf8.n;

	for (size_t i = 0; i < utf8.n; i++) {
		plain = plain &&
			(utf8.p[i] == ' ' || cset_has(&cset_vchar, utf8.p[i]));
		odd += utf8.p[i] != ' ' && !cset_has(&q_plain, utf8.p[i]);
	}
	if (plain) {
		buf_add_slice(out, utf8);
		return;
	}
	while (utf8.n != 0) {
		add_word(out, &utf8, odd > utf8.n / 5);
		if (utf8.n != 0)
			buf_add_str(out, "\r\n ");
	}
}

/* One line without its line end. */
static void
qp_line(struct buf *out, struct slice line)
{
	size_t col = 0;

	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];
		bool last = i + 1 == line.n;
		bool blank = c == ' ' || c == '\t';
		bool raw =
		    c != '=' && (blank ? !last : cset_has(&cset_vchar, c));
		/* A "." or "From " at the start of a line is changed by some
		 * on the way: RFC 2049 3. */
		bool risky = col == 0 && (c == '.' || c == 'F');
		size_t width = raw && !risky ? 1 : 3;

		if (col + width > QP_LINE - (size_t)!last) {
			buf_add_str(out, "=\r\n");
			col = 0;
		}
		if (width == 1)
			buf_add_char(out, c);
		else
			add_hex(out, c);
		col += width;
	}
}

void
encode_qp(struct buf *out, struct slice text)
{
	while (text.n != 0) {
		size_t nl = slice_find(text, SLICE("\r\n"));

		qp_line(out, slice_sub(text, 0, nl));
		if (nl == text.n)
			return;
		buf_add_str(out, "\r\n");
		text = slice_from(text, nl + 2);
	}
}

void
encode_base64(struct buf *out, struct slice bytes)
{
	while (bytes.n != 0) {
		b64_encode(out, slice_sub(bytes, 0, B64_BYTES));
		buf_add_str(out, "\r\n");
		bytes = slice_from(bytes, B64_BYTES);
	}
}

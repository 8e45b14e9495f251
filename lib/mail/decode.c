#include "lib/mail/decode.h"

#include <string.h>

#include "lib/base/b64.h"
#include "lib/base/cset.h"
#include "lib/base/utf8.h"
#include "lib/mail/charset.h"

enum { PAD = -1, BLANK = -2, JUNK = -3 };

static int
b64_meaning(char c)
{
	int v = b64_value(c);

	switch (c) {
	case '=': return PAD;
	case '\r':
	case '\n':
	case '\t':
	case ' ': return BLANK;
	default: return v < 0 ? JUNK : v;
	}
}

/* The same by table, for speed: 64 and more are not in the alphabet. */
static const unsigned char b64_table[256] = {
#define X 255
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, 62, X, X, X,
	63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, X, X, X, X, 0, 1,
	2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, X, X, X, X, X, X, 26, 27, 28, 29, 30, 31, 32, 33, 34,
	35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X
#undef X
};

/* Whole groups of four from the front of *in; returns where out ends. */
static char *
b64_groups(struct slice *in, char *to)
{
	const unsigned char *p = (const unsigned char *)in->p, *end = p + in->n;

	for (; end - p >= 4; p += 4) {
		unsigned a = b64_table[p[0]], b = b64_table[p[1]];
		unsigned c = b64_table[p[2]], d = b64_table[p[3]];

		if ((a | b | c | d) > 63)
			break;
		*to++ = (char)(a << 2 | b >> 4);
		*to++ = (char)(b << 4 | c >> 2);
		*to++ = (char)(c << 6 | d);
	}
	*in = slice_of(p, (size_t)(end - p));
	return to;
}

/* The end of a group: padding, or of the input. */
static char *
b64_flush(struct decoder *d, char *to)
{
	if (d->nacc == 2)
		*to++ = (char)(d->acc >> 4);
	if (d->nacc == 3) {
		*to++ = (char)(d->acc >> 10);
		*to++ = (char)(d->acc >> 2);
	}
	if (d->nacc == 1)
		d->bad = true;
	d->nacc = d->acc = 0;
	return to;
}

static char *
b64_one(struct decoder *d, char c, char *to)
{
	int v = b64_meaning(c);

	if (v == PAD)
		return b64_flush(d, to);
	if (v == JUNK)
		d->bad = true;
	if (v < 0)
		return to;
	d->acc = d->acc << 6 | (uint32_t)v;
	if (++d->nacc < 4)
		return to;
	*to++ = (char)(d->acc >> 16);
	*to++ = (char)(d->acc >> 8);
	*to++ = (char)d->acc;
	d->nacc = d->acc = 0;
	return to;
}

static void
b64_feed(struct decoder *d, struct slice in, struct buf *out)
{
	char *start, *to;

	to = start = buf_reserve(out, in.n / 4 * 3 + 6);
	if (start == NULL)
		return;
	while (in.n != 0) {
		if (d->nacc == 0)
			to = b64_groups(&in, to);
		if (in.n != 0) {
			to = b64_one(d, in.p[0], to);
			in = slice_from(in, 1);
		}
	}
	buf_advance(out, (size_t)(to - start));
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum {
	QP_HOLD = 100, /* blanks that are held back to see what follows */
	QP_MORE = -1   /* more input is needed to decide */
};

/* What stands in front of the line end in s from n on: 0 no line end, 1 or
 * 2 its length, QP_MORE. */
static int
line_end_at(struct slice s, size_t n, bool final)
{
	if (n == s.n)
		return final ? 0 : QP_MORE;
	if (s.p[n] == '\n')
		return 1;
	if (s.p[n] != '\r')
		return 0;
	if (n + 1 == s.n)
		return final ? 0 : QP_MORE;
	return s.p[n + 1] == '\n' ? 2 : 0;
}

static size_t
count_blanks(struct slice s, size_t from)
{
	size_t n = from;

	while (n < s.n && n - from < QP_HOLD && cset_has(&cset_wsp, s.p[n]))
		n++;
	return n - from;
}

/* "=" in front of s: bytes read, 0 when more are needed. */
static size_t
qp_escape(struct decoder *d, struct slice s, bool final, struct buf *out)
{
	size_t blanks = count_blanks(s, 1);
	int eol, hi, lo;

	if (blanks < QP_HOLD) {
		/* RFC 2045 6.7 (5): soft line break */
		eol = line_end_at(s, 1 + blanks, final);
		if (eol == QP_MORE)
			return 0;
		if (eol > 0 || 1 + blanks == s.n)
			return 1 + blanks + (size_t)eol;
	}
	hi = s.n > 1 ? hex_value(s.p[1]) : -1;
	if (hi >= 0 && s.n == 2 && !final)
		return 0;
	lo = s.n > 2 ? hex_value(s.p[2]) : -1;
	if (hi < 0 || lo < 0) {
		d->bad = true;
		buf_add_char(out, '=');
		return 1;
	}
	buf_add_char(out, (char)(hi << 4 | lo));
	return 3;
}

/* Blanks in front of s, perhaps before a line end: RFC 2045 6.7 (3). */
static size_t
qp_blanks(struct slice s, bool final, struct buf *out)
{
	size_t n = count_blanks(s, 0);
	int eol = n < QP_HOLD ? line_end_at(s, n, final) : 0;

	if (eol == QP_MORE)
		return 0;
	if (eol == 0 && !(final && n == s.n))
		buf_add(out, s.p, n);
	return n;
}

/* Bytes that stand for themselves whatever follows. */
static size_t
qp_plain(struct slice s)
{
	size_t n = 0;

	for (; n < s.n && s.p[n] != '='; n++) {
		char next;

		if (s.p[n] != ' ' && s.p[n] != '\t')
			continue;
		if (n + 1 == s.n)
			break;
		next = s.p[n + 1];
		if (next == ' ' || next == '\t' || next == '\r' || next == '\n')
			break;
	}
	return n;
}

/* As much of s as can be decided; bytes read. */
static size_t
qp_run(struct decoder *d, struct slice s, bool final, struct buf *out)
{
	size_t at = 0, n;

	while (at != s.n) {
		struct slice rest = slice_from(s, at);

		n = qp_plain(rest);
		buf_add(out, rest.p, n);
		at += n;
		if (at == s.n)
			break;
		rest = slice_from(s, at);
		n = rest.p[0] == '=' ? qp_escape(d, rest, final, out)
				     : qp_blanks(rest, final, out);
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

static void
qp_feed(struct decoder *d, struct slice in, struct buf *out)
{
	char joint[sizeof(d->pend) * 2];
	size_t n, was, done;

	while (d->npend != 0 && in.n != 0) {
		was = d->npend;
		n = in.n < sizeof(d->pend) ? in.n : sizeof(d->pend);
		memcpy(joint, d->pend, was);
		memcpy(joint + was, in.p, n);
		done = qp_run(d, slice_of(joint, was + n), false, out);
		d->npend = 0;
		if (done < was) {
			/* All is still open: at most "=", QP_HOLD - 1 blanks
			 * and a CR, so n was all there is. */
			d->npend = was + n - done;
			memcpy(d->pend, joint + done, d->npend);
			return;
		}
		in = slice_from(in, done - was);
	}
	done = qp_run(d, in, false, out);
	d->npend = in.n - done;
	if (d->npend != 0)
		memcpy(d->pend, in.p + done, d->npend);
}

void
decode_init(struct decoder *d, enum decode_kind kind)
{
	d->kind = kind;
	d->acc = d->nacc = 0;
	d->npend = 0;
	d->bad = false;
}

void
decode_feed(struct decoder *d, struct slice in, struct buf *out)
{
	if (in.n == 0)
		return;
	if (d->kind == DECODE_BASE64)
		b64_feed(d, in, out);
	else if (d->kind == DECODE_QP)
		qp_feed(d, in, out);
	else
		buf_add_slice(out, in);
}

void
decode_finish(struct decoder *d, struct buf *out)
{
	char last[2];

	if (d->kind == DECODE_BASE64) {
		if (d->nacc != 0)
			d->bad = true;
		buf_add(out, last, (size_t)(b64_flush(d, last) - last));
	} else if (d->kind == DECODE_QP) {
		(void)qp_run(d, slice_of(d->pend, d->npend), true, out);
		d->npend = 0;
	}
}

/* Encoded words on their way: neighbours of one charset are joined first, for
 * many mailers cut within a character. */
struct words {
	struct buf *out;
	struct buf bytes;
	struct slice charset;
	bool behind_word;
};

static void
flush_words(struct words *w)
{
	if (!w->behind_word)
		return;
	(void)charset_convert(w->out, w->charset, buf_slice(&w->bytes));
	buf_clear(&w->bytes);
	w->behind_word = false;
}

/* The "Q" encoding, RFC 2047 4.2. */
static void
decode_q(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi = -1, lo = -1;

		if (s.p[i] == '=' && s.n - i > 2) {
			hi = hex_value(s.p[i + 1]);
			lo = hex_value(s.p[i + 2]);
		}
		if (hi >= 0 && lo >= 0) {
			buf_add_char(out, (char)(hi << 4 | lo));
			i += 2;
		} else {
			buf_add_char(out, s.p[i] == '_' ? ' ' : s.p[i]);
		}
	}
}

/* encoded-word = "=?" charset "?" encoding "?" encoded-text "?=" */
static bool
split_word(struct slice s, struct slice *charset, char *enc, struct slice *text,
    size_t *len)
{
	size_t q = slice_chr(slice_sub(s, 2, 64), '?') + 2, end;

	if (q >= s.n || s.p[q] != '?' || s.n - q < 4 || s.p[q + 2] != '?')
		return false;
	*charset = slice_sub(s, 2, q - 2);
	*enc = ascii_lower(s.p[q + 1]);
	*text = slice_from(s, q + 3);
	end = slice_chr(*text, '?');
	/* "?" within Q text is against the standard, but "=?...?Q?wie??=" is
	 * met: the last of two is the end. */
	if (end + 2 < text->n && text->p[end + 1] == '?')
		end++;
	if (end + 1 >= text->n || text->p[end + 1] != '=')
		return false;
	*text = slice_sub(*text, 0, end);
	*len = q + 3 + end + 2;
	return charset->n != 0 && (*enc == 'q' || *enc == 'b');
}

static bool
is_blank(struct slice s)
{
	return slice_trim(s).n == 0;
}

/* Text between encoded words. */
static void
add_text(struct words *w, struct slice text)
{
	if (text.n == 0)
		return;
	flush_words(w);
	if (utf8_is_ascii(text))
		buf_add_slice(w->out, text);
	else
		(void)charset_convert(w->out, SLICE(""), text);
}

static void
add_word(struct words *w, struct slice charset, char enc, struct slice text)
{
	struct decoder d;

	if (w->behind_word && !slice_ieq(w->charset, charset))
		flush_words(w);
	w->behind_word = true;
	w->charset = charset;
	if (enc == 'q') {
		decode_q(text, &w->bytes);
		return;
	}
	decode_init(&d, DECODE_BASE64);
	decode_feed(&d, text, &w->bytes);
	decode_finish(&d, &w->bytes);
}

void
decode_words(struct buf *out_utf8, struct slice unfolded)
{
	struct words w = { .out = out_utf8 };
	struct slice s = unfolded, charset, text;
	size_t from = 0, at = 0, len;
	char enc;

	buf_init(&w.bytes, unfolded.n + 8);
	for (;;) {
		at += slice_find(slice_from(s, at), SLICE("=?"));
		if (at == s.n)
			break;
		if (!split_word(
			slice_from(s, at), &charset, &enc, &text, &len)) {
			at += 2;
			continue;
		}
		/* RFC 2047 6.2: blanks between encoded words are not shown. */
		if (!w.behind_word || !is_blank(slice_sub(s, from, at - from)))
			add_text(&w, slice_sub(s, from, at - from));
		add_word(&w, charset, enc, text);
		at += len;
		from = at;
	}
	add_text(&w, slice_from(s, from));
	flush_words(&w);
	buf_fini(&w.bytes);
}

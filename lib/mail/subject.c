#include "lib/mail/subject.h"

#include "lib/base/cur.h"

/*
 * RFC 5256 5:
 * subj-refwd  = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
 * subj-blob   = "[" *BLOBCHAR "]" *WSP
 * subj-leader = (*subj-blob subj-refwd) / WSP
 * subj-trailer = "(fwd)" / WSP
 * subj-fwd-hdr = "[fwd:"      subj-fwd-trl = "]"
 */

/* %x01-5a / %x5c / %x5e-ff */
static const struct cset blobchar = { { UINT64_MAX & ~UINT64_C(1),
    UINT64_MAX & ~CSET_BIT('[') & ~CSET_BIT(']'), UINT64_MAX, UINT64_MAX } };

static bool
skip_blob(struct cur *c)
{
	const char *from = c->p;

	if (cur_skip(c, '[')) {
		(void)cur_span(c, &blobchar);
		if (cur_skip(c, ']')) {
			(void)cur_span(c, &cset_wsp);
			return true;
		}
	}
	c->p = from;
	return false;
}

static bool
skip_refwd(struct cur *c)
{
	const char *from = c->p;

	if (cur_skip_word(c, "re") || cur_skip_word(c, "fwd") ||
	    cur_skip_word(c, "fw")) {
		(void)cur_span(c, &cset_wsp);
		(void)skip_blob(c);
		if (cur_skip(c, ':'))
			return true;
	}
	c->p = from;
	return false;
}

/* Steps 3 to 5; what is left. */
static struct slice
drop_leaders(struct slice s, bool *is_reply)
{
	struct cur c;
	const char *no_leader = s.p; /* no subj-leader starts before it */
	const char *from;

	cur_init(&c, s);
	for (;;) {
		(void)cur_span(&c, &cset_wsp);
		from = c.p;
		while (from >= no_leader && skip_blob(&c))
			;
		if (from >= no_leader && skip_refwd(&c)) {
			*is_reply = true;
			no_leader = c.p;
			continue;
		}
		if (c.p > no_leader)
			no_leader = c.p;
		c.p = from;
		if (!skip_blob(&c) || cur_eof(&c))
			break;
	}
	return slice_of(from, (size_t)(c.end - from));
}

/* Step 2. */
static struct slice
drop_trailers(struct slice s, bool *is_reply)
{
	static const struct slice fwd = { "(fwd)", 5 };

	for (;;) {
		s = slice_trim(s);
		if (s.n < fwd.n || !slice_ieq(slice_from(s, s.n - fwd.n), fwd))
			return s;
		s.n -= fwd.n;
		*is_reply = true;
	}
}

/* Step 1: blanks and controls of folding to one space. */
static void
squeeze(struct buf *out, struct slice s)
{
	bool space = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			space = true;
			continue;
		}
		if (space)
			buf_add_char(out, ' ');
		space = false;
		buf_add_char(out, c);
	}
}

void
subject_base(struct buf *out, struct slice decoded_utf8, bool *is_reply)
{
	static const struct slice hdr = { "[fwd:", 5 };
	struct buf text;
	struct slice s;

	*is_reply = false;
	buf_init(&text, decoded_utf8.n);
	squeeze(&text, decoded_utf8);
	s = buf_slice(&text);
	for (;;) {
		s = drop_trailers(s, is_reply);
		s = drop_leaders(s, is_reply);
		if (!slice_istarts(s, hdr) || s.p[s.n - 1] != ']')
			break;
		s = slice_sub(s, hdr.n, s.n - hdr.n - 1);
		*is_reply = true;
	}
	buf_add_slice(out, s);
	buf_fini(&text);
}

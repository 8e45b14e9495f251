#include "lib/base/cur.h"

#include <string.h>

void
cur_init(struct cur *c, struct slice s)
{
	if (s.p == NULL)
		s = SLICE("");
	*c = (struct cur){ .p = s.p, .end = s.p + s.n, .start = s.p };
}

bool
cur_fail(struct cur *c, const char *why)
{
	if (!c->failed) {
		c->failed = true;
		c->why = why;
	}
	return false;
}

int
cur_peek_at(const struct cur *c, size_t ahead)
{
	if (c->failed || (size_t)(c->end - c->p) <= ahead)
		return -1;
	return (unsigned char)c->p[ahead];
}

bool
cur_byte(struct cur *c, char want)
{
	if (cur_peek(c) != (unsigned char)want)
		return cur_fail(c, "unexpected character");
	c->p++;
	return true;
}

bool
cur_skip(struct cur *c, char maybe)
{
	if (cur_peek(c) != (unsigned char)maybe)
		return false;
	c->p++;
	return true;
}

bool
cur_any(struct cur *c, char *byte_out)
{
	if (cur_eof(c))
		return cur_fail(c, "unexpected end");
	*byte_out = *c->p++;
	return true;
}

bool
cur_skip_word(struct cur *c, const char *word)
{
	struct slice want = slice_str(word);

	if (c->failed || (size_t)(c->end - c->p) < want.n ||
	    !slice_ieq(slice_of(c->p, want.n), want))
		return false;
	c->p += want.n;
	return true;
}

bool
cur_word(struct cur *c, const char *word)
{
	return cur_skip_word(c, word) || cur_fail(c, "unexpected word");
}

struct slice
cur_span(struct cur *c, const struct cset *cls)
{
	const char *from = c->p;

	if (c->failed)
		return SLICE("");
	while (c->p != c->end && cset_has(cls, *c->p))
		c->p++;
	return slice_of(from, (size_t)(c->p - from));
}

bool
cur_span1(struct cur *c, const struct cset *cls, struct slice *out)
{
	*out = cur_span(c, cls);
	return out->n != 0 || cur_fail(c, "unexpected character");
}

bool
cur_take(struct cur *c, size_t n, struct slice *out)
{
	*out = SLICE("");
	if (c->failed || (size_t)(c->end - c->p) < n)
		return cur_fail(c, "unexpected end");
	*out = slice_of(c->p, n);
	c->p += n;
	return true;
}

struct slice
cur_rest(struct cur *c)
{
	struct slice s = SLICE("");

	if (!c->failed)
		(void)cur_take(c, (size_t)(c->end - c->p), &s);
	return s;
}

bool
cur_u64(struct cur *c, uint64_t max, uint64_t *out)
{
	struct slice digits;
	uint64_t v = 0;

	*out = 0;
	if (!cur_span1(c, &cset_digit, &digits))
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		uint64_t d = (uint64_t)(digits.p[i] - '0');

		if (v > (max - d) / 10 || d > max)
			return cur_fail(c, "number too large");
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

bool
cur_u32(struct cur *c, uint32_t *out)
{
	uint64_t v;
	bool ok = cur_u64(c, UINT32_MAX, &v);

	*out = (uint32_t)v;
	return ok;
}

bool
cur_end(struct cur *c)
{
	if (c->failed)
		return false;
	return c->p == c->end || cur_fail(c, "trailing characters");
}

size_t
cur_pos(const struct cur *c)
{
	return (size_t)(c->p - c->start);
}

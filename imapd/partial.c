#include "imapd/partial.h"

/* partial-range-first = nz-number ":" nz-number
 * partial-range-last = "-" nz-number ":" "-" nz-number */
bool
partial_parse(struct parse *p, struct partial *out)
{
	uint32_t a, b;

	if (!parse_sp(p))
		return false;
	out->text.p = p->c.p;
	out->from_end = cur_skip(&p->c, '-');
	if (!parse_nz_u32(p, &a) || !cur_byte(&p->c, ':') ||
	    (out->from_end && !cur_byte(&p->c, '-')) || !parse_nz_u32(p, &b))
		return false;
	out->text.n = (size_t)(p->c.p - out->text.p);
	out->lo = a < b ? a : b;
	out->hi = a < b ? b : a;
	return true;
}

void
partial_window(
    const struct partial *w, size_t n, size_t *from_out, size_t *n_out)
{
	size_t hi = w->hi < n ? w->hi : n;

	*from_out = *n_out = 0;
	if (w->lo > n)
		return;
	*n_out = hi - w->lo + 1;
	*from_out = w->from_end ? n - hi : w->lo - 1;
}

struct ranges
partial_ranges(const struct partial *w, const struct ranges *r, struct arena *a)
{
	struct ranges out = { 0 };
	size_t skip, left;

	partial_window(w, ranges_count(r), &skip, &left);
	out.v = arena_alloc(a, (r->n + 1) * sizeof(*out.v));
	for (size_t i = 0; i < r->n && left != 0; i++) {
		struct seq_range x = r->v[i];
		size_t len = (size_t)x.hi - x.lo + 1;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		x.lo += (uint32_t)skip;
		len -= skip;
		skip = 0;
		if (len > left)
			x.hi = x.lo + (uint32_t)left - 1;
		left -= len < left ? len : left;
		out.v[out.n++] = x;
	}
	return out;
}

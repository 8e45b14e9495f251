#include "imapd/seqset.h"

#include <stdlib.h>

/* What may stand in a sequence-set. */
static const struct cset set_chars = { { CSET_BIT('*') | CSET_BIT(',') |
					     CSET_BIT(':') |
					     (UINT64_C(0x3ff) << ('0' & 63)),
    0, 0, 0 } };

/* seq-number = nz-number / "*" */
static bool
parse_num(struct cur *c, struct num_or_star *out)
{
	*out = (struct num_or_star){ 0 };
	if (cur_skip(c, '*')) {
		out->star = true;
		return true;
	}
	if (cur_peek(c) == '0')
		return cur_fail(c, "0 is no message number");
	return cur_u32(c, &out->n);
}

/* seq-range = seq-number [":" seq-number] */
static bool
parse_item(struct cur *c, struct seqset_item *out)
{
	if (!parse_num(c, &out->a))
		return false;
	out->b = out->a;
	return !cur_skip(c, ':') || parse_num(c, &out->b);
}

/* How many items there can be: commas ahead, and one. */
static size_t
count_items(const struct cur *c)
{
	struct cur ahead = *c;
	struct slice all = cur_span(&ahead, &set_chars);
	size_t n = 1;

	for (size_t i = 0; i < all.n; i++)
		n += all.p[i] == ',';
	return n;
}

bool
seqset_parse(struct cur *c, struct arena *a, struct seqset *out)
{
	size_t max;

	*out = (struct seqset){ 0 };
	if (cur_skip(c, '$')) { /* RFC 5182 2.1 */
		out->saved = true;
		return true;
	}
	max = count_items(c);
	out->v = arena_alloc(a, max * sizeof(*out->v));
	do {
		if (!parse_item(c, &out->v[out->n]))
			return false;
		out->n++;
	} while (out->n < max && cur_skip(c, ','));
	return true;
}

static uint32_t
value_of(struct num_or_star x, uint32_t max)
{
	return x.star ? max : x.n;
}

static int
by_lo(const void *x, const void *y)
{
	const struct seq_range *a = x, *b = y;

	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

/* Sorts and joins in place. */
static void
join(struct ranges *r)
{
	size_t to = 0;

	if (r->n == 0)
		return;
	qsort(r->v, r->n, sizeof(*r->v), by_lo);
	for (size_t i = 1; i < r->n; i++) {
		if (r->v[to].hi == UINT32_MAX)
			break;
		if (r->v[i].lo > r->v[to].hi + 1)
			r->v[++to] = r->v[i];
		else if (r->v[i].hi > r->v[to].hi)
			r->v[to].hi = r->v[i].hi;
	}
	r->n = to + 1;
}

struct ranges
seqset_resolve(const struct seqset *s, struct arena *a, uint32_t max)
{
	struct ranges r = { 0 };

	r.v = arena_alloc(a, (s->n + 1) * sizeof(*r.v));
	for (size_t i = 0; i < s->n; i++) {
		uint32_t x = value_of(s->v[i].a, max);
		uint32_t y = value_of(s->v[i].b, max);

		if (x == 0 || y == 0) /* "*" of nothing */
			continue;
		r.v[r.n].lo = x < y ? x : y;
		r.v[r.n++].hi = x < y ? y : x;
	}
	join(&r);
	return r;
}

bool
seqset_fits(const struct seqset *s, uint32_t max)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct seqset_item *it = &s->v[i];

		if (it->a.star || it->b.star)
			continue;
		if (it->a.n > max || it->b.n > max)
			return false;
	}
	return true;
}

/* Index of the first range whose end is >= n. */
static size_t
range_at(const struct ranges *r, uint32_t n)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->v[mid].hi < n)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
ranges_has(const struct ranges *r, uint32_t n)
{
	size_t i = range_at(r, n);

	return i < r->n && r->v[i].lo <= n;
}

bool
ranges_next(const struct ranges *r, uint32_t from, uint32_t *out)
{
	size_t i = range_at(r, from);

	if (i == r->n)
		return false;
	*out = r->v[i].lo > from ? r->v[i].lo : from;
	return true;
}

uint64_t
ranges_count(const struct ranges *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += (uint64_t)r->v[i].hi - r->v[i].lo + 1;
	return n;
}

void
seqset_write(struct buf *out, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t end = i;

		while (end + 1 < n && v[end + 1] == v[end] + 1)
			end++;
		if (i != 0)
			buf_add_char(out, ',');
		buf_add_u64(out, v[i]);
		if (end != i) {
			buf_add_char(out, ':');
			buf_add_u64(out, v[end]);
		}
		i = end + 1;
	}
}

#include "imapd/order.h"

#include <stdlib.h>

#include "imapd/fold.h"
#include "lib/base/siphash.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"
#include "lib/mail/decode.h"
#include "lib/mail/header.h"
#include "lib/mail/subject.h"

enum { TEXT_MAX = 1 << 20 };

unsigned
order_wants(const struct order_by *by, size_t n)
{
	unsigned wants = 0;

	for (size_t i = 0; i < n; i++)
		switch (by[i].key) {
		case OK_ARRIVAL:
		case OK_SIZE: break;
		case OK_DATE: wants |= ORDER_WANT_DATE; break;
		case OK_SUBJECT: wants |= ORDER_WANT_SUBJECT; break;
		case OK_CC:
		case OK_FROM:
		case OK_TO: wants |= ORDER_WANT_ADDRESSES; break;
		case OK_DISPLAYFROM:
		case OK_DISPLAYTO: wants |= ORDER_WANT_SHOWN; break;
		}
	return wants;
}

/* Did its charset allow all of it?  What it did not is U+FFFD now. */
static bool
is_converted(struct slice utf8)
{
	return slice_find(utf8, SLICE("\xef\xbf\xbd")) == utf8.n;
}

/* The form that is compared.  RFC 5255 4.6 (c): what is not valid in its
 * charset comes behind all that is, by its bytes. */
static struct slice
folded(struct arena *a, struct slice utf8)
{
	struct slice out;
	struct buf b;

	buf_init(&b, 8 * TEXT_MAX);
	if (is_converted(utf8)) {
		fold_add(&b, utf8);
	} else {
		buf_add_char(&b, '\xff'); /* no UTF-8 begins so */
		buf_add_slice(&b, utf8);
	}
	out = arena_copy(a, buf_slice(&b));
	buf_fini(&b);
	return out;
}

uint64_t
order_id(struct slice text)
{
	return text.n != 0 ? siphash(text) | 1 : 0;
}

/* RFC 5256 2.1 */
static void
fill_subject(struct arena *a, struct slice headers, struct order_msg *out)
{
	struct buf plain, utf8, base;

	buf_init(&plain, TEXT_MAX);
	buf_init(&utf8, 2 * TEXT_MAX);
	buf_init(&base, 2 * TEXT_MAX);
	header_unfold(&plain, header_find(headers, SLICE("Subject")));
	decode_words(&utf8, buf_slice(&plain));
	subject_base(&base, buf_slice(&utf8), &out->is_reply);
	out->subject = folded(a, buf_slice(&base));
	out->subject_id = order_id(out->subject);
	buf_fini(&plain);
	buf_fini(&utf8);
	buf_fini(&base);
}

/* RFC 5957 1: the name, decoded, or else mailbox@host. */
static struct slice
shown(struct arena *a, const struct mail_addr *x)
{
	struct slice out;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	if (x->name.p != NULL) {
		decode_words(&b, x->name);
	} else {
		buf_add_slice(&b, x->mailbox);
		if (x->host.n != 0)
			buf_add_char(&b, '@');
		buf_add_slice(&b, x->host);
	}
	out = folded(a, buf_slice(&b));
	buf_fini(&b);
	return out;
}

/* Of the first address in this field. */
static void
fill_address(struct arena *a, struct slice headers, struct slice field,
    struct slice *mailbox, struct slice *name)
{
	struct slice value = header_find(headers, field);
	struct mail_addr *x;

	if (value.n == 0)
		return;
	x = address_parse(a, value, 1);
	if (x == NULL)
		return;
	if (mailbox != NULL)
		*mailbox = folded(a, x->mailbox);
	if (name != NULL)
		*name = shown(a, x);
}

/* RFC 5256 2.2 */
static void
fill_date(struct slice headers, struct order_msg *out)
{
	struct slice value = header_find(headers, SLICE("Date"));
	int zone;

	if (value.p == NULL || !date_parse(value, &out->date, &zone))
		out->date = out->arrival;
}

void
order_fill(struct arena *a, unsigned wants, const struct msg_meta *m,
    struct slice headers, struct order_msg *out)
{
	bool plain = (wants & ORDER_WANT_ADDRESSES) != 0;
	bool names = (wants & ORDER_WANT_SHOWN) != 0;

	out->arrival = m->internal_date;
	out->size = m->size;
	if (wants & ORDER_WANT_DATE)
		fill_date(headers, out);
	if (wants & ORDER_WANT_SUBJECT)
		fill_subject(a, headers, out);
	if (plain || names)
		fill_address(a, headers, SLICE("From"),
		    plain ? &out->from : NULL, names ? &out->shown_from : NULL);
	if (plain || names)
		fill_address(a, headers, SLICE("To"), plain ? &out->to : NULL,
		    names ? &out->shown_to : NULL);
	if (plain)
		fill_address(a, headers, SLICE("Cc"), &out->cc, NULL);
}

static int
compare_numbers(int64_t x, int64_t y)
{
	return x < y ? -1 : x > y;
}

static int
compare_by(
    const struct order_msg *x, const struct order_msg *y, enum order_key key)
{
	switch (key) {
	case OK_ARRIVAL: return compare_numbers(x->arrival, y->arrival);
	case OK_CC: return slice_cmp(x->cc, y->cc);
	case OK_DATE: return compare_numbers(x->date, y->date);
	case OK_FROM: return slice_cmp(x->from, y->from);
	case OK_SIZE: return x->size < y->size ? -1 : x->size > y->size;
	case OK_SUBJECT: return slice_cmp(x->subject, y->subject);
	case OK_TO: return slice_cmp(x->to, y->to);
	case OK_DISPLAYFROM: return slice_cmp(x->shown_from, y->shown_from);
	case OK_DISPLAYTO: return slice_cmp(x->shown_to, y->shown_to);
	}
	return 0;
}

struct order {
	const struct order_by *by;
	size_t n;
};

/* RFC 5256 3: what is equal keeps the folder's order. */
static int
compare(const void *a, const void *b, void *arg)
{
	const struct order_msg *x = a, *y = b;
	const struct order *o = arg;
	int r;

	for (size_t i = 0; i < o->n; i++) {
		r = compare_by(x, y, o->by[i].key);
		if (r != 0)
			return o->by[i].reverse ? -r : r;
	}
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void
order_sort(struct order_msg *v, size_t n, const struct order_by *by, size_t nby)
{
	struct order o = { by, nby };

	if (n != 0)
		qsort_r(v, n, sizeof(*v), compare, &o);
}

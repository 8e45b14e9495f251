/*
 * fuzz_header.c - grammars of single fields: addresses, dates, ids,
 * subjects, encoded words, mailbox names, HTML.  All get the same bytes.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/base/utf8.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"
#include "lib/mail/decode.h"
#include "lib/mail/encode.h"
#include "lib/mail/header.h"
#include "lib/mail/msgid.h"
#include "lib/mail/mutf7.h"
#include "lib/mail/subject.h"
#include "lib/mail/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk(struct slice s)
{
	struct slice rest = s, id;
	struct header h;
	size_t sum = 0;

	while (header_next(&rest, &h)) {
		ph_assert(h.raw.p == s.p + sum);
		sum += h.raw.n;
	}
	ph_assert(header_end(s) == s.n - rest.n);
	while (msgid_next(&s, &id))
		ph_assert(id.n != 0);
}

static void
addresses(struct slice s)
{
	struct mail_addr *ad;
	struct arena a;
	struct buf b;
	size_t n = 0;

	arena_init(&a);
	buf_init(&b, 64 << 20);
	for (ad = address_parse(&a, s, 50); ad != NULL; ad = ad->next) {
		ph_assert(++n <= 50);
		address_write(&b, ad->name, ad->mailbox, ad->host);
	}
	ph_assert(!buf_failed(&b));
	buf_fini(&b);
	arena_clear(&a);
}

static void
dates(struct slice s)
{
	int64_t sec, again;
	struct buf b;
	int tz;

	buf_init(&b, 100);
	if (date_parse(s, &sec, &tz) && sec > -62000000000 &&
	    sec < 253000000000) {
		date_internal(&b, sec, tz);
		ph_assert(date_internal_parse(buf_slice(&b), &again, &tz));
		ph_assert(again == sec);
	}
	(void)date_internal_parse(s, &sec, &tz);
	(void)date_day_parse(s, &sec);
	buf_fini(&b);
}

static void
texts(struct slice s)
{
	struct buf b, c;
	bool reply;

	buf_init(&b, 64 << 20);
	buf_init(&c, 64 << 20);
	decode_words(&b, s);
	ph_assert(utf8_valid(buf_slice(&b)));
	subject_base(&c, buf_slice(&b), &reply);
	buf_clear(&b);
	encode_words(&b, s);
	encode_qp(&b, s);
	msgid_norm(&b, s);
	text_strip_html(&b, s);
	buf_clear(&b);
	buf_clear(&c);
	if (mutf7_decode(&b, s)) {
		ph_assert(mutf7_encode(&c, buf_slice(&b)));
		ph_assert(slice_eq(buf_slice(&c), s));
	}
	ph_assert(!buf_failed(&b) && !buf_failed(&c));
	buf_fini(&b);
	buf_fini(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);

	walk(s);
	addresses(s);
	dates(s);
	texts(s);
	return 0;
}

/*
 * fuzz_autodiscover.c - what strangers post to /autodiscover.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/base/utf8.h"
#include "lib/setup/autodiscover.h"
#include "lib/setup/xmlread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	struct autodiscover ad;
	enum xmlread_event ev;
	size_t open = 0;
	struct xmlread x;
	struct buf out;

	xmlread_init(&x, s);
	while ((ev = xmlread_next(&x)) < XMLREAD_END) {
		open += ev == XMLREAD_OPEN;
		ph_assert(ev != XMLREAD_CLOSE || open-- != 0);
		ph_assert(xmlread_text(&x).n <= XMLREAD_TEXT);
	}
	ph_assert(ev == XMLREAD_BAD || open == 0);
	xmlread_fini(&x);
	if (autodiscover_read(s, &ad)) {
		buf_init(&out, 64 << 10);
		setup_escape(&out, slice_str(ad.address));
		ph_assert(utf8_valid(buf_slice(&out)) && !buf_failed(&out));
		buf_fini(&out);
	}
	return 0;
}

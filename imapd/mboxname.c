#include "imapd/mboxname.h"

#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

#include "lib/base/utf8.h"
#include "lib/mail/mutf7.h"

enum { DECODED_MAX = 64 << 10 };

static struct slice
take(struct arena *a, struct buf *b)
{
	struct slice s = arena_copy(a, buf_slice(b));

	buf_fini(b);
	return s;
}

bool
mboxname_decode(struct arena *a, struct slice raw, bool utf8, struct slice *out)
{
	struct buf b;
	bool good;

	*out = raw;
	if (!utf8_is_ascii(raw))
		return utf8_valid(raw);
	if (utf8 || slice_chr(raw, '&') == raw.n)
		return true;
	buf_init(&b, DECODED_MAX);
	good = mutf7_decode(&b, raw) && !buf_failed(&b);
	*out = take(a, &b);
	return good;
}

struct slice
mboxname_trim(struct slice name)
{
	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	return name;
}

struct slice
mboxname_normal(struct arena *a, struct slice name)
{
	size_t n = 0, first = slice_chr(name, '/');
	uint8_t *got = NULL;

	if (!utf8_is_ascii(name))
		got = u8_normalize(
		    UNINORM_NFC, (const uint8_t *)name.p, name.n, NULL, &n);
	name = arena_copy(a, got != NULL ? slice_of(got, n) : name);
	free(got);
	if (slice_ieq(slice_sub(name, 0, first), SLICE("INBOX")))
		memcpy((char *)(uintptr_t)name.p, "INBOX", 5);
	return name;
}

static void
add_quoted(struct buf *out, struct slice s)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, s.p[i]);
	}
	buf_add_char(out, '"');
}

void
mboxname_write(struct buf *out, struct slice name, bool utf8)
{
	struct buf b;

	if (utf8 || (utf8_is_ascii(name) && slice_chr(name, '&') == name.n)) {
		add_quoted(out, name);
		return;
	}
	buf_init(&b, DECODED_MAX);
	(void)mutf7_encode(&b, name);
	add_quoted(out, buf_slice(&b));
	buf_fini(&b);
}

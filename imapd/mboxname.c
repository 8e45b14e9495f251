#include "imapd/mboxname.h"

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

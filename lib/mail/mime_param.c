#include "lib/mail/mime_param.h"

#include "lib/base/cset.h"
#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "lib/mail/decode.h"

enum { SECTIONS = 100 }; /* RFC 2231 3 continuations that are joined */

struct slice
mime_param_raw(const struct mime_param *params, struct slice name)
{
	for (; params != NULL; params = params->next)
		if (slice_ieq(params->name, name))
			return params->value;
	return (struct slice){ NULL, 0 };
}

/* Pieces of one parameter by number. */
struct pieces {
	struct slice value[SECTIONS];
	bool extended[SECTIONS]; /* percent-encoded */
	bool have[SECTIONS];
};

/*
 * section := "*" ("0" / ("1"-"9" *DIGIT)) and a last "*" when the value is
 * encoded; or that last "*" alone.  RFC 2231 7.
 */
static bool
read_section(struct slice s, size_t *number, bool *extended)
{
	*number = 0;
	*extended = false;
	if (s.n == 0 || s.p[0] != '*')
		return false;
	s = slice_from(s, 1);
	if (s.n == 0) {
		*extended = true;
		return true;
	}
	if (s.p[s.n - 1] == '*') {
		*extended = true;
		s.n--;
	}
	if (s.n == 0 || s.n > 2)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!cset_has(&cset_digit, s.p[i]))
			return false;
		*number = *number * 10 + (size_t)(s.p[i] - '0');
	}
	return *number < SECTIONS;
}

static bool
collect(const struct mime_param *params, struct slice name, struct pieces *all)
{
	size_t number;
	bool extended;

	for (; params != NULL; params = params->next) {
		if (!slice_istarts(params->name, name) ||
		    !read_section(
			slice_from(params->name, name.n), &number, &extended) ||
		    all->have[number])
			continue;
		all->have[number] = true;
		all->extended[number] = extended;
		all->value[number] = params->value;
	}
	return all->have[0];
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
add_percent(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi = -1, lo = -1;

		if (s.p[i] == '%' && s.n - i > 2) {
			hi = hex_value(s.p[i + 1]);
			lo = hex_value(s.p[i + 2]);
		}
		if (hi >= 0 && lo >= 0) {
			buf_add_char(out, (char)(hi << 4 | lo));
			i += 2;
		} else {
			buf_add_char(out, s.p[i]);
		}
	}
}

/* extended-initial-value := [charset] "'" [language] "'" extended-other */
static struct slice
cut_charset(struct slice *value)
{
	struct slice rest = *value, charset, lang;

	if (slice_split(&rest, '\'', &charset) && rest.p != NULL &&
	    slice_split(&rest, '\'', &lang) && rest.p != NULL) {
		*value = rest;
		return charset;
	}
	return SLICE("");
}

static void
join(struct buf *out, struct pieces *all)
{
	struct slice charset = { "", 0 };
	struct buf bytes;

	buf_init(&bytes, out->max);
	if (all->extended[0])
		charset = cut_charset(&all->value[0]);
	for (size_t i = 0; i < SECTIONS && all->have[i]; i++) {
		if (all->extended[i])
			add_percent(&bytes, all->value[i]);
		else
			buf_add_slice(&bytes, all->value[i]);
	}
	if (buf_failed(&bytes))
		out->failed = true;
	(void)charset_convert(out, charset, buf_slice(&bytes));
	buf_fini(&bytes);
}

bool
mime_param_get(
    struct buf *out_utf8, const struct mime_param *params, struct slice name)
{
	struct pieces all = { 0 };
	struct slice plain;

	/* RFC 2231 forms come first: who sends both means them. */
	if (collect(params, name, &all)) {
		join(out_utf8, &all);
		return true;
	}
	plain = mime_param_raw(params, name);
	if (plain.p == NULL)
		return false;
	decode_words(out_utf8, plain);
	return true;
}

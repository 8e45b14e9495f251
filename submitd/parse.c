#include "submitd/parse.h"

#include "lib/base/cur.h"
#include "lib/base/utf8.h"
#include "lib/mail/date.h"
#include "storage/queue.h"
#include "submitd/srs.h"

#define DIGITS UINT64_C(0x03ff000000000000)
#define LETTERS UINT64_C(0x07fffffe07fffffe)

/* RFC 5321 4.1.2 Let-dig and "-", dots between; UTF-8 labels, RFC 6531 3.3;
 * "_" is no letter of it and yet in use. */
static const struct cset domain_chars = { { DIGITS | CSET_BIT('-') |
						CSET_BIT('.'),
    LETTERS | CSET_BIT('_'), UINT64_MAX, UINT64_MAX } };

/* Inside [ ]: dcontent, %d33-90 / %d94-126 */
static const struct cset literal_chars = { { ~(CSET_CTL0 | CSET_BIT(' ')),
    ~(CSET_DEL1 | CSET_BIT('[') | CSET_BIT('\\') | CSET_BIT(']')), 0, 0 } };

/* esmtp-value: any CHAR excluding "=", SP, and control characters; UTF-8 for
 * utf-8-addr-xtext, RFC 6533 3 */
static const struct cset value_chars = {
	{ ~(CSET_CTL0 | CSET_BIT(' ') | CSET_BIT('=')), ~CSET_DEL1, UINT64_MAX,
	    UINT64_MAX }
};

/* esmtp-keyword: (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static const struct cset key_chars = { { DIGITS | CSET_BIT('-'), LETTERS, 0,
    0 } };

bool
smtp_parse_line(struct slice line, struct smtp_line *out)
{
	struct cur c;

	*out = (struct smtp_line){ 0 };
	cur_init(&c, line);
	if (!cur_span1(&c, &cset_alpha, &out->verb))
		return false;
	if (!cur_eof(&c) && !cur_byte(&c, ' '))
		return false;
	out->rest = cur_rest(&c);
	while (out->rest.n != 0 &&
	       cset_has(&cset_wsp, out->rest.p[out->rest.n - 1]))
		out->rest.n--;
	return true;
}

/* atext, or a byte of UTF-8 (RFC 6531 3.3), or "." */
static bool
is_local_char(int b)
{
	return b == '.' || b >= 0x80 ||
	       (b >= 0 && cset_has(&cset_atext, (char)b));
}

/* Local-part = Dot-string / Quoted-string, RFC 5321 4.1.2 */
static bool
parse_local(struct cur *c, struct slice *out)
{
	const char *from = c->p;
	char byte;

	if (cur_skip(c, '"')) {
		while (!cur_eof(c) && cur_peek(c) != '"') {
			if (cur_skip(c, '\\') && cur_eof(c))
				break;
			if (!cur_any(c, &byte) || cset_has(&cset_ctl, byte))
				return cur_fail(c, "bad quoted local part");
		}
		(void)cur_byte(c, '"');
	} else {
		while (is_local_char(cur_peek(c)))
			c->p++;
	}
	*out = slice_of(from, (size_t)(c->p - from));
	return cur_ok(c) && out->n != 0;
}

/* Domain / address-literal */
static bool
parse_domain(struct cur *c, struct slice *out)
{
	const char *from = c->p;
	struct slice inside;

	if (cur_skip(c, '['))
		(void)(cur_span1(c, &literal_chars, &inside) &&
		       cur_byte(c, ']'));
	else
		(void)cur_span1(c, &domain_chars, &inside);
	*out = slice_of(from, (size_t)(c->p - from));
	return cur_ok(c);
}

/* A-d-l ":" - accepted and ignored, RFC 5321 4.1.1.3 and appendix C */
static bool
skip_route(struct cur *c)
{
	struct slice domain;

	while (cur_skip(c, '@')) {
		if (!parse_domain(c, &domain))
			return false;
		if (!cur_skip(c, ','))
			return cur_byte(c, ':');
	}
	return true;
}

static bool
parse_mailbox(struct cur *c, struct smtp_path *out)
{
	const char *from = c->p;

	if (!parse_local(c, &out->local))
		return cur_fail(c, "bad address");
	if (cur_skip(c, '@') && !parse_domain(c, &out->domain))
		return cur_fail(c, "bad domain in address");
	out->addr = slice_of(from, (size_t)(c->p - from));
	return utf8_valid(out->addr) || cur_fail(c, "not UTF-8");
}

static bool
parse_params(struct cur *c, struct smtp_path *out)
{
	while (!cur_eof(c)) {
		struct smtp_param *p = &out->params[out->nparams];

		if (!cur_byte(c, ' '))
			return false;
		while (cur_skip(c, ' '))
			;
		if (cur_eof(c))
			return true;
		if (out->nparams == SMTP_PARAMS_MAX)
			return cur_fail(c, "too many parameters");
		if (!cur_span1(c, &key_chars, &p->key))
			return cur_fail(c, "bad parameter");
		if (cur_skip(c, '='))
			p->value = cur_span(c, &value_chars);
		out->nparams++;
	}
	return cur_ok(c);
}

bool
smtp_parse_path(struct slice rest, const char *word, bool lenient,
    struct smtp_path *out, const char **why_out)
{
	struct cur c;
	bool angle;

	*out = (struct smtp_path){ 0 };
	cur_init(&c, rest);
	(void)(cur_word(&c, word) && cur_byte(&c, ':'));
	while (lenient && cur_skip(&c, ' '))
		;
	angle = cur_skip(&c, '<');
	if (!angle && !lenient)
		(void)cur_fail(&c, "the address must stand in < >");
	if (angle && skip_route(&c) && cur_skip(&c, '>'))
		out->addr = SLICE("");
	else if (parse_mailbox(&c, out) && angle)
		(void)cur_byte(&c, '>');
	/* RFC 5321 4.5.3.1: 64 for the local part, 255 for the domain; our own
	 * return addresses of forwarded mail are longer */
	if (out->local.n > (srs_is(out->local) ? SRS_LOCAL_MAX + 12 : 64) ||
	    out->domain.n > 255)
		(void)cur_fail(&c, "address too long");
	if (parse_params(&c, out) && cur_end(&c))
		return true;
	*why_out = c.why != NULL ? c.why : "syntax error";
	return false;
}

/* chunk-size [ SP end-marker ], RFC 3030 2 */
bool
smtp_parse_chunk(struct slice rest, uint64_t *n_out, bool *last_out)
{
	struct cur c;

	cur_init(&c, rest);
	*last_out = false;
	if (!cur_u64(&c, INT64_MAX, n_out))
		return false;
	if (cur_skip(&c, ' '))
		*last_out = cur_word(&c, "LAST");
	return cur_end(&c);
}

static bool
digits(struct cur *c, size_t n, unsigned max, unsigned *out)
{
	struct slice s;

	*out = 0;
	if (!cur_take(c, n, &s))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!cset_has(&cset_digit, s.p[i]))
			return cur_fail(c, "a digit is missing");
		*out = *out * 10 + (unsigned)(s.p[i] - '0');
	}
	return *out <= max || cur_fail(c, "out of range");
}

static unsigned
days_of(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* time-offset, RFC 3339 5.6, in seconds. */
static bool
parse_offset(struct cur *c, int64_t *sec_out)
{
	unsigned hour, min;
	bool west = cur_peek(c) == '-';

	*sec_out = 0;
	if (!west && cur_peek(c) != '+')
		return cur_word(c, "Z");
	if (!cur_byte(c, west ? '-' : '+') || !digits(c, 2, 23, &hour) ||
	    !cur_byte(c, ':') || !digits(c, 2, 59, &min))
		return false;
	*sec_out = (int64_t)(hour * 60 + min) * 60 * (west ? -1 : 1);
	return true;
}

/*
 * date-time, RFC 3339 5.6 (RFC 4865 4, erratum 2040); fractions are dropped.
 */
bool
smtp_parse_time(struct slice s, int64_t *sec_out)
{
	unsigned year, month, day, hour, min, sec;
	int64_t offset;
	struct slice fraction;
	struct cur c;

	*sec_out = 0;
	cur_init(&c, s);
	if (!digits(&c, 4, 9999, &year) || !cur_byte(&c, '-') ||
	    !digits(&c, 2, 12, &month) || !cur_byte(&c, '-') ||
	    !digits(&c, 2, 31, &day) || month == 0 || day == 0 ||
	    !cur_word(&c, "T") || !digits(&c, 2, 23, &hour) ||
	    !cur_byte(&c, ':') || !digits(&c, 2, 59, &min) ||
	    !cur_byte(&c, ':') || !digits(&c, 2, 60, &sec))
		return false;
	if (cur_skip(&c, '.') && !cur_span1(&c, &cset_digit, &fraction))
		return false;
	if (!parse_offset(&c, &offset) || !cur_end(&c) ||
	    day > days_of(year, month))
		return false;
	*sec_out = date_from_civil((int)year, (int)month, (int)day) +
		   hour * 3600 + min * 60 + sec - offset;
	return true;
}

bool
smtp_helo_ok(struct slice name)
{
	struct cur c;
	struct slice domain;

	cur_init(&c, name);
	return name.n <= 255 && parse_domain(&c, &domain) && cur_end(&c) &&
	       utf8_valid(name);
}

static int
hex_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

/* xtext = *( xchar / hexchar ), hexchar = "+" 2HEXDIG (upper case) */
bool
smtp_xtext(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi, lo;

		if (s.p[i] != '+') {
			buf_add_char(out, s.p[i]);
			continue;
		}
		if (s.n - i < 3 || (hi = hex_value(s.p[i + 1])) < 0 ||
		    (lo = hex_value(s.p[i + 2])) < 0)
			return false;
		/* RFC 3461 4.4: printable, lest it makes lines of its own */
		if (hi * 16 + lo < 0x20 || hi * 16 + lo == 0x7f)
			return false;
		buf_add_char(out, (char)(hi * 16 + lo));
		i += 2;
	}
	return !buf_failed(out);
}

bool
smtp_parse_notify(struct slice s, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{ "NEVER", NOTIFY_ON_NEVER },
		{ "SUCCESS", NOTIFY_ON_SUCCESS },
		{ "FAILURE", NOTIFY_ON_FAILURE },
		{ "DELAY", NOTIFY_ON_DELAY },
	};
	struct slice word;

	*out = 0;
	if (s.n == 0)
		return false;
	while (slice_split(&s, ',', &word)) {
		unsigned bit = 0;

		for (size_t i = 0; i < PH_LEN(words); i++)
			if (slice_ieq_str(word, words[i].word))
				bit = words[i].bit;
		if (bit == 0)
			return false;
		*out |= bit;
	}
	/* NEVER stands alone. */
	return !(*out & NOTIFY_ON_NEVER) || *out == NOTIFY_ON_NEVER;
}

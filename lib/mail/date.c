#include "lib/mail/date.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/cur.h"

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
	"Sat" };

enum { DAY_SEC = 86400 };

struct when {
	uint32_t year, month, day, hour, min, sec;
	int tz_min;
};

/* Days are counted in years that start in March, so that the leap day is the
 * last; an era is 400 years. */
int64_t
date_from_civil(int year, int month, int day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (era * 146097 + doe - 719468) * DAY_SEC;
}

static int64_t
day_of(int64_t unix_sec)
{
	return unix_sec / DAY_SEC - (unix_sec % DAY_SEC < 0);
}

void
date_to_civil(int64_t unix_sec, int *year, int *month, int *day)
{
	int64_t first = date_from_civil(0, 1, 1);
	int64_t last = date_from_civil(9999, 12, 31) + DAY_SEC - 1;
	int64_t z, era, doe, yoe, doy, mp;

	unix_sec = unix_sec < first ? first : unix_sec > last ? last : unix_sec;
	z = day_of(unix_sec) + 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

static uint32_t
days_in(uint32_t year, uint32_t month)
{
	static const unsigned char n[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30,
		31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return n[month - 1] + (month == 2 && leap);
}

/* A second 60 is a leap second (RFC 5322 3.3) and counts into the next
 * minute. */
static bool
to_unix(const struct when *w, int64_t *unix_sec)
{
	if (w->month < 1 || w->month > 12 || w->day < 1 || w->year > 9999 ||
	    w->day > days_in(w->year, w->month) || w->hour > 23 ||
	    w->min > 59 || w->sec > 60)
		return false;
	*unix_sec = date_from_civil((int)w->year, (int)w->month, (int)w->day) +
		    w->hour * 3600 + w->min * 60 + w->sec -
		    (int64_t)w->tz_min * 60;
	return true;
}

/* Exactly n digits. */
static bool
fixed_num(struct cur *c, size_t n, uint32_t *out)
{
	struct slice s;

	*out = 0;
	if (!cur_take(c, n, &s))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!cset_has(&cset_digit, s.p[i]))
			return cur_fail(c, "digit expected");
		*out = *out * 10 + (uint32_t)(s.p[i] - '0');
	}
	return true;
}

static bool
month_name(struct cur *c, uint32_t *out)
{
	struct slice s;

	if (cur_take(c, 3, &s))
		for (uint32_t i = 0; i < 12; i++)
			if (slice_ieq(s, slice_of(months[i], 3))) {
				*out = i + 1;
				return true;
			}
	return cur_fail(c, "month expected");
}

/* zone = ("+" / "-") 4DIGIT */
static bool
num_zone(struct cur *c, int *tz_min)
{
	uint32_t hh, mm;
	bool west = cur_peek(c) == '-';

	if (!west && cur_peek(c) != '+')
		return cur_fail(c, "zone expected");
	c->p++;
	if (!fixed_num(c, 2, &hh) || !fixed_num(c, 2, &mm) || mm > 59)
		return cur_fail(c, "bad zone");
	*tz_min = (int)(hh * 60 + mm) * (west ? -1 : 1);
	return true;
}

/* obs-zone, RFC 5322 4.3; letters we do not know are -0000. */
static int
named_zone(struct slice name)
{
	static const struct {
		char name[4];
		int hours;
	} zones[] = {
		{ "EDT", -4 },
		{ "EST", -5 },
		{ "CDT", -5 },
		{ "CST", -6 },
		{ "MDT", -6 },
		{ "MST", -7 },
		{ "PDT", -7 },
		{ "PST", -8 },
	};

	for (size_t i = 0; i < PH_LEN(zones); i++)
		if (slice_ieq(name, slice_of(zones[i].name, 3)))
			return zones[i].hours * 60;
	return 0;
}

static const struct cset fold_blanks = { { CSET_BIT(' ') | CSET_BIT('\t') |
					       CSET_BIT('\r') | CSET_BIT('\n'),
    0, 0, 0 } };

/* [CFWS] */
static void
skip_cfws(struct cur *c)
{
	size_t depth = 0;

	for (; !cur_eof(c); c->p++) {
		if (*c->p == '(')
			depth++;
		else if (*c->p == ')' && depth != 0)
			depth--;
		else if (depth != 0 && *c->p == '\\' && c->p + 1 != c->end)
			c->p++;
		else if (depth == 0 && !cset_has(&fold_blanks, *c->p))
			return;
	}
}

/* year = 4*DIGIT; obs-year with two or three digits, RFC 5322 4.3 */
static bool
read_year(struct cur *c, uint32_t *year)
{
	const char *from = c->p;

	if (!cur_u32(c, year))
		return false;
	if (c->p - from == 3 || (c->p - from == 2 && *year >= 50))
		*year += 1900;
	else if (c->p - from == 2)
		*year += 2000;
	return true;
}

/* time-of-day = hour ":" minute [":" second]; a single digit and a dot for
 * the colon are met in practice. */
static bool
read_time(struct cur *c, struct when *w)
{
	if (!cur_u32(c, &w->hour))
		return false;
	skip_cfws(c);
	if (!cur_skip(c, ':') && !cur_byte(c, '.'))
		return false;
	skip_cfws(c);
	if (!cur_u32(c, &w->min))
		return false;
	skip_cfws(c);
	if (!cur_skip(c, ':') && !cur_skip(c, '.'))
		return true;
	skip_cfws(c);
	return cur_u32(c, &w->sec);
}

static bool
read_zone(struct cur *c, int *tz_min)
{
	skip_cfws(c);
	if (cur_peek(c) == '+' || cur_peek(c) == '-')
		return num_zone(c, tz_min);
	*tz_min = named_zone(cur_span(c, &cset_alpha));
	return true;
}

/* date-time = [day-name ","] day month year time-of-day zone [CFWS] */
bool
date_parse(struct slice value, int64_t *unix_sec, int *tz_min_out)
{
	struct when w = { 0 };
	struct cur c;

	*unix_sec = 0;
	*tz_min_out = 0;
	cur_init(&c, value);
	skip_cfws(&c);
	(void)cur_span(&c, &cset_alpha);
	skip_cfws(&c);
	(void)cur_skip(&c, ',');
	skip_cfws(&c);
	if (!cur_u32(&c, &w.day))
		return false;
	skip_cfws(&c);
	(void)cur_skip(&c, '-');
	if (!month_name(&c, &w.month))
		return false;
	(void)cur_span(&c, &cset_alpha);
	skip_cfws(&c);
	(void)cur_skip(&c, '-');
	if (!read_year(&c, &w.year))
		return false;
	skip_cfws(&c);
	if (!read_time(&c, &w) || !read_zone(&c, &w.tz_min) ||
	    !to_unix(&w, unix_sec))
		return false;
	*tz_min_out = w.tz_min;
	return true;
}

/* The time as that zone's clock shows it, within what four digits hold. */
static void
split(int64_t unix_sec, int *tz_min, struct when *w, uint32_t *weekday)
{
	int64_t first = date_from_civil(0, 1, 1);
	int64_t last = date_from_civil(9999, 12, 31) + DAY_SEC - 1;
	int64_t local, sec;
	int y, m, d;

	if (*tz_min < -5999 || *tz_min > 5999)
		*tz_min = 0;
	if (unix_sec < first || unix_sec > last)
		unix_sec = unix_sec < first ? first : last;
	local = unix_sec + (int64_t)*tz_min * 60;
	if (local < first || local > last)
		local = local < first ? first : last;
	date_to_civil(local, &y, &m, &d);
	sec = local - day_of(local) * DAY_SEC;
	/* 1970-01-01 was a Thursday. */
	*weekday = (uint32_t)(((day_of(local) + 4) % 7 + 7) % 7);
	*w = (struct when){ .year = (uint32_t)y,
		.month = (uint32_t)m,
		.day = (uint32_t)d,
		.hour = (uint32_t)(sec / 3600),
		.min = (uint32_t)(sec / 60 % 60),
		.sec = (uint32_t)(sec % 60) };
}

static char *
two_digits(char *p, uint32_t v)
{
	p[0] = (char)('0' + v / 10 % 10);
	p[1] = (char)('0' + v % 10);
	return p + 2;
}

/* By hand: a listing has one for each message. */
static void
add_clock(struct buf *out, const struct when *w, int tz_min)
{
	uint32_t tz = (uint32_t)abs(tz_min);
	char text[16], *p = two_digits(text, w->hour);

	*p++ = ':';
	p = two_digits(p, w->min);
	*p++ = ':';
	p = two_digits(p, w->sec);
	*p++ = ' ';
	*p++ = tz_min < 0 ? '-' : '+';
	p = two_digits(p, tz / 60);
	p = two_digits(p, tz % 60);
	buf_add(out, text, (size_t)(p - text));
}

void
date_rfc5322(struct buf *out, int64_t unix_sec, int tz_min)
{
	struct when w;
	uint32_t weekday;

	split(unix_sec, &tz_min, &w, &weekday);
	buf_printf(out, "%s, %u %s %04u ", days[weekday], w.day,
	    months[w.month - 1], w.year);
	add_clock(out, &w, tz_min);
}

void
date_internal(struct buf *out, int64_t unix_sec, int tz_min)
{
	char text[16] = "\"", *p;
	struct when w;
	uint32_t weekday;

	split(unix_sec, &tz_min, &w, &weekday);
	p = two_digits(text + 1, w.day);
	if (w.day < 10)
		text[1] = ' ';
	*p++ = '-';
	memcpy(p, months[w.month - 1], 3);
	p[3] = '-';
	p = two_digits(two_digits(p + 4, w.year / 100), w.year % 100);
	*p++ = ' ';
	buf_add(out, text, (size_t)(p - text));
	add_clock(out, &w, tz_min);
	buf_add_char(out, '"');
}

/* date-month "-" date-year, with the "-" before it */
static bool
rest_of_day(struct cur *c, struct when *w)
{
	return cur_byte(c, '-') && month_name(c, &w->month) &&
	       cur_byte(c, '-') && fixed_num(c, 4, &w->year);
}

/* time = 2DIGIT ":" 2DIGIT ":" 2DIGIT */
static bool
strict_time(struct cur *c, struct when *w)
{
	return fixed_num(c, 2, &w->hour) && cur_byte(c, ':') &&
	       fixed_num(c, 2, &w->min) && cur_byte(c, ':') &&
	       fixed_num(c, 2, &w->sec);
}

/* A day of one digit may stand without its blank: npm's imapflow sends it so.
 *
 * date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP
 * zone DQUOTE;  date-day-fixed = (SP DIGIT) / 2DIGIT */
bool
date_internal_parse(struct slice s, int64_t *unix_sec, int *tz_min_out)
{
	struct when w = { 0 };
	struct cur c;
	bool quoted;

	*unix_sec = 0;
	*tz_min_out = 0;
	cur_init(&c, s);
	quoted = cur_skip(&c, '"');
	if (!fixed_num(&c,
		cur_skip(&c, ' ') || cur_peek_at(&c, 1) == '-' ? 1 : 2,
		&w.day) ||
	    !rest_of_day(&c, &w) || !cur_byte(&c, ' ') ||
	    !strict_time(&c, &w) || !cur_byte(&c, ' ') ||
	    !num_zone(&c, &w.tz_min) || (quoted && !cur_byte(&c, '"')) ||
	    !cur_end(&c) || !to_unix(&w, unix_sec))
		return false;
	*tz_min_out = w.tz_min;
	return true;
}

/* date-text = date-day "-" date-month "-" date-year; date-day = 1*2DIGIT */
bool
date_day_parse(struct slice s, int64_t *unix_sec)
{
	struct when w = { 0 };
	struct cur c;

	*unix_sec = 0;
	cur_init(&c, s);
	return fixed_num(&c, slice_chr(s, '-') == 1 ? 1 : 2, &w.day) &&
	       rest_of_day(&c, &w) && cur_end(&c) && to_unix(&w, unix_sec);
}

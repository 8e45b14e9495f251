#include "lib/mail/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "lib/base/cset.h"
#include "lib/base/utf8.h"

enum kind {
	GUESS, /* UTF-8 where it is valid, else windows-1252 */
	UTF8,
	LATIN1,
	LATIN9,
	ICONV
};

/*
 * The charsets of mail.  Names are compared by their letters and digits only.
 * What is not here never reaches iconv: its rarer converters are code that
 * hostile mail should not be able to choose.  Supersets stand for what is
 * labelled too narrowly (gb2312 for GBK, ks_c_5601 for UHC).
 */
static const struct {
	char name[20];
	char iconv[12];
	enum kind kind;
} rows[] = {
	{ "usascii", "", GUESS },
	{ "ascii", "", GUESS },
	{ "ansix341968", "", GUESS },
	{ "iso646us", "", GUESS },
	{ "utf8", "", UTF8 },
	{ "unicode11utf8", "", UTF8 },
	{ "iso88591", "", LATIN1 },
	{ "iso885911987", "", LATIN1 },
	{ "latin1", "", LATIN1 },
	{ "windows1252", "", LATIN1 },
	{ "cp1252", "", LATIN1 },
	{ "xansi", "", LATIN1 },
	{ "iso885915", "", LATIN9 },
	{ "latin9", "", LATIN9 },
	{ "iso88592", "ISO-8859-2", ICONV },
	{ "latin2", "ISO-8859-2", ICONV },
	{ "iso88593", "ISO-8859-3", ICONV },
	{ "iso88594", "ISO-8859-4", ICONV },
	{ "iso88595", "ISO-8859-5", ICONV },
	{ "iso88596", "ISO-8859-6", ICONV },
	{ "iso88597", "ISO-8859-7", ICONV },
	{ "iso88598", "ISO-8859-8", ICONV },
	{ "iso88598i", "ISO-8859-8", ICONV },
	{ "iso88599", "ISO-8859-9", ICONV },
	{ "latin5", "ISO-8859-9", ICONV },
	{ "iso885910", "ISO-8859-10", ICONV },
	{ "iso885911", "ISO-8859-11", ICONV },
	{ "iso885913", "ISO-8859-13", ICONV },
	{ "iso885914", "ISO-8859-14", ICONV },
	{ "iso885916", "ISO-8859-16", ICONV },
	{ "windows874", "CP874", ICONV },
	{ "tis620", "TIS-620", ICONV },
	{ "windows1250", "CP1250", ICONV },
	{ "cp1250", "CP1250", ICONV },
	{ "windows1251", "CP1251", ICONV },
	{ "cp1251", "CP1251", ICONV },
	{ "windows1253", "CP1253", ICONV },
	{ "windows1254", "CP1254", ICONV },
	{ "windows1255", "CP1255", ICONV },
	{ "windows1256", "CP1256", ICONV },
	{ "windows1257", "CP1257", ICONV },
	{ "windows1258", "CP1258", ICONV },
	{ "koi8r", "KOI8-R", ICONV },
	{ "koi8u", "KOI8-U", ICONV },
	{ "ibm437", "CP437", ICONV },
	{ "cp437", "CP437", ICONV },
	{ "ibm850", "CP850", ICONV },
	{ "cp850", "CP850", ICONV },
	{ "ibm852", "CP852", ICONV },
	{ "cp852", "CP852", ICONV },
	{ "ibm866", "CP866", ICONV },
	{ "cp866", "CP866", ICONV },
	{ "macintosh", "MACINTOSH", ICONV },
	{ "xmacroman", "MACINTOSH", ICONV },
	{ "gb2312", "GB18030", ICONV },
	{ "gbk", "GB18030", ICONV },
	{ "cp936", "GB18030", ICONV },
	{ "xgbk", "GB18030", ICONV },
	{ "gb18030", "GB18030", ICONV },
	{ "big5", "BIG5", ICONV },
	{ "cp950", "CP950", ICONV },
	{ "big5hkscs", "BIG5-HKSCS", ICONV },
	{ "shiftjis", "CP932", ICONV },
	{ "sjis", "CP932", ICONV },
	{ "xsjis", "CP932", ICONV },
	{ "windows31j", "CP932", ICONV },
	{ "cp932", "CP932", ICONV },
	{ "eucjp", "EUC-JP", ICONV },
	{ "xeucjp", "EUC-JP", ICONV },
	{ "iso2022jp", "ISO-2022-JP", ICONV },
	{ "iso2022jp1", "ISO-2022-JP", ICONV },
	{ "euckr", "UHC", ICONV },
	{ "ksc56011987", "UHC", ICONV },
	{ "ksc5601", "UHC", ICONV },
	{ "cp949", "UHC", ICONV },
	{ "uhc", "UHC", ICONV },
	{ "iso2022kr", "ISO-2022-KR", ICONV },
	{ "viscii", "VISCII", ICONV },
	{ "utf7", "UTF-7", ICONV },
	{ "unicode11utf7", "UTF-7", ICONV },
	{ "utf16", "UTF-16", ICONV },
	{ "utf16be", "UTF-16BE", ICONV },
	{ "utf16le", "UTF-16LE", ICONV },
	{ "utf32", "UTF-32", ICONV },
	{ "utf32be", "UTF-32BE", ICONV },
	{ "utf32le", "UTF-32LE", ICONV },
};

/* windows-1252 for 0x80..0x9f; what it leaves open stays a C1 control. */
static const uint16_t c1[32] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026,
	0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc,
	0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178 };

/* Index of the row, or -1. */
static int
find_row(struct slice name)
{
	char key[20];
	size_t n = 0;

	for (size_t i = 0; i < name.n && name.p[i] != '*'; i++) {
		char c = ascii_lower(name.p[i]);

		if (!cset_has(&cset_alnum, c))
			continue;
		if (n == sizeof(key) - 1)
			return -1;
		key[n++] = c;
	}
	key[n] = '\0';
	for (size_t i = 0; n != 0 && i < PH_LEN(rows); i++)
		if (memcmp(rows[i].name, key, n + 1) == 0)
			return (int)i;
	return -1;
}

bool
charset_known(struct slice name)
{
	return find_row(name) >= 0;
}

bool
charset_init(struct charset *c, struct slice name)
{
	int row = find_row(name);
	iconv_t cd;

	*c = (struct charset){ .kind = GUESS };
	if (row < 0)
		return false;
	c->kind = (int)rows[row].kind;
	if (c->kind != ICONV)
		return true;
	cd = iconv_open("UTF-8", rows[row].iconv);
	if (cd == (iconv_t)-1) {
		c->kind = GUESS;
		return false;
	}
	c->cd = cd;
	return true;
}

void
charset_fini(struct charset *c)
{
	if (c->cd != NULL)
		(void)iconv_close(c->cd);
	*c = (struct charset){ 0 };
}

static uint32_t
latin(int kind, unsigned char b)
{
	static const unsigned char at[8] = { 0xa4, 0xa6, 0xa8, 0xb4, 0xb8, 0xbc,
		0xbd, 0xbe };
	static const uint16_t is[8] = { 0x20ac, 0x160, 0x161, 0x17d, 0x17e,
		0x152, 0x153, 0x178 };

	if (b >= 0x80 && b < 0xa0)
		return c1[b - 0x80];
	if (kind == LATIN9)
		for (size_t i = 0; i < PH_LEN(at); i++)
			if (at[i] == b)
				return is[i];
	return b;
}

/* Length of the ASCII run in front. */
static size_t
ascii_run(struct slice s)
{
	size_t n = 0;
	uint64_t w;

	for (; s.n - n >= 8; n += 8) {
		memcpy(&w, s.p + n, 8);
		if ((w & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (n < s.n && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

/* Whether s is the beginning of a character that more bytes may complete. */
static bool
is_cut(struct slice s)
{
	unsigned char lead = (unsigned char)s.p[0];
	size_t need = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (lead > 0xf4 || s.n >= need)
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* One character from the front of *s, which is not cut. */
static void
add_char(const struct charset *c, struct slice *s, struct buf *out)
{
	struct slice from = *s;
	uint32_t cp;

	if (c->kind == LATIN1 || c->kind == LATIN9) {
		utf8_add(out, latin(c->kind, (unsigned char)s->p[0]));
	} else if (utf8_next(s, &cp)) {
		buf_add(out, from.p, from.n - s->n);
		return;
	} else {
		utf8_add(out, c->kind == UTF8
				  ? 0xfffd
				  : latin(LATIN1, (unsigned char)s->p[0]));
	}
	*s = slice_from(*s, 1);
}

static bool
waits(const struct charset *c, struct slice s)
{
	return (c->kind == UTF8 || c->kind == GUESS) && is_cut(s);
}

/* Bytes that waited, one new byte at a time until none waits. */
static void
feed_pending(struct charset *c, struct slice *in, struct buf *out)
{
	while (c->npend != 0 && in->n != 0) {
		struct slice s;

		c->pend[c->npend++] = (unsigned char)in->p[0];
		*in = slice_from(*in, 1);
		s = slice_of(c->pend, c->npend);
		while (s.n != 0 && !waits(c, s))
			add_char(c, &s, out);
		memmove(c->pend, s.p, s.n);
		c->npend = s.n;
	}
}

static void
feed_own(struct charset *c, struct slice in, struct buf *out)
{
	feed_pending(c, &in, out);
	while (in.n != 0) {
		size_t n = ascii_run(in);

		buf_add(out, in.p, n);
		in = slice_from(in, n);
		if (in.n == 0)
			return;
		if (waits(c, in)) {
			memcpy(c->pend, in.p, in.n);
			c->npend = in.n;
			return;
		}
		add_char(c, &in, out);
	}
}

/* Converts from the front of *in until it is used up or the rest is an
 * incomplete sequence. */
static void
run_iconv(struct charset *c, struct slice *in, struct buf *out)
{
	while (in->n != 0) {
		char room[1024], *to = room, *from = (char *)(uintptr_t)in->p;
		size_t left = in->n, space = sizeof(room), rc;
		int why;

		rc = iconv(c->cd, &from, &left, &to, &space);
		why = errno;
		buf_add(out, room, sizeof(room) - space);
		*in = slice_from(*in, in->n - left);
		if (rc != (size_t)-1 || (why == E2BIG && space != sizeof(room)))
			continue;
		if (why == EINVAL)
			return;
		utf8_add(out, 0xfffd);
		*in = slice_from(*in, 1);
	}
}

static void
feed_iconv(struct charset *c, struct slice in, struct buf *out)
{
	unsigned char joint[sizeof(c->pend) * 2];
	size_t n, was;
	struct slice s;

	while (c->npend != 0 && in.n != 0) {
		was = c->npend;
		n = in.n < sizeof(joint) - was ? in.n : sizeof(joint) - was;
		memcpy(joint, c->pend, was);
		memcpy(joint + was, in.p, n);
		s = slice_of(joint, was + n);
		c->npend = 0;
		run_iconv(c, &s, out);
		if (s.n > n && s.n > sizeof(c->pend)) {
			s = slice_from(s, s.n - n);
			utf8_add(out, 0xfffd);
		}
		if (s.n > n) {
			memcpy(c->pend, s.p, s.n);
			c->npend = s.n;
			in = slice_from(in, n);
		} else {
			in = slice_from(in, n - s.n);
		}
	}
	run_iconv(c, &in, out);
	if (in.n > sizeof(c->pend))
		utf8_add(out, 0xfffd);
	else if (in.n != 0)
		memcpy(c->pend, in.p, c->npend = in.n);
}

void
charset_feed(struct charset *c, struct slice in, struct buf *out_utf8)
{
	if (c->kind == ICONV)
		feed_iconv(c, in, out_utf8);
	else
		feed_own(c, in, out_utf8);
}

void
charset_finish(struct charset *c, struct buf *out_utf8)
{
	char room[64], *to = room;
	size_t space = sizeof(room);
	struct slice s = slice_of(c->pend, c->npend);

	if (c->kind == ICONV) {
		(void)iconv(c->cd, NULL, NULL, &to, &space);
		buf_add(out_utf8, room, sizeof(room) - space);
		if (s.n != 0)
			utf8_add(out_utf8, 0xfffd);
	} else {
		while (s.n != 0)
			add_char(c, &s, out_utf8);
	}
	c->npend = 0;
}

bool
charset_convert(struct buf *out_utf8, struct slice name, struct slice in)
{
	struct charset c;
	bool known = charset_init(&c, name);

	charset_feed(&c, in, out_utf8);
	charset_finish(&c, out_utf8);
	charset_fini(&c);
	return known;
}

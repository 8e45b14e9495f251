#include "imapd/resp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/b64.h"
#include "lib/base/cset.h"
#include "lib/base/utf8.h"
#include "storage/view.h"

enum { QUOTED_MAX = 1000 };

void
resp_tagged(struct buf *out, struct slice tag, enum resp_kind kind,
    const char *code, const char *text)
{
	static const char *const words[] = { " OK ", " NO ", " BAD " };

	if (tag.n != 0)
		buf_add_slice(out, tag);
	else
		buf_add_char(out, '*');
	buf_add_str(out, words[kind]);
	if (code != NULL) {
		buf_add_char(out, '[');
		buf_add_str(out, code);
		buf_add(out, "] ", 2);
	}
	buf_add_str(out, text);
	buf_add(out, "\r\n", 2);
}

void
resp_bye(struct buf *out, const char *code, const char *text)
{
	buf_add_str(out, "* BYE ");
	if (code != NULL) {
		buf_add_char(out, '[');
		buf_add_str(out, code);
		buf_add(out, "] ", 2);
	}
	buf_add_str(out, text);
	buf_add(out, "\r\n", 2);
}

void
resp_ok_code(struct buf *out, const char *text, const char *fmt, ...)
{
	char code[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(code, sizeof(code), fmt, ap);
	va_end(ap);
	resp_tagged(out, SLICE("*"), RESP_OK, code, text);
}

void
resp_continue(struct buf *out, const char *text)
{
	buf_add(out, "+ ", 2);
	buf_add_str(out, text);
	buf_add(out, "\r\n", 2);
}

void
resp_challenge(struct buf *out, struct slice bytes)
{
	buf_add(out, "+ ", 2);
	b64_encode(out, bytes);
	buf_add(out, "\r\n", 2);
}

void
resp_progress(struct buf *out, struct slice tag, uint64_t at, uint64_t goal)
{
	/* A tag may hold what ends a response code. */
	bool nil = tag.n == 0 || slice_chr(tag, ']') != tag.n;

	buf_add_str(out, "* OK [INPROGRESS (");
	if (nil)
		buf_add_str(out, "NIL");
	else
		resp_string(out, tag);
	buf_printf(
	    out, " %" PRIu64 " %" PRIu64 ")] still at work\r\n", at, goal);
}

void
resp_number(struct buf *out, uint64_t n, const char *word)
{
	buf_add(out, "* ", 2);
	buf_add_u64(out, n);
	buf_add_char(out, ' ');
	buf_add_str(out, word);
	buf_add(out, "\r\n", 2);
}

/* May it stand between quotes?  8 bits may not, before UTF-8 is enabled. */
static bool
quotable(struct slice s)
{
	if (s.n > QUOTED_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80 || s.p[i] == '\r' ||
		    s.p[i] == '\n' || s.p[i] == '\0')
			return false;
	return true;
}

void
resp_string(struct buf *out, struct slice s)
{
	size_t nuls = 0;

	if (quotable(s)) {
		buf_add_char(out, '"');
		for (size_t i = 0; i < s.n; i++) {
			if (s.p[i] == '"' || s.p[i] == '\\')
				buf_add_char(out, '\\');
			buf_add_char(out, s.p[i]);
		}
		buf_add_char(out, '"');
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		nuls += s.p[i] == '\0';
	buf_printf(out, "{%zu}\r\n", s.n - nuls);
	for (size_t i = 0; nuls != 0 && i < s.n; i++)
		if (s.p[i] != '\0')
			buf_add_char(out, s.p[i]);
	if (nuls == 0)
		buf_add_slice(out, s);
}

void
resp_nstring(struct buf *out, struct slice s)
{
	if (s.p == NULL)
		buf_add_str(out, "NIL");
	else
		resp_string(out, s);
}

enum { RECENT = 1 << 30 }; /* beside the system flags */

static const struct {
	uint32_t flag;
	const char *word;
	size_t n;
} flag_words[] = {
	{ MSG_ANSWERED, "\\Answered ", 10 },
	{ MSG_FLAGGED, "\\Flagged ", 9 },
	{ MSG_DELETED, "\\Deleted ", 9 },
	{ MSG_SEEN, "\\Seen ", 6 },
	{ MSG_DRAFT, "\\Draft ", 7 },
	{ RECENT, "\\Recent ", 8 },
};

enum { FLAG_WORDS_ROOM = 64 };

void
resp_flag_words(struct buf *out, uint32_t flags, bool recent, uint64_t keywords,
    const struct slice *names)
{
	char words[FLAG_WORDS_ROOM];
	size_t n = 0;

	flags |= recent ? RECENT : 0;
	for (size_t i = 0; i < PH_LEN(flag_words); i++)
		if (flags & flag_words[i].flag) {
			memcpy(words + n, flag_words[i].word, flag_words[i].n);
			n += flag_words[i].n;
		}
	/* Without the last blank. */
	if (n != 0)
		buf_add(out, words, n - 1);
	for (unsigned bit = 0; keywords != 0; bit++, keywords >>= 1) {
		if (!(keywords & 1) || bit >= FOLDER_KEYWORDS_MAX ||
		    names[bit].p == NULL)
			continue;
		if (n++ != 0)
			buf_add_char(out, ' ');
		buf_add_slice(out, names[bit]);
	}
}

const char *
resp_use(enum folder_use use)
{
	static const char *const words[] = {
		[USE_ARCHIVE] = "\\Archive",
		[USE_DRAFTS] = "\\Drafts",
		[USE_JUNK] = "\\Junk",
		[USE_SENT] = "\\Sent",
		[USE_TRASH] = "\\Trash",
	};

	return (size_t)use < PH_LEN(words) ? words[use] : NULL;
}

/* RFC 5530 3 */
static const struct {
	int kind;
	struct resp_fail say;
} fails[] = {
	{ ERR_INTERNAL, { "SERVERBUG", "something went wrong here" } },
	{ ERR_IO, { "UNAVAILABLE", "temporary trouble, try again" } },
	{ ERR_NOSPACE, { "UNAVAILABLE", "the disk is full, try later" } },
	{ ERR_CORRUPT, { "SERVERBUG", "what is stored here is damaged" } },
	{ ERR_NOTFOUND, { "NONEXISTENT", "no such folder" } },
	{ ERR_EXISTS, { "ALREADYEXISTS", "there is one of this name" } },
	{ ERR_INVALID, { "CANNOT", "that cannot be done" } },
	{ ERR_TOOBIG, { "TOOBIG", "the message is too large" } },
	{ ERR_QUOTA, { "OVERQUOTA", "the mailbox is full" } },
	{ ERR_DENIED, { "NOPERM", "this is not allowed" } },
	{ ERR_AUTH,
	    { "AUTHENTICATIONFAILED", "user name or password is wrong" } },
	{ ERR_BUSY, { "INUSE", "in use, try again" } },
	{ ERR_TIMEOUT, { "UNAVAILABLE", "took too long, try again" } },
	{ ERR_LIMIT, { "LIMIT", "a limit has been reached" } },
	{ ERR_UNSUPPORTED, { "CANNOT", "not supported here" } },
	{ ERR_CONFLICT, { "INUSE", "changed meanwhile, try again" } },
};

struct resp_fail
resp_fail(int kind)
{
	for (size_t i = 0; i < PH_LEN(fails); i++)
		if (fails[i].kind == kind)
			return fails[i].say;
	return (
	    struct resp_fail){ "UNAVAILABLE", "temporary trouble, try again" };
}

#include "submitd/resp.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/b64.h"

/* What an error is to the peer: temporary faults get temporary answers. */
static const struct {
	int kind;
	struct resp_fail_row row;
} fails[] = {
	{ ERR_NOSPACE,
	    { "452 4.3.1 ", "no disk space, try again later",
		"kein Speicherplatz, bitte spaeter noch einmal senden" } },
	{ ERR_QUOTA,
	    { "452 4.2.2 ", "the mailbox is full", "das Postfach ist voll" } },
	{ ERR_TOOBIG,
	    { "552 5.3.4 ", "the message is too big",
		"die E-Mail ist zu gross; kleinere Anlagen senden" } },
	{ ERR_NOTFOUND, { "550 5.1.1 ", "no such recipient here",
			    "diesen Empfaenger gibt es hier nicht" } },
	{ ERR_DENIED, { "550 5.7.1 ", "not allowed", "nicht erlaubt" } },
	{ ERR_AUTH, { "535 5.7.8 ", "user name or password is wrong",
			"Benutzername oder Passwort ist falsch" } },
	{ ERR_LIMIT, { "450 4.7.1 ", "too many, try again later",
			 "zu viele, bitte spaeter noch einmal" } },
	{ ERR_INVALID, { "501 5.5.4 ", "bad argument", "" } },
	{ ERR_UNSUPPORTED, { "504 5.5.4 ", "not supported here", "" } },
};

static const struct resp_fail_row trouble = { "451 4.3.0 ",
	"temporary trouble here, try again later",
	"voruebergehende Stoerung, bitte spaeter noch einmal senden" };

static void
put(struct buf *out, const char *head, const char *text)
{
	buf_add_str(out, head);
	buf_add_str(out, text);
	buf_add(out, "\r\n", 2);
}

void
resp_line(struct buf *out, const char *head, const char *fmt, ...)
{
	char text[480]; /* RFC 5321 4.5.3.1.5: 512 in all */
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(out, head, text);
}

void
resp_lines(struct buf *out, const char *head, const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		buf_add(out, head, 3);
		buf_add_char(out, texts[1] != NULL ? '-' : ' ');
		put(out, head + 4, *texts);
	}
}

struct resp_fail_row
resp_fail_of(int kind)
{
	for (size_t i = 0; i < PH_LEN(fails); i++)
		if (fails[i].kind == kind)
			return fails[i].row;
	return trouble;
}

void
resp_fail(struct buf *out, int kind, const char *text)
{
	struct resp_fail_row row = resp_fail_of(kind);

	put(out, row.head, text[0] != '\0' ? text : row.en);
}

void
resp_challenge(struct buf *out, struct slice bytes)
{
	buf_add(out, "334 ", 4);
	b64_encode(out, bytes);
	buf_add(out, "\r\n", 2);
}

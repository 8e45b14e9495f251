#include "submitd/resp.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/b64.h"

/* What an error is to the peer: temporary faults get temporary answers. */
static const struct {
	int kind;
	const char *head, *text;
} fails[] = {
	{ ERR_NOSPACE, "452 4.3.1 ", "no disk space, try again later" },
	{ ERR_QUOTA, "452 4.2.2 ", "the mailbox is full" },
	{ ERR_TOOBIG, "552 5.3.4 ", "the message is too big" },
	{ ERR_NOTFOUND, "550 5.1.1 ", "no such recipient here" },
	{ ERR_DENIED, "550 5.7.1 ", "not allowed" },
	{ ERR_AUTH, "535 5.7.8 ", "user name or password is wrong" },
	{ ERR_LIMIT, "450 4.7.1 ", "too many, try again later" },
	{ ERR_INVALID, "501 5.5.4 ", "bad argument" },
	{ ERR_UNSUPPORTED, "504 5.5.4 ", "not supported here" },
};

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
resp_lines(struct buf *out, const char *code, const char *enhanced,
    const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		buf_add_str(out, code);
		buf_add_char(out, texts[1] != NULL ? '-' : ' ');
		buf_add_str(out, enhanced);
		put(out, " ", *texts);
	}
}

void
resp_fail(struct buf *out, int kind, const char *text)
{
	for (size_t i = 0; i < PH_LEN(fails); i++)
		if (fails[i].kind == kind) {
			put(out, fails[i].head,
			    text[0] != '\0' ? text : fails[i].text);
			return;
		}
	put(out, "451 4.3.0 ", "temporary trouble here, try again later");
}

void
resp_challenge(struct buf *out, struct slice bytes)
{
	buf_add(out, "334 ", 4);
	b64_encode(out, bytes);
	buf_add(out, "\r\n", 2);
}

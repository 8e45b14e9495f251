#include "pop3d/resp.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/b64.h"

/* One row an error kind: RFC 2449 8.1.1 IN-USE, RFC 3206 4 AUTH, 5 SYS. */
static const struct {
	int kind;
	const char *code; /* with its blank, or "" */
	const char *text;
} fails[] = {
	{ ERR_AUTH, "[AUTH] ", "user name or password is wrong" },
	{ ERR_DENIED, "[AUTH] ", "this is not allowed" },
	{ ERR_LIMIT, "[SYS/TEMP] ", "too many attempts, try again later" },
	{ ERR_BUSY, "[IN-USE] ", "the mailbox is in use, try again later" },
	{ ERR_CORRUPT, "[SYS/TEMP] ", "this message is damaged" },
	{ ERR_NOTFOUND, "", "no such message" },
	{ ERR_TOOBIG, "", "too long" },
	{ ERR_UNSUPPORTED, "", "not supported here" },
	{ ERR_INVALID, "", "bad argument" },
};

static void
put_line(struct buf *out, const char *head, const char *fmt, va_list ap)
{
	char text[512];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	buf_add_str(out, head);
	buf_add_str(out, text);
	buf_add(out, "\r\n", 2);
}

void
resp_ok(struct buf *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(out, "+OK ", fmt, ap);
	va_end(ap);
}

void
resp_err(struct buf *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(out, "-ERR ", fmt, ap);
	va_end(ap);
}

void
resp_fail(struct buf *out, int kind, const char *text)
{
	const char *code = "[SYS/TEMP] ", *words = "try again later";

	for (size_t i = 0; i < PH_LEN(fails); i++)
		if (fails[i].kind == kind) {
			code = fails[i].code;
			words = fails[i].text;
		}
	resp_err(out, "%s%s", code, text[0] != '\0' ? text : words);
}

void
resp_challenge(struct buf *out, struct slice bytes)
{
	buf_add(out, "+ ", 2);
	b64_encode(out, bytes);
	buf_add(out, "\r\n", 2);
}

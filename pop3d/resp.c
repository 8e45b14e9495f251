#include "pop3d/resp.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/b64.h"
#include "pop3d/client.h"
#include "pop3d/text.h"

/* One row an error kind: RFC 2449 8.1.1 IN-USE, RFC 3206 4 SYS, 5 AUTH. */
static const struct {
	int kind;
	const char *code; /* or NULL */
	const char *text;
} fails[] = {
	{ ERR_AUTH, "AUTH", "user name or password is wrong" },
	{ ERR_DENIED, "AUTH", "this is not allowed" },
	{ ERR_LIMIT, "SYS/TEMP", "too many attempts, try again later" },
	{ ERR_CORRUPT, "SYS/PERM", "this message is damaged" },
	{ ERR_NOTFOUND, NULL, "no such message" },
	{ ERR_TOOBIG, NULL, "too long" },
	{ ERR_UNSUPPORTED, NULL, "not supported here" },
	{ ERR_INVALID, NULL, "bad argument" },
};

static void
put_line(struct client *c, const char *head, const char *code, const char *fmt,
    va_list ap)
{
	struct buf *out = &c->s.out;
	char text[512];

	(void)vsnprintf(text, sizeof(text), text_in(c->lang, fmt), ap);
	buf_add_str(out, head);
	if (code != NULL)
		buf_printf(out, "[%s] ", code);
	buf_add_str(out, text);
	buf_add(out, "\r\n", 2);
}

void
resp_ok(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(c, "+OK ", NULL, fmt, ap);
	va_end(ap);
}

void
resp_err(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(c, "-ERR ", NULL, fmt, ap);
	va_end(ap);
}

void
resp_code(struct client *c, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(c, "-ERR ", code, fmt, ap);
	va_end(ap);
}

void
resp_fail(struct client *c, int kind, const char *text)
{
	const char *code = "SYS/TEMP", *words = "try again later";

	for (size_t i = 0; i < PH_LEN(fails); i++)
		if (fails[i].kind == kind) {
			code = fails[i].code;
			words = fails[i].text;
		}
	if (text[0] != '\0')
		words = text_in(c->lang, text);
	else
		words = text_in(c->lang, words);
	if (code != NULL)
		resp_code(c, code, "%s", words);
	else
		resp_err(c, "%s", words);
}

void
resp_challenge(struct client *c, struct slice bytes)
{
	buf_add(&c->s.out, "+ ", 2);
	b64_encode(&c->s.out, bytes);
	buf_add(&c->s.out, "\r\n", 2);
}

void
resp_line(struct client *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_add_str(&c->s.out, text);
	buf_add(&c->s.out, "\r\n", 2);
}

void
resp_dot(struct client *c)
{
	buf_add(&c->s.out, ".\r\n", 3);
}

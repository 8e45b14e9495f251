#include "lib/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const names[ERR_COUNT] = {
	"ok",
	"internal",
	"io",
	"nospace",
	"corrupt",
	"notfound",
	"exists",
	"invalid",
	"toobig",
	"quota",
	"denied",
	"auth",
	"busy",
	"closed",
	"timeout",
	"limit",
	"unsupported",
	"conflict",
	"tls",
	"dns",
};

const char *
err_name(int kind)
{
	if (kind > 0 || kind <= -ERR_COUNT)
		return "unknown";
	return names[-kind];
}

/* A reply or a log line stays one line, whatever was printed into it. */
static void
plain(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			*s = '?';
}

int
err_set(struct err *e, int kind, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return kind;
	e->kind = kind;
	e->detail[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	plain(e->text);
	return kind;
}

void
err_detail(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(e->detail, sizeof(e->detail), fmt, ap);
	va_end(ap);
	plain(e->detail);
}

int
err_from_errno(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT: return ERR_NOSPACE;
	case ENOENT: return ERR_NOTFOUND;
	case EEXIST: return ERR_EXISTS;
	case EACCES:
	case EPERM: return ERR_DENIED;
	default: return ERR_IO;
	}
}

#include "admin/findings.h"

#include <stdarg.h>

enum { TEXT_MAX = 4 << 10 };

static const struct out_col cols[] = {
	{ "level", "LEVEL", OUT_TEXT },
	{ "check", "CHECK", OUT_TEXT },
	{ "subject", "SUBJECT", OUT_TEXT },
	{ "text", "TEXT", OUT_TEXT },
	{ "fix", "FIX", OUT_TEXT },
};

static const char *const levels[] = {
	[FINDING_OK] = "ok",
	[FINDING_WARNING] = "warning",
	[FINDING_ERROR] = "error",
};

void
findings_begin(struct findings *f, struct out *out, bool quiet)
{
	*f = (struct findings){ .out = out, .quiet = quiet };
	if (out->json)
		out_begin(out, cols, PH_LEN(cols));
}

static void
print(struct findings *f, const char *level, const char *check,
    const char *subject, const char *fix, const char *text)
{
	out_printf(f->out, "%s %s %s: %s%s%s\n", level, check, subject, text,
	    fix != NULL ? "; fix: " : "", fix != NULL ? fix : "");
}

void
findings_add(struct findings *f, enum finding_level level, const char *check,
    const char *subject, const char *fix, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	f->errors += level == FINDING_ERROR;
	f->warnings += level == FINDING_WARNING;
	if (f->quiet && level == FINDING_OK)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!f->out->json) {
		print(f, levels[level], check, subject, fix, text);
		return;
	}
	out_row(
	    f->out, json_pack("{s:s,s:s,s:o,s:o,s:o}", "level", levels[level],
			"check", check, "subject", out_str(slice_str(subject)),
			"text", out_str(slice_str(text)), "fix",
			fix != NULL ? out_str(slice_str(fix)) : json_null()));
}

void
findings_end(struct findings *f)
{
	if (f->out->json)
		out_end(f->out);
}

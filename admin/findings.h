/*
 * findings.h - what `posthof doctor` found: one line each, or JSON.
 */
#ifndef ADMIN_FINDINGS_H
#define ADMIN_FINDINGS_H

#include "admin/out.h"

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_ERROR };

struct findings {
	struct out *out;
	bool quiet; /* nothing about what is well */
	unsigned errors, warnings;
};

void findings_begin(struct findings *f, struct out *out, bool quiet);
/* "LEVEL CHECK SUBJECT: text; fix: ...".  fix may be NULL. */
void findings_add(struct findings *f, enum finding_level level,
    const char *check, const char *subject, const char *fix, const char *fmt,
    ...) PH_PRINTF(6, 7);
void findings_end(struct findings *f);

#endif

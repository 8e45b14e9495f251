/*
 * certlook.h - which of the host's certificates a client is shown for a name,
 * and whether it will do; from the files, as the next reload would read them.
 */
#ifndef ADMIN_CERTLOOK_H
#define ADMIN_CERTLOOK_H

#include "admin/findings.h"
#include "lib/base/conf.h"

enum { CERTLOOK_SOON_SEC = 7 * 86400 };

struct certlook;

/* Needs the rights that the host starts with.  What is wrong with files, by
 * themselves, becomes findings. */
struct certlook *certlook_load(
    const struct conf *conf, struct findings *f) PH_MUSTUSE;
void certlook_free(struct certlook **look);

/* Does what clients are shown for this name cover it, for more than 7 days?
 * A finding of check "certificate" about the subject; `missing` is how bad a
 * name without one is. */
void certlook_name(const struct certlook *look, struct findings *f,
    enum finding_level missing, const char *subject, const char *name);

/* How bad is an end at that time? */
enum finding_level certlook_level(int64_t now, int64_t expires_at);

#endif

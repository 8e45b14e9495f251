/*
 * hostlook.h - is the host itself as it should be?  For `posthof doctor`.
 */
#ifndef ADMIN_HOSTLOOK_H
#define ADMIN_HOSTLOOK_H

#include <jansson.h>

#include "admin/findings.h"
#include "lib/base/conf.h"

enum { HOSTLOOK_NAME_MAX = 256 };

/* The name the host greets with, lower case.  What is wrong with it becomes a
 * finding; false: it is none that certificates or the DNS could have. */
bool hostlook_name(
    const struct conf *conf, struct findings *f, char out[HOSTLOOK_NAME_MAX]);
/* Has it a dot, and is it no address?  RFC 5321 4.1.1.1. */
bool hostlook_is_name(const char *name);
/* Owner and mode of state-dir and run-dir. */
void hostlook_dirs(const struct conf *conf, struct findings *f);
/* Space, checkpoint and backup, from `posthof store facts`. */
void hostlook_store(const struct conf *conf, struct findings *f, json_t *facts,
    bool runs, int64_t now);

/* "3 days", "2 hours", "5 minutes", "40 seconds". */
void hostlook_age(int64_t sec, char out[32]);

#endif

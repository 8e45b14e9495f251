/*
 * pattern.h - LIST's wildcards, RFC 9051 6.3.9: '*' is anything, '%' anything
 * without '/'.  Time: name times pattern, whatever the wildcards.
 */
#ifndef IMAPD_PATTERN_H
#define IMAPD_PATTERN_H

#include "lib/base/arena.h"

struct pattern;

/* Prepares reference + mailbox.  NULL when it is too long to match a name. */
struct pattern *pattern_new(
    struct arena *a, struct slice reference, struct slice mailbox);
bool pattern_match(const struct pattern *p, struct slice name);
/* Does it match something below the name, whatever that is called? */
bool pattern_below(const struct pattern *p, struct slice name);

#endif

/*
 * leafcert.h - a chain as clients get it: the names of its first certificate,
 * and whether the rest leads to a CA that they know.
 */
#ifndef ADMIN_LEAFCERT_H
#define ADMIN_LEAFCERT_H

#include <stdbool.h>

#include "lib/base/slice.h"

struct leafcert;
struct leafcert_cas;

/* From PEM; NULL when there is none. */
struct leafcert *leafcert_read(struct slice chain_pem) PH_MUSTUSE;
void leafcert_free(struct leafcert **leaf);
bool leafcert_covers(const struct leafcert *leaf, const char *name);

/* A file of them, or "": the system's.  What cannot be read is no CA. */
struct leafcert_cas *leafcert_cas_new(const char *path) PH_MUSTUSE;
void leafcert_cas_free(struct leafcert_cas **cas);
/* As servers' certificates are judged, now; *why_out is a constant. */
bool leafcert_trusted(const struct leafcert *leaf,
    const struct leafcert_cas *cas, const char **why_out);

#endif

/*
 * ident.h - names, folded once: what people type becomes what the store knows.
 *
 * Lower case, domain in A-labels (IDNA 2008 by libidn2), no control bytes, no
 * '/' or "..".  Every name that enters auth/ or storage/account.h went through
 * here.
 */
#ifndef AUTH_IDENT_H
#define AUTH_IDENT_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

enum { IDENT_MAX = 320 }; /* RFC 5321 4.5.3.1: 64 + 1 + 255 */

/* "webNNNpM", NNN and M 1..99999999 without leading zero; *package_len_out
 * (may be NULL) is the length of "webNNN". */
bool ident_is_account(struct slice s, size_t *package_len_out);

/* Each folds into out[IDENT_MAX + 1], NUL-terminated; ERR_INVALID with a text
 * that names what is wrong. */
PH_MUSTUSE int ident_fold_domain(struct slice s, char *out, struct err *e);
/* "local@domain" or "@domain"; the local part keeps its bytes but is lowered;
 * UTF-8 allowed (RFC 6531). */
PH_MUSTUSE int ident_fold_address(struct slice s, char *out, struct err *e);
/* A login: an account's name or an address; "%" is not "@".  A "+detail" or
 * folder suffix stays.  *is_address_out tells which. */
PH_MUSTUSE int ident_fold_login(
    struct slice s, char *out, bool *is_address_out, struct err *e);
/* "name+suffix" at the first sep behind any '@'; *suffix_out is empty when
 * there is none. */
void ident_split_login(struct slice login, char sep, struct slice *name_out,
    struct slice *suffix_out);
PH_MUSTUSE int ident_fold_package(struct slice s, char *out, struct err *e);
PH_MUSTUSE int ident_fold_account(struct slice s, char *out, struct err *e);

#endif

/*
 * names.h - the form of the names of packages and accounts: "web100" and
 * "web100p1".  Pure.
 */
#ifndef STORAGE_NAMES_H
#define STORAGE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

enum {
	NAMES_NUMBER_MAX = 99999999,
	NAMES_PACKAGE_MAX = 11, /* bytes: "web" and 8 digits */
	NAMES_ACCOUNT_MAX = 20, /* and "p" and 8 digits */
	NAMES_DOMAIN_MAX = 255,
	NAMES_ADDRESS_MAX = 320 /* RFC 5321 4.5.3.1: 64 + 1 + 255 */
};

/* "webNNN", NNN 1..NAMES_NUMBER_MAX without leading zero. */
bool names_is_package(struct slice s);
/* "webNNNpM".  *package_out and *number_out (M) may be NULL. */
bool names_is_account(
    struct slice s, struct slice *package_out, uint64_t *number_out);
/* Something without control bytes, blanks and "/"; not a full check. */
bool names_is_domain(struct slice s);
/* "local@domain" or "@domain" without control bytes; not a full check. */
bool names_is_address(struct slice s);
/* Behind the last '@'; empty when there is none. */
struct slice names_domain_of(struct slice addr);
/* Before the last '@'; all when there is none. */
struct slice names_local_of(struct slice addr);

#endif

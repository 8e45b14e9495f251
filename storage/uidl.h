/*
 * uidl.h - POP3 unique-ids that are not the usual "UIDVALIDITY.UID": those an
 * import brought along, and those of accounts with a format of their own
 * (FORMAT 3, table uidl).  What takes a transaction is for storage/ only.
 *
 * A unique-id is made once, when its message comes into a folder, and kept in
 * the message's entry.  No two messages of an account have the same.
 */
#ifndef STORAGE_UIDL_H
#define STORAGE_UIDL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct db_txn;
struct store;

enum {
	UIDL_MAX = 70,       /* RFC 1939 7 */
	UIDL_FORMAT_MAX = 40 /* of an account's format */
};

/* %u the UID, %v the UIDVALIDITY, %% itself; with a width, zeros and hex as
 * printf has them: "%08Xu%08Xv".  Both have to be there; the longest that can
 * come of it is at most UIDL_MAX. */
bool uidl_format_ok(struct slice format);
/* The unique-id in out[UIDL_MAX]; how long it is. */
size_t uidl_render(
    struct slice format, uint32_t validity, uint32_t uid, char *out);
/* 1 to 70 bytes from 0x21 to 0x7E (RFC 1939 7). */
bool uidl_ok(struct slice text);

/* A message and the unique-id it would like; n: 0 for the usual one. */
struct uidl {
	uint64_t account;
	uint32_t validity, uid;
	uint32_t n;
	char text[UIDL_MAX];
};

/* Makes it the message's own.  One that another message of the account has, or
 * might be given by the usual rule, gets "-UID" at its end. */
PH_MUSTUSE int uidl_claim(struct db_txn *t, struct uidl *u);
/* The message has gone. */
PH_MUSTUSE int uidl_release(
    struct db_txn *t, uint64_t account, struct slice text);
/* Whose is it?  ERR_NOTFOUND. */
PH_MUSTUSE int uidl_owner(
    struct db_txn *t, uint64_t account, struct slice text, uint32_t *uid_out);
/* Has any message of the account an unusual one? */
PH_MUSTUSE int uidl_any(struct store *s, uint64_t account, bool *any_out);

#endif

/*
 * fetched.h - what POP3 has carried home: which message was sent whole, when,
 * and to whom, by the secret that logged in (an app password is a device).
 */
#ifndef STORAGE_FETCHED_H
#define STORAGE_FETCHED_H

#include <stdint.h>

#include "lib/base/err.h"
#include "storage/msg.h"

/* A POP3 login.  Writes seldom: the first time, and then once a day. */
PH_MUSTUSE int fetched_login(
    struct store *s, uint64_t account, uint32_t secret, int64_t now);

/* These were fetched.  The first time counts.  UIDs rise within a group; those
 * that are gone do no harm. */
PH_MUSTUSE int fetched_add(struct store *s, uint32_t secret, int64_t now,
    const struct msg_group *groups, size_t ngroups);

/* What the account's folders hold that some device has fetched.  Reads marks
 * and entries of all of them: for warnings and for people. */
PH_MUSTUSE int fetched_share(struct store *s, uint64_t account,
    uint64_t *messages_out, uint64_t *bytes_out);

#endif

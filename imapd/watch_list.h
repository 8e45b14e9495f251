/*
 * watch_list.h - the folders a NOTIFY watches: read, and compared with what
 * was told.  In jobs, but for watch_list_find().
 */
#ifndef IMAPD_WATCH_LIST_H
#define IMAPD_WATCH_LIST_H

#include "imapd/watch.h"

void watch_list_init(struct watch_list *l);
void watch_list_fini(struct watch_list *l);
/* The folders as they are; *l is empty before, and on failure after. */
PH_MUSTUSE int watch_list_read(
    struct client *c, struct watch *w, struct watch_list *l);
/* "* LIST (\\NoAccess ...": asked for, but not to be read (RFC 5465 3). */
void watch_list_no_access(struct client *c, const struct watch_list *l);
/* NULL: none with this id. */
struct watch_entry *watch_list_find(const struct watch_list *l, uint64_t id);
/* Reads again and tells names and subscriptions that differ (RFC 5465 5.4,
 * 5.5).  ERR_TOOBIG: too many of them. */
PH_MUSTUSE int watch_list_renew(struct client *c, struct watch *w);

#endif

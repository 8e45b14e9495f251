/*
 * mailbox.h - from a name the peer says to a folder: his own, or another's
 * that is shared with him (storage/acl.h), and what he may do there.
 *
 * Jobs only.  Own folders cost what folder_find() costs, and nothing more.
 */
#ifndef IMAPD_MAILBOX_H
#define IMAPD_MAILBOX_H

#include "imapd/client.h"
#include "storage/acl.h"

/* Who asks. */
struct acl_user mailbox_user(const struct client *c);

/*
 * The folder of this name, with its status and the peer's rights; out->name is
 * the name as it was said.  need: a sum of enum right, of which one must be
 * there.  ERR_NOTFOUND also for what he may not know of (RFC 4314 6);
 * ERR_DENIED.
 */
PH_MUSTUSE int mailbox_find(struct client *c, struct slice name, unsigned need,
    struct folder_info *out);

/* Where a new folder of this name would be made: whose, and its name there.
 * ERR_NOTFOUND, ERR_DENIED: he may make none there (RFC 4314 4: "k" right on
 * the nearest folder above it). */
struct mailbox_place {
	uint64_t account;
	struct slice name;
};
PH_MUSTUSE int mailbox_place(
    struct client *c, struct slice name, struct mailbox_place *out);
/* The name of a folder that was found, where it lives. */
struct slice mailbox_local(struct slice name);

/* "* MYRIGHTS name rights", RFC 4314 3.8 */
void mailbox_write_rights(
    struct client *c, const char *word, struct slice name, unsigned rights);

#endif

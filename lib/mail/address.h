/*
 * address.h - address lists, RFC 5322 3.4 with the obsolete forms of 4.4.
 *
 * Tolerant: whatever the bytes, a list comes back, perhaps empty.  Texts are
 * unfolded and unquoted; encoded words (RFC 2047) are left as they are.
 * Linear time; comments nest without recursion.
 */
#ifndef LIB_MAIL_ADDRESS_H
#define LIB_MAIL_ADDRESS_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

/*
 * One address.  name: display name, or the comment behind the address, p ==
 * NULL when there is neither.  route: "@a,@b" or p == NULL.  mailbox and host
 * are never NULL, empty when missing; but for a group's start mailbox is the
 * group's name and host is NULL, for its end both are NULL.
 */
struct mail_addr {
	struct mail_addr *next;
	struct slice name, route, mailbox, host;
	bool group_start, group_end;
};

/*
 * Parses a field's value into a list allocated in a.  At most `max` entries
 * (group marks count; an open group gets its end all the same); the rest is
 * ignored.  Returns the first, or NULL.  Slices point into value or a.
 */
struct mail_addr *address_parse(
    struct arena *a, struct slice value, size_t max);

/* As above, appending behind *tail (pointer to the last next pointer), which
 * moves on; returns the number of entries added. */
size_t address_append(
    struct arena *a, struct slice value, size_t max, struct mail_addr ***tail);

/* "Name <local@host>" fit for a header field: the name quoted or encoded as
 * needed.  name may be empty. */
void address_write(struct buf *out, struct slice name_utf8,
    struct slice mailbox, struct slice host);

#endif

/*
 * drop_list.h - LIST and UIDL: the messages of a maildrop that are not marked
 * and still there, by number.
 *
 * Reads the index alone, in batches; in jobs.  Unique-ids of the usual form
 * are known without it.
 */
#ifndef POP3D_DROP_LIST_H
#define POP3D_DROP_LIST_H

#include "pop3d/drop.h"

struct drop_list;

struct drop_item {
	uint32_t seq, uid;
	uint64_t size;     /* not with the usual uidl of UIDL */
	struct slice uidl; /* until the next call; p == NULL: the usual one,
			    * drop_uidvalidity() "." uid */
};

/* seq: only this one; 0: all.  uidl: sizes are not wanted. */
PH_MUSTUSE int drop_list_open(
    struct drop *d, uint32_t seq, bool uidl, struct drop_list **list_out);
/* ERR_NOTFOUND at the end. */
PH_MUSTUSE int drop_list_next(struct drop_list *l, struct drop_item *out);
void drop_list_close(struct drop_list **l);

uint32_t drop_uidvalidity(const struct drop *d);

#endif

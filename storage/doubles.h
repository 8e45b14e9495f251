/*
 * doubles.h - folders that are one thing under two names: "Gesendet" and
 * "Gesendete Objekte" beside Sent (CLIENTS U2).
 */
#ifndef STORAGE_DOUBLES_H
#define STORAGE_DOUBLES_H

#include "storage/folder.h"

struct double_folder {
	struct slice name; /* in the arena */
	uint64_t id;
	enum folder_use use;
	/* the folder that has the role; the same as name: nobody has it, and
	 * of those that might this one holds most */
	struct slice into;
	uint64_t into_id;
	uint32_t messages;
	uint64_t bytes;
	bool subscribed, into_subscribed;
	bool shared; /* others may see it: it is not merged */
};

/* Folders without a role whose name is usual for one; those that are to get it
 * first.  Memory from the arena. */
PH_MUSTUSE int doubles_find(struct store *s, uint64_t account, struct arena *a,
    struct double_folder **v_out, size_t *n_out);

/*
 * Moves its messages and the folders below it to the one that has the role,
 * subscribes that in its place and deletes it; or gives it the role.  Mail that
 * comes meanwhile is moved too, or stays where it is: nothing is deleted.
 * ERR_DENIED: it is shared; ERR_CONFLICT: what is below it is there already,
 * and stays; ERR_BUSY: mail comes faster than it is moved.
 */
PH_MUSTUSE int doubles_merge(
    struct store *s, uint64_t account, const struct double_folder *d);

#endif

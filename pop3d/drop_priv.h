/*
 * drop_priv.h - the inside of a maildrop, for drop.c and drop_list.c.
 */
#ifndef POP3D_DROP_PRIV_H
#define POP3D_DROP_PRIV_H

#include "pop3d/drop.h"
#include "storage/view.h"

/* A message of several folders together. */
struct drop_entry {
	uint32_t uid;
	uint32_t folder; /* index into folders */
	int64_t date;    /* internal */
	uint64_t size;
};

/* Do the account's messages have unique-ids of their own? */
enum drop_uidls { UIDLS_UNKNOWN, UIDLS_USUAL, UIDLS_STORED };

struct drop {
	struct store *store;
	uint64_t account;
	struct view *view; /* one folder; or: */
	struct drop_entry *items;
	uint64_t *folders;
	uint32_t nitems, nfolders;
	uint64_t bytes; /* of all, at login */
	enum drop_uidls uidls;
	uint8_t *gone; /* a bit for each */
	uint32_t ngone;
	uint8_t *sent;   /* a bit for each; NULL: none */
	uint32_t *order; /* their numbers */
	size_t nsent, sent_cap, nsure;
};

#endif

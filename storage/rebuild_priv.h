/*
 * rebuild_priv.h - what a rebuild reads of the segments, between the half that
 * reads and the half that writes.
 */
#ifndef STORAGE_REBUILD_PRIV_H
#define STORAGE_REBUILD_PRIV_H

#include "storage/folder_name.h"
#include "storage/keyword.h"
#include "storage/segment.h"
#include "storage/store_priv.h"

/* A message came into a folder. */
struct rb_place {
	uint64_t account, folder, modseq, msgid, body, keywords;
	uint32_t uid, flags;
	int64_t internal_date, save_date;
	struct slice prefix, uidl; /* in the arena */
};

/* What happened to one later. */
struct rb_change {
	uint64_t folder, modseq, state;
	uint32_t uid;
	bool gone;
};

/* A folder, by what is told of it; in the order of the notes' ids. */
struct rb_told {
	uint64_t id, folder, account, use;
	uint32_t uidvalidity;
	uint8_t tag; /* TAG_MADE, TAG_RENAMED, TAG_DELETED, TAG_KEYWORD, or
		      * TAG_PLACE: its names in a PLACE */
	struct slice name, account_name;
};

struct rb_segment {
	uint32_t number, count;
	uint64_t end;
};

#define RB_LIST(type, name) \
	struct type *name;  \
	size_t n##name, cap_##name

struct rebuild {
	struct store *s;
	struct arena arena;
	RB_LIST(rb_place, places);   /* by folder, UID, MODSEQ */
	RB_LIST(rb_change, changes); /* the same */
	RB_LIST(rb_told, tells);     /* by folder, id */
	RB_LIST(body_loc, bodies);   /* by id */
	RB_LIST(rb_segment, segs);
};

enum { TAG_PLACE = 255 };

/* Reads all segments; sorted as said. */
PH_MUSTUSE int rebuild_read(struct rebuild *r);
void rebuild_free(struct rebuild *r);
/* Ids rise; NULL: it is in no segment. */
struct body_loc *rebuild_body(struct rebuild *r, uint64_t id);

#endif

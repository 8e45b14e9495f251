/*
 * note_read.h - notes read back (FORMAT 2): for a rebuild, and to tell which
 * of a segment's are still of use.  Pure.  For storage/ only.
 */
#ifndef STORAGE_NOTE_READ_H
#define STORAGE_NOTE_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

/* FORMAT 2: tags of PLACE and CHANGE. */
enum note_tag {
	TAG_ACCOUNT_NAME = 1,
	TAG_FOLDER_NAME,
	TAG_FOLDER,
	TAG_UIDVALIDITY,
	TAG_UID,
	TAG_MSGID,
	TAG_BODY,
	TAG_FLAGS,
	TAG_KEYWORDS,
	TAG_KEYWORD_NAMES,
	TAG_INTERNAL_DATE,
	TAG_SAVE_DATE,
	TAG_MODSEQ,
	TAG_PREFIX,
	TAG_UIDL,
	TAG_ACCOUNT,
	TAG_STATE = 32,
	TAG_UIDS,
	TAG_GONE,
	TAG_KEYWORD,
	TAG_MADE,
	TAG_RENAMED,
	TAG_DELETED,
	TAG_USE
};

/* A note's fields; texts are borrowed.  p == NULL: not there. */
struct note {
	uint64_t account, folder, modseq, msgid, body;
	uint64_t uidvalidity, uid, flags, keywords, use;
	int64_t internal_date, save_date;
	struct slice account_name, folder_name, prefix, uidl, keyword_names;
	struct slice keyword, made, renamed, deleted;
	bool has_state, has_gone;
	struct slice fields; /* all, for note_each_uid() */
};

/* False: damaged. */
bool note_decode(struct slice description, struct note *out);

/* The UIDs of a CHANGE: those that are gone, and those with a new state. */
struct note_uid {
	uint32_t uid;
	bool gone;
	uint64_t state; /* flags << 48 | keyword bits */
};
/* fn's false ends it; returns whether it came to the end. */
bool note_each_uid(const struct note *n,
    bool (*fn)(const struct note_uid *u, void *arg), void *arg);

#endif

/*
 * folder_name.h - what a folder may be called, and what its name tells.
 * For storage/ only.
 */
#ifndef STORAGE_FOLDER_NAME_H
#define STORAGE_FOLDER_NAME_H

#include <stdbool.h>

#include "storage/folder.h"

struct folder_name {
	size_t n;
	char p[FOLDER_NAME_MAX];
};

/*
 * The one form of a name: NFC, "INBOX" in capitals as the first level, one
 * '/' at the end dropped (RFC 9051 6.3.4).  False: not allowed, with why.
 */
bool folder_name_fold(
    struct slice name, struct folder_name *out, const char **why_out);

static inline struct slice
folder_name_slice(const struct folder_name *f)
{
	return slice_of(f->p, f->n);
}

/* Why it is refused: it would hide what others share. */
extern const char folder_name_taken[];

bool folder_name_is_inbox(struct slice folded);
/* Is `name` below `parent`? */
bool folder_name_below(struct slice name, struct slice parent);
/* The name one level up; empty for a top level. */
struct slice folder_name_parent(struct slice name);
unsigned folder_name_levels(struct slice name);
/* The role of a usual German or English name, else USE_NONE. */
enum folder_use folder_name_use(struct slice folded);
/* INBOX first, children right behind their parent, else bytes. */
int folder_name_cmp(struct slice a, struct slice b);

#endif

/*
 * folder_tree.h - an account's folders as LIST sees them: real ones, names
 * that are only subscribed, and parents that are only names.
 */
#ifndef IMAPD_FOLDER_TREE_H
#define IMAPD_FOLDER_TREE_H

#include "lib/base/arena.h"
#include "storage/folder.h"

struct tree_node {
	struct slice name;
	const struct folder_info *info; /* NULL: only a name */
	bool exists, subscribed, children;
	/* for whoever selects */
	bool meets;           /* the selection criteria */
	bool matches;         /* a pattern */
	bool below;           /* a descendant meets the criteria */
	bool below_unmatched; /* ... and matches no pattern */
	int parent;           /* index, or -1 */
};

struct tree {
	struct tree_node *v; /* parents before children */
	size_t n;
};

/* From folder_list(); memory from the arena. */
struct tree tree_make(
    struct arena *a, const struct folder_info *infos, size_t n);
/* When `meets` and `matches` are set: fills in what is below. */
void tree_select(struct tree *t);

#endif

#include "imapd/folder_tree.h"

/* "a/b" is below "a". */
static bool
is_below(struct slice name, struct slice parent)
{
	return name.n > parent.n && name.p[parent.n] == '/' &&
	       slice_starts(name, parent);
}

/* Adds what lies between `parent` (an index or -1) and the name; returns the
 * index of the new node. */
static int
add_path(struct tree *t, struct slice name, int parent)
{
	size_t from = parent >= 0 ? t->v[parent].name.n + 1 : 0;

	for (;;) {
		size_t level = slice_chr(slice_from(name, from), '/');
		struct tree_node *node = &t->v[t->n];

		*node = (struct tree_node){ .parent = parent };
		node->name = slice_sub(name, 0, from + level);
		parent = (int)t->n++;
		if (from + level >= name.n)
			return parent;
		from += level + 1;
	}
}

static size_t
count_levels(const struct folder_info *infos, size_t n)
{
	size_t levels = 0;

	for (size_t i = 0; i < n; i++) {
		levels++;
		for (size_t k = 0; k < infos[i].name.n; k++)
			levels += infos[i].name.p[k] == '/';
	}
	return levels;
}

struct tree
tree_make(struct arena *a, const struct folder_info *infos, size_t n)
{
	struct tree t = { 0 };
	int last = -1;

	t.v = arena_alloc(a, (count_levels(infos, n) + 1) * sizeof(*t.v));
	for (size_t i = 0; i < n; i++) {
		const struct folder_info *info = &infos[i];
		struct tree_node *node;
		int up = last;

		while (up >= 0 && !is_below(info->name, t.v[up].name))
			up = t.v[up].parent;
		last = add_path(&t, info->name, up);
		node = &t.v[last];
		node->info = info;
		node->exists = info->id != 0;
		node->subscribed = (info->flags & FOLDER_SUBSCRIBED) != 0;
		if (!node->exists)
			continue;
		for (up = node->parent; up >= 0 && !t.v[up].children;
		     up = t.v[up].parent)
			t.v[up].children = true;
	}
	return t;
}

void
tree_select(struct tree *t)
{
	/* From the end, so that children are done before their parents. */
	for (size_t i = t->n; i-- > 0;) {
		struct tree_node *node = &t->v[i];
		struct tree_node *up;

		if (node->parent < 0)
			continue;
		up = &t->v[node->parent];
		up->below |= node->meets || node->below;
		up->below_unmatched |=
		    (node->meets && !node->matches) || node->below_unmatched;
	}
}

#include "imapd/watch_list.h"

#include <stdlib.h>
#include <string.h>

#include "imapd/mailbox.h"
#include "imapd/mboxname.h"
#include "lib/base/map.h"

enum { CHANGES_MAX = 1 << 20 }; /* bytes of LIST lines at once */

void
watch_list_init(struct watch_list *l)
{
	*l = (struct watch_list){ 0 };
	arena_init(&l->arena);
}

void
watch_list_fini(struct watch_list *l)
{
	arena_clear(&l->arena);
	*l = (struct watch_list){ 0 };
}

/* ---- which events of which folder ---- */

static bool
is_below(struct slice name, struct slice top)
{
	return slice_starts(name, top) &&
	       (name.n == top.n || name.p[top.n] == '/');
}

static bool
is_among(const struct notify_group *g, struct slice name)
{
	for (size_t i = 0; i < g->nnames; i++)
		if (g->who == WHO_SUBTREE ? is_below(name, g->names[i])
					  : slice_eq(name, g->names[i]))
			return true;
	return false;
}

/* RFC 5465 6.  Filters may put mail into any folder: inboxes are all that are
 * personal (6.3). */
static bool
speaks_of(const struct notify_group *g, struct slice name, bool subscribed)
{
	struct slice owner, rest;

	switch (g->who) {
	case WHO_SELECTED:
	case WHO_DELAYED: return false;
	case WHO_INBOXES:
	case WHO_PERSONAL: return !acl_is_others(name, &owner, &rest);
	case WHO_SUBSCRIBED: return subscribed;
	case WHO_SUBTREE:
	case WHO_MAILBOXES: return is_among(g, name);
	}
	return false;
}

/* NONE wins over what other groups say. */
static unsigned
events_of(const struct watch *w, struct slice name, bool subscribed)
{
	unsigned events = 0;

	for (size_t i = 0; i < w->args->n; i++) {
		const struct notify_group *g = &w->args->v[i];

		if (!speaks_of(g, name, subscribed))
			continue;
		if (g->events == 0)
			return 0;
		events |= g->events;
	}
	return events;
}

/* ---- reading ---- */

static bool
is_subscribed(const struct watch_entry *e)
{
	return (e->info.flags & FOLDER_SUBSCRIBED) != 0;
}

static int
by_id(const void *a, const void *b)
{
	uint64_t x = (*(struct watch_entry *const *)a)->info.id;
	uint64_t y = (*(struct watch_entry *const *)b)->info.id;

	return (x > y) - (x < y);
}

/* All events need the right to read, RFC 5465 5. */
static bool
may_read(const struct watch_entry *e)
{
	return e->info.id == 0 || e->info.rights & RIGHT_READ;
}

static void
add_entry(struct watch *w, struct watch_list *l, const struct folder_info *info)
{
	struct watch_entry *e = &l->v[l->n++];

	e->info = *info;
	e->asked = events_of(w, info->name, is_subscribed(e));
	e->events = may_read(e) ? e->asked : 0;
	if (info->id != 0)
		l->by_id[l->nids++] = e;
}

static void
add_owner(struct watch *w, const struct watch_entry *e)
{
	if (e->asked == 0)
		return;
	for (unsigned i = 0; i < w->nowners; i++)
		if (w->owners[i] == e->info.account)
			return;
	if (w->nowners < WATCH_OWNERS_MAX)
		w->owners[w->nowners++] = e->info.account;
}

/* A subscription to a folder of others is that folder's. */
static void
add_others(struct watch *w, struct watch_list *l, struct folder_info *more,
    size_t n, const struct map *own)
{
	w->nowners = 0;
	for (size_t i = 0; i < n; i++) {
		const struct folder_info *is = map_get(own, more[i].name);

		if (is != NULL)
			more[i].flags |= is->flags & FOLDER_SUBSCRIBED;
		add_entry(w, l, &more[i]);
		add_owner(w, &l->v[l->n - 1]);
	}
}

static void
put_together(struct watch *w, struct watch_list *l, struct folder_info *infos,
    size_t n, struct folder_info *more, size_t nmore)
{
	struct map names, own;

	l->v = arena_alloc(&l->arena, (n + nmore + 1) * sizeof(*l->v));
	l->by_id = arena_alloc(&l->arena, (n + nmore + 1) * sizeof(*l->by_id));
	map_init(&names);
	map_init(&own);
	for (size_t i = 0; i < nmore; i++)
		(void)map_put(&names, more[i].name, &more[i]);
	for (size_t i = 0; i < n; i++)
		if (infos[i].id == 0 && map_get(&names, infos[i].name) != NULL)
			(void)map_put(&own, infos[i].name, &infos[i]);
		else
			add_entry(w, l, &infos[i]);
	add_others(w, l, more, nmore, &own);
	map_fini(&names, NULL);
	map_fini(&own, NULL);
	qsort(l->by_id, l->nids, sizeof(*l->by_id), by_id);
}

int
watch_list_read(struct client *c, struct watch *w, struct watch_list *l)
{
	struct folder_info *infos, *more = NULL;
	struct acl_user u = mailbox_user(c);
	size_t n, nmore = 0;
	int rc = folder_list(
	    client_store(c), c->who.account, true, &l->arena, &infos, &n);

	if (rc == 0 && w->shared)
		rc = acl_list(
		    client_store(c), &u, true, &l->arena, &more, &nmore);
	if (rc == 0)
		put_together(w, l, infos, n, more, nmore);
	else
		watch_list_fini(l);
	return rc;
}

struct watch_entry *
watch_list_find(const struct watch_list *l, uint64_t id)
{
	size_t lo = 0, hi = l->nids;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->by_id[mid]->info.id == id)
			return l->by_id[mid];
		if (l->by_id[mid]->info.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* ---- comparing ---- */

struct renewal {
	struct client *c;
	struct watch *w;
	struct watch_list *was, now;
	struct map names; /* of now: name -> entry */
	struct map told;  /* names that have been */
	size_t from;      /* of the output */
};

static bool
too_much(const struct renewal *r)
{
	return buf_failed(&r->c->out) ||
	       buf_len(&r->c->out) - r->from > CHANGES_MAX;
}

static struct slice
parent_of(struct slice name)
{
	size_t at = slice_rchr(name, '/');

	return at == name.n ? SLICE("") : slice_sub(name, 0, at);
}

static bool
reaches(const struct watch_own *own, struct slice name)
{
	struct slice o = slice_str(own->name);

	return slice_eq(name, o) ||
	       (own->reach == OWN_ABOVE && is_below(o, name)) ||
	       (own->reach == OWN_BELOW && is_below(name, o));
}

static bool
is_own(const struct watch *w, struct slice name)
{
	for (unsigned i = 0; i < w->nown; i++)
		if (reaches(&w->own[i], name))
			return true;
	return false;
}

static void
list_line(struct client *c, struct slice name, const struct watch_entry *e,
    bool children, struct slice old_name)
{
	struct buf *out = &c->out;
	const char *use = e != NULL ? resp_use(e->info.use) : NULL;

	buf_add_str(out, "* LIST (");
	if (e == NULL || e->info.id == 0)
		buf_add_str(out, "\\NonExistent ");
	if (e != NULL && !may_read(e))
		buf_add_str(out, "\\NoAccess ");
	if (e != NULL && is_subscribed(e))
		buf_add_str(out, "\\Subscribed ");
	buf_add_str(out, children ? "\\HasChildren" : "\\HasNoChildren");
	if (use != NULL) {
		buf_add_char(out, ' ');
		buf_add_str(out, use);
	}
	buf_add_str(out, ") \"/\" ");
	mboxname_write(out, name, client_utf8(c));
	if (old_name.n != 0) {
		buf_add_str(out, " (\"OLDNAME\" (");
		mboxname_write(out, old_name, client_utf8(c));
		buf_add_str(out, "))");
	}
	buf_add(out, "\r\n", 2);
}

/* Has something a name like this in front?  For names that are none. */
static bool
has_children(const struct renewal *r, struct slice name)
{
	for (size_t i = 0; i < r->now.n; i++) {
		struct slice other = r->now.v[i].info.name;

		if (other.n > name.n && is_below(other, name) &&
		    r->now.v[i].info.id != 0)
			return true;
	}
	return false;
}

/* Each name once; was: told of it so far, or NULL. */
static void
tell(struct renewal *r, struct slice name, const struct watch_entry *was,
    unsigned event, struct slice old_name)
{
	struct watch_entry *e = map_get(&r->names, name);
	bool subscribed = (e != NULL && is_subscribed(e)) ||
			  (was != NULL && is_subscribed(was));

	if (!(events_of(r->w, name, subscribed) & event) ||
	    map_put(&r->told, name, r) != NULL)
		return;
	list_line(r->c, name, e,
	    e != NULL && e->info.id != 0 ? e->info.has_children
					 : has_children(r, name),
	    old_name);
}

/* RFC 5465 5.4: the parent is affected too, whether it is there or not. */
static void
tell_born_or_gone(
    struct renewal *r, struct slice name, const struct watch_entry *was)
{
	if (is_own(r->w, name))
		return;
	tell(r, name, was, EV_NAME, SLICE(""));
	if (parent_of(name).n != 0)
		tell(r, parent_of(name), NULL, EV_NAME, SLICE(""));
}

/* RFC 5465 5.4: children of what is renamed are not spoken of. */
static bool
went_with_parent(const struct renewal *r, struct slice from, struct slice to)
{
	struct slice a = parent_of(from), b = parent_of(to);
	const struct watch_entry *e;

	if (a.n == 0 || b.n == 0 || slice_eq(a, b) ||
	    !slice_eq(slice_from(from, a.n), slice_from(to, b.n)))
		return false;
	e = map_get(&r->names, b);
	e = e != NULL ? watch_list_find(r->was, e->info.id) : NULL;
	return e != NULL && slice_eq(e->info.name, a);
}

static void
compare_folder(struct renewal *r, struct watch_entry *now)
{
	struct watch_entry *was = watch_list_find(r->was, now->info.id);
	struct slice to = now->info.name;

	if (was == NULL) {
		tell_born_or_gone(r, to, NULL);
		/* What it holds already came after it was made. */
		if (now->info.status.uidnext != 1) {
			now->info.status.messages = 0;
			now->info.status.uidnext = 1;
			now->dirty = r->w->any_dirty = true;
		}
		return;
	}
	now->info.status = was->info.status;
	now->own_messages = was->own_messages;
	now->own_uidnext = was->own_uidnext;
	now->dirty = was->dirty;
	/* RFC 5465 5.9 */
	if (may_read(was) != may_read(now) && now->asked != 0)
		tell(r, to, NULL, now->asked, SLICE(""));
	if (!slice_eq(was->info.name, to) && !is_own(r->w, to) &&
	    !went_with_parent(r, was->info.name, to))
		tell(r, to, NULL, EV_NAME, was->info.name);
}

/* RFC 5465 5.5.  The name is what is subscribed, not the folder. */
static void
compare_subscription(
    struct renewal *r, const struct watch_entry *was, struct slice name)
{
	const struct watch_entry *now = map_get(&r->names, name);
	bool a = was != NULL && is_subscribed(was);
	bool b = now != NULL && is_subscribed(now);

	if (a != b && !is_own(r->w, name))
		tell(r, name, was, EV_SUBSCRIPTION, SLICE(""));
}

static void
compare(struct renewal *r)
{
	struct map old;

	map_init(&old);
	for (size_t i = 0; i < r->was->n; i++)
		(void)map_put(&old, r->was->v[i].info.name, &r->was->v[i]);
	for (size_t i = 0; i < r->now.n && !too_much(r); i++) {
		struct watch_entry *e = &r->now.v[i];

		if (e->info.id != 0)
			compare_folder(r, e);
	}
	for (size_t i = 0; i < r->was->n && !too_much(r); i++) {
		const struct watch_entry *e = &r->was->v[i];

		if (e->info.id != 0 &&
		    watch_list_find(&r->now, e->info.id) == NULL)
			tell_born_or_gone(r, e->info.name, e);
		compare_subscription(r, e, e->info.name);
	}
	for (size_t i = 0; i < r->now.n && !too_much(r); i++)
		if (map_get(&old, r->now.v[i].info.name) == NULL)
			compare_subscription(r, NULL, r->now.v[i].info.name);
	map_fini(&old, NULL);
}

void
watch_list_no_access(struct client *c, const struct watch_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct watch_entry *e = &l->v[i];

		if (e->asked != 0 && !may_read(e))
			list_line(c, e->info.name, e, e->info.has_children,
			    SLICE(""));
	}
}

int
watch_list_renew(struct client *c, struct watch *w)
{
	struct renewal r = {
		.c = c, .w = w, .was = &w->list, .from = buf_len(&c->out)
	};
	bool full;
	int rc;

	watch_list_init(&r.now);
	if ((rc = watch_list_read(c, w, &r.now)) != 0)
		return rc;
	map_init(&r.names);
	map_init(&r.told);
	for (size_t i = 0; i < r.now.n; i++)
		(void)map_put(&r.names, r.now.v[i].info.name, &r.now.v[i]);
	compare(&r);
	full = too_much(&r);
	map_fini(&r.names, NULL);
	map_fini(&r.told, NULL);
	watch_list_fini(&w->list);
	w->list = r.now;
	return full ? ERR_TOOBIG : 0;
}

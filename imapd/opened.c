#include "imapd/opened.h"

#include <stdlib.h>

#include "imapd/app.h"
#include "imapd/cmd.h"
#include "lib/base/mem.h"
#include "storage/generation.h"

enum { PLACES = 1024 }; /* the newer takes the older's place */

struct openeds {
	struct opened v[PLACES];
};

struct openeds *
openeds_new(void)
{
	return xcalloc(1, sizeof(struct openeds));
}

static void
forget(struct opened *o)
{
	if (o->names != NULL)
		arena_clear(&o->names->arena);
	free(o->names);
	free(o->name);
	*o = (struct opened){ 0 };
}

void
openeds_free(struct openeds **op)
{
	if (*op != NULL)
		for (size_t i = 0; i < PLACES; i++)
			forget(&(*op)->v[i]);
	free(*op);
	*op = NULL;
}

static struct opened *
place_of(struct client *c, struct slice name)
{
	uint64_t h = c->who.account * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * UINT64_C(0x100000001b3);
	return &app_of(c->sl)->openeds->v[(h >> 32) % PLACES];
}

struct keyword_names *
opened_names(const struct keyword_names *names)
{
	struct keyword_names *copy;

	if (names == NULL)
		return NULL;
	copy = xcalloc(1, sizeof(*copy));
	arena_init(&copy->arena);
	for (size_t i = 0; i < FOLDER_KEYWORDS_MAX; i++)
		if (names->v[i].p != NULL)
			copy->v[i] = arena_copy(&copy->arena, names->v[i]);
	return copy;
}

void
opened_learn(struct client *c)
{
	const struct selected *sel = c->sel;
	struct opened *o;

	if (sel == NULL || sel->view == NULL || sel->name == NULL)
		return;
	o = place_of(c, slice_str(sel->name));
	forget(o);
	o->account = c->who.account;
	o->name = xstrdup(sel->name);
	o->info = sel->info;
	o->info.name = (struct slice){ NULL, 0 };
	o->name_generation = sel->name_generation;
	o->keyword_generation = sel->keyword_generation;
	o->known = sel->known;
	o->names = opened_names(sel->names);
}

const struct opened *
opened_find(struct client *c, struct slice name)
{
	const struct opened *o = place_of(c, name);
	const struct store *s = client_store(c);

	if (o->account != c->who.account || o->account == 0 ||
	    !slice_eq(slice_str(o->name), name) ||
	    generation_of(s, o->account) != o->name_generation ||
	    generation_of(s, o->info.id) != o->keyword_generation)
		return NULL;
	return o;
}

#include "submitd/fresh.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

struct fresh {
	struct server *srv;
	void (*arrived)(struct server_loop *sl);
	struct loop_msg msg;
	atomic_bool open;
	pthread_mutex_t lock;
	struct map reserved; /* id: whatever but NULL, see set_changed() */
	struct errand_list brought;
	bool posted; /* msg is under way, */
	bool dead;   /* and the last to need this */
};

struct fresh *
fresh_new(struct server *srv, void (*arrived)(struct server_loop *sl))
{
	struct fresh *f = xcalloc(1, sizeof(*f));

	f->srv = srv;
	f->arrived = arrived;
	pthread_mutex_init(&f->lock, NULL);
	map_init(&f->reserved);
	TAILQ_INIT(&f->brought);
	return f;
}

static void
free_it(struct fresh *f)
{
	pthread_mutex_destroy(&f->lock);
	free(f);
}

void
fresh_free(struct fresh **fp)
{
	struct fresh *f = *fp;
	struct errand *e;

	*fp = NULL;
	if (f == NULL)
		return;
	while ((e = TAILQ_FIRST(&f->brought)) != NULL) {
		TAILQ_REMOVE(&f->brought, e, link);
		errand_free(&e);
	}
	map_fini(&f->reserved, NULL);
	f->dead = f->posted;
	if (!f->dead)
		free_it(f);
}

void
fresh_set_open(struct fresh *f, bool open)
{
	atomic_store(&f->open, open);
}

bool
fresh_reserve(struct fresh *f, const uint64_t *ids, size_t n)
{
	if (!atomic_load(&f->open))
		return false;
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < n; i++)
		(void)map_put_u64(&f->reserved, ids[i], f);
	pthread_mutex_unlock(&f->lock);
	return true;
}

void
fresh_release(struct fresh *f, const uint64_t *ids, size_t n)
{
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < n; i++)
		(void)map_del_u64(&f->reserved, ids[i]);
	pthread_mutex_unlock(&f->lock);
}

/* A reserved row has f for its value, a changed one something else. */
static void
set_changed(struct fresh *f, uint64_t id)
{
	(void)map_put_u64(&f->reserved, id, &f->msg);
}

static void
on_msg(struct loop_msg *m)
{
	struct fresh *f = PH_CONTAINER(m, struct fresh, msg);

	if (f->dead) {
		free_it(f);
		return;
	}
	pthread_mutex_lock(&f->lock);
	f->posted = false;
	pthread_mutex_unlock(&f->lock);
	f->arrived(&f->srv->loops[0]);
}

void
fresh_bring(struct fresh *f, struct errand_list *list, bool good)
{
	const struct errand *e;
	bool post;

	pthread_mutex_lock(&f->lock);
	if (!good)
		TAILQ_FOREACH(e, list, link)
			set_changed(f, e->row.id);
	TAILQ_CONCAT(&f->brought, list, link);
	post = !f->posted;
	f->posted = true;
	pthread_mutex_unlock(&f->lock);
	if (!post)
		return;
	f->msg.fn = on_msg;
	loop_post(f->srv->loops[0].loop, &f->msg);
}

bool
fresh_has(struct fresh *f, uint64_t id)
{
	bool has;

	pthread_mutex_lock(&f->lock);
	has = map_get_u64(&f->reserved, id) != NULL;
	pthread_mutex_unlock(&f->lock);
	return has;
}

void
fresh_changed(struct fresh *f, uint64_t id)
{
	pthread_mutex_lock(&f->lock);
	if (map_get_u64(&f->reserved, id) != NULL)
		set_changed(f, id);
	pthread_mutex_unlock(&f->lock);
}

struct errand *
fresh_take(struct fresh *f, bool *as_is_out)
{
	struct errand *e;

	pthread_mutex_lock(&f->lock);
	if ((e = TAILQ_FIRST(&f->brought)) != NULL) {
		TAILQ_REMOVE(&f->brought, e, link);
		*as_is_out = map_del_u64(&f->reserved, e->row.id) == f;
	}
	pthread_mutex_unlock(&f->lock);
	return e;
}

#include "storage/shelf.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "storage/store_priv.h"

enum { KEEP_BYTES = 64 << 20 };

struct shelf {
	pthread_mutex_t lock;
	struct map books[SHELF_KINDS]; /* by folder */
	struct book *newest, *oldest;
	size_t bytes;
};

struct shelf *
shelf_new(void)
{
	struct shelf *sh = xcalloc(1, sizeof(*sh));

	pthread_mutex_init(&sh->lock, NULL);
	for (size_t i = 0; i < SHELF_KINDS; i++)
		map_init(&sh->books[i]);
	return sh;
}

static void
unlink_book(struct shelf *sh, struct book *b)
{
	if (b->newer != NULL)
		b->newer->older = b->older;
	else
		sh->newest = b->older;
	if (b->older != NULL)
		b->older->newer = b->newer;
	else
		sh->oldest = b->newer;
	b->newer = b->older = NULL;
}

static void
link_newest(struct shelf *sh, struct book *b)
{
	b->older = sh->newest;
	if (sh->newest != NULL)
		sh->newest->newer = b;
	else
		sh->oldest = b;
	sh->newest = b;
}

void
shelf_free(struct shelf **shp)
{
	struct shelf *sh = *shp;
	struct book *b;

	*shp = NULL;
	if (sh == NULL)
		return;
	while ((b = sh->oldest) != NULL) {
		unlink_book(sh, b);
		b->free(b);
	}
	for (size_t i = 0; i < SHELF_KINDS; i++)
		map_fini(&sh->books[i], NULL);
	pthread_mutex_destroy(&sh->lock);
	free(sh);
}

struct book *
shelf_take(struct store *s, uint64_t folder, enum shelf_kind kind,
    struct book *(*make)(void))
{
	struct shelf *sh = s->shelf;
	struct book *b;

	pthread_mutex_lock(&sh->lock);
	b = map_get_u64(&sh->books[kind], folder);
	if (b == NULL) {
		b = make();
		b->folder = folder;
		b->kind = kind;
		b->refs = 1; /* the shelf's own */
		b->bytes = 0;
		map_put_u64(&sh->books[kind], folder, b);
	} else {
		unlink_book(sh, b);
	}
	link_newest(sh, b);
	b->refs++;
	pthread_mutex_unlock(&sh->lock);
	return b;
}

/* Is it (still) on the shelf? */
static bool
on_shelf(struct shelf *sh, struct book *b)
{
	return map_get_u64(&sh->books[b->kind], b->folder) == b;
}

/* Takes the oldest off until the rest fits; those that nobody has are chained
 * for the caller to free. */
static struct book *
evict(struct shelf *sh)
{
	struct book *out = NULL, *b;

	while (sh->bytes > KEEP_BYTES && (b = sh->oldest) != NULL) {
		unlink_book(sh, b);
		map_del_u64(&sh->books[b->kind], b->folder);
		sh->bytes -= b->bytes;
		if (--b->refs != 0)
			continue;
		b->older = out;
		out = b;
	}
	return out;
}

void
shelf_give(struct store *s, struct book **bp, size_t bytes)
{
	struct shelf *sh = s->shelf;
	struct book *b = *bp, *out, *next;

	*bp = NULL;
	if (b == NULL)
		return;
	pthread_mutex_lock(&sh->lock);
	if (on_shelf(sh, b)) {
		sh->bytes += bytes - b->bytes;
		b->bytes = bytes;
	}
	out = evict(sh);
	/* Just taken off with the last reference, or long before. */
	if (--b->refs == 0) {
		b->older = out;
		out = b;
	}
	pthread_mutex_unlock(&sh->lock);
	for (; out != NULL; out = next) {
		next = out->older;
		out->free(out);
	}
}

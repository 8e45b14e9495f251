#include "storage/entries.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "storage/shelf.h"

enum { BLOCK = 64 }; /* messages; bits of `known` */

struct block {
	uint64_t known;
	struct entry_brief v[BLOCK];
};

struct entries {
	struct book book;
	pthread_mutex_t lock;
	uint64_t account;  /* 0: not said yet */
	struct map blocks; /* UID / BLOCK -> struct block */
};

static struct entries *
of(struct book *b)
{
	return PH_CONTAINER(b, struct entries, book);
}

static void
entries_free(struct book *b)
{
	struct entries *e = of(b);

	map_fini(&e->blocks, free);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static struct book *
entries_make(void)
{
	struct entries *e = xcalloc(1, sizeof(*e));

	e->book.free = entries_free;
	pthread_mutex_init(&e->lock, NULL);
	map_init(&e->blocks);
	return &e->book;
}

struct entries *
entries_take(struct store *s, uint64_t folder)
{
	return of(shelf_take(s, folder, SHELF_ENTRIES, entries_make));
}

void
entries_give(struct store *s, struct entries **ep)
{
	struct entries *e = *ep;
	struct book *b = e != NULL ? &e->book : NULL;
	size_t bytes = 0;

	*ep = NULL;
	if (e != NULL) {
		pthread_mutex_lock(&e->lock);
		bytes = sizeof(*e) + e->blocks.n * (sizeof(struct block) + 64);
		pthread_mutex_unlock(&e->lock);
	}
	shelf_give(s, &b, bytes);
}

static bool
get_all(
    struct entries *e, const uint32_t *uids, size_t n, struct entry_brief *out)
{
	const struct block *b = NULL;
	uint32_t nr = 0;

	for (size_t i = 0; i < n; i++) {
		if (b == NULL || uids[i] / BLOCK != nr) {
			nr = uids[i] / BLOCK;
			b = map_get_u64(&e->blocks, nr);
		}
		if (b == NULL || !(b->known >> uids[i] % BLOCK & 1))
			return false;
		out[i] = b->v[uids[i] % BLOCK];
	}
	return true;
}

bool
entries_get(struct entries *e, uint64_t account, const uint32_t *uids, size_t n,
    struct entry_brief *out)
{
	bool all;

	pthread_mutex_lock(&e->lock);
	all = e->account == account && get_all(e, uids, n, out);
	pthread_mutex_unlock(&e->lock);
	return all;
}

void
entries_add(
    struct entries *e, uint64_t account, uint32_t uid, const struct entry *row)
{
	struct block *b;

	pthread_mutex_lock(&e->lock);
	e->account = account;
	b = map_get_u64(&e->blocks, uid / BLOCK);
	if (b == NULL) {
		b = xcalloc(1, sizeof(*b));
		map_put_u64(&e->blocks, uid / BLOCK, b);
	}
	b->v[uid % BLOCK] = entry_brief(row);
	b->known |= UINT64_C(1) << uid % BLOCK;
	pthread_mutex_unlock(&e->lock);
}

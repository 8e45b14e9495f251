/*
 * map.h - a hash table from bytes to a pointer.
 *
 * Keys are copied; values are the caller's.  Seeded per process, so a peer
 * cannot aim collisions.  Not locked.
 */
#ifndef LIB_BASE_MAP_H
#define LIB_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct map_node;

struct map {
	struct map_node **slots;
	size_t nslots; /* a power of two, or 0 */
	size_t n;      /* entries */
};

/* A secret number of this process, for whoever hashes what peers choose. */
uint64_t map_seed(void);

void map_init(struct map *m);
/* Frees nodes and keys; values first go to free_value, if any. */
void map_fini(struct map *m, void (*free_value)(void *value));

/* The value, or NULL. */
void *map_get(const struct map *m, struct slice key);
/* Sets the value; returns the one it replaces, or NULL. */
void *map_put(struct map *m, struct slice key, void *value);
/* Removes; returns the value, or NULL. */
void *map_del(struct map *m, struct slice key);

/* The same with a number as key. */
void *map_get_u64(const struct map *m, uint64_t key);
void *map_put_u64(struct map *m, uint64_t key, void *value);
void *map_del_u64(struct map *m, uint64_t key);

/* Walks all entries in no order; stops when fn returns false.  fn must not
 * change the map. */
void map_each(const struct map *m,
    bool (*fn)(struct slice key, void *value, void *arg), void *arg);

#endif

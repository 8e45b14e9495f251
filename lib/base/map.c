#include "lib/base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/mem.h"

struct map_node {
	struct map_node *next;
	void *value;
	uint64_t hash;
	size_t n;
	char key[];
};

/* One seed per process; set on first use, the same for every map. */
uint64_t
map_seed(void)
{
	static _Atomic uint64_t made;
	uint64_t v = made, zero = 0;

	if (v != 0)
		return v;
	if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
		v = (uint64_t)(uintptr_t)&made;
	v |= 1;
	if (!__atomic_compare_exchange_n((uint64_t *)&made, &zero, v, false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		v = zero;
	return v;
}

/* Multiply and fold, eight bytes a step. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ UINT64_C(0x9e3779b97f4a7c15)) *
			(b ^ UINT64_C(0xe7037ed1a0b428db));

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t
hash_of(struct slice key)
{
	uint64_t h = map_seed(), word;

	for (; key.n >= 8; key = slice_from(key, 8)) {
		memcpy(&word, key.p, 8);
		h = mix(h, word);
	}
	word = key.n;
	for (size_t i = 0; i < key.n; i++)
		word = word << 8 | (unsigned char)key.p[i];
	return mix(h, word);
}

void
map_init(struct map *m)
{
	*m = (struct map){ 0 };
}

void
map_fini(struct map *m, void (*free_value)(void *value))
{
	for (size_t i = 0; i < m->nslots; i++) {
		struct map_node *node = m->slots[i], *next;

		for (; node != NULL; node = next) {
			next = node->next;
			if (free_value != NULL)
				free_value(node->value);
			free(node);
		}
	}
	free(m->slots);
	map_init(m);
}

/* Where the pointer to the key's node is, or would be put. */
static struct map_node **
find(const struct map *m, struct slice key, uint64_t hash)
{
	struct map_node **at;

	if (m->nslots == 0)
		return NULL;
	at = &m->slots[hash & (m->nslots - 1)];
	while (
	    *at != NULL && ((*at)->hash != hash ||
			       !slice_eq(slice_of((*at)->key, (*at)->n), key)))
		at = &(*at)->next;
	return at;
}

void *
map_get(const struct map *m, struct slice key)
{
	struct map_node **at = find(m, key, hash_of(key));

	return at != NULL && *at != NULL ? (*at)->value : NULL;
}

static void
grow(struct map *m)
{
	size_t old = m->nslots;
	struct map_node **was = m->slots;

	m->nslots = old != 0 ? old * 2 : 16;
	m->slots = xcalloc(m->nslots, sizeof(struct map_node *));
	for (size_t i = 0; i < old; i++) {
		struct map_node *node = was[i], *next;

		for (; node != NULL; node = next) {
			struct map_node **to =
			    &m->slots[node->hash & (m->nslots - 1)];

			next = node->next;
			node->next = *to;
			*to = node;
		}
	}
	free(was);
}

void *
map_put(struct map *m, struct slice key, void *value)
{
	uint64_t hash = hash_of(key);
	struct map_node **at, *node;
	void *old;

	if (m->n >= m->nslots)
		grow(m);
	at = find(m, key, hash);
	if (*at != NULL) {
		old = (*at)->value;
		(*at)->value = value;
		return old;
	}
	node = xmalloc(sizeof(*node) + key.n);
	*node = (struct map_node){ .value = value, .hash = hash, .n = key.n };
	if (key.n != 0)
		memcpy(node->key, key.p, key.n);
	*at = node;
	m->n++;
	return NULL;
}

void *
map_del(struct map *m, struct slice key)
{
	struct map_node **at = find(m, key, hash_of(key)), *node;
	void *value;

	if (at == NULL || (node = *at) == NULL)
		return NULL;
	value = node->value;
	*at = node->next;
	free(node);
	m->n--;
	return value;
}

void *
map_get_u64(const struct map *m, uint64_t key)
{
	return map_get(m, slice_of(&key, sizeof(key)));
}

void *
map_put_u64(struct map *m, uint64_t key, void *value)
{
	return map_put(m, slice_of(&key, sizeof(key)), value);
}

void *
map_del_u64(struct map *m, uint64_t key)
{
	return map_del(m, slice_of(&key, sizeof(key)));
}

void
map_each(const struct map *m,
    bool (*fn)(struct slice key, void *value, void *arg), void *arg)
{
	for (size_t i = 0; i < m->nslots; i++)
		for (struct map_node *n = m->slots[i]; n != NULL; n = n->next)
			if (!fn(slice_of(n->key, n->n), n->value, arg))
				return;
}

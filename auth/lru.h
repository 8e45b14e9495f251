/*
 * lru.h - a list in order of last use, threaded through the objects in it.
 */
#ifndef AUTH_LRU_H
#define AUTH_LRU_H

#include <stdbool.h>

struct lru_node {
	struct lru_node *prev, *next;
};

/* The list's head is a node too: next is the newest, prev the oldest. */
void lru_init(struct lru_node *head);
/* Puts a node that is in no list in front. */
void lru_add(struct lru_node *head, struct lru_node *node);
/* Moves a node of the list to the front. */
void lru_use(struct lru_node *head, struct lru_node *node);
void lru_del(struct lru_node *node);
/* NULL when empty. */
struct lru_node *lru_oldest(struct lru_node *head);

#endif

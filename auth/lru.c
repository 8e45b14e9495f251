#include "auth/lru.h"

#include <stddef.h>

void
lru_init(struct lru_node *head)
{
	head->prev = head->next = head;
}

static bool
lru_empty(const struct lru_node *head)
{
	return head->next == head;
}

void
lru_add(struct lru_node *head, struct lru_node *node)
{
	node->prev = head;
	node->next = head->next;
	head->next->prev = node;
	head->next = node;
}

void
lru_del(struct lru_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->prev = node->next = NULL;
}

void
lru_use(struct lru_node *head, struct lru_node *node)
{
	lru_del(node);
	lru_add(head, node);
}

struct lru_node *
lru_oldest(struct lru_node *head)
{
	return lru_empty(head) ? NULL : head->prev;
}

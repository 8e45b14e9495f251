/*
 * parse_sort.h - arguments of SORT and THREAD, RFC 5256 5.
 */
#ifndef IMAPD_PARSE_SORT_H
#define IMAPD_PARSE_SORT_H

#include "imapd/order.h"
#include "imapd/parse_search.h"

struct args_sort {
	struct args_search search;
	struct order_by by[ORDER_MAX];
	size_t nby;
	bool by_references; /* THREAD: not ORDEREDSUBJECT */
	bool refs;          /* ... but REFS */
};
bool parse_sort(struct parse *p, void **args_out);
bool parse_thread(struct parse *p, void **args_out);

#endif

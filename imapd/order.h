/*
 * order.h - what SORT and THREAD need to know of a message, and how it
 * compares (RFC 5256, RFC 5957).
 */
#ifndef IMAPD_ORDER_H
#define IMAPD_ORDER_H

#include "lib/base/arena.h"
#include "storage/msg.h"

enum order_key {
	OK_ARRIVAL,
	OK_CC,
	OK_DATE,
	OK_FROM,
	OK_SIZE,
	OK_SUBJECT,
	OK_TO,
	OK_DISPLAYFROM,
	OK_DISPLAYTO
};

struct order_by {
	enum order_key key;
	bool reverse;
};

enum { ORDER_MAX = 20 }; /* criteria of one SORT */

/* One message; only what was asked for is filled in.  Texts are folded
 * (fold.h) and in the arena. */
struct order_msg {
	uint32_t seq;
	int64_t arrival, date;
	uint64_t size;
	uint64_t subject_id; /* equal when the subjects are; 0: none */
	struct slice subject, cc, from, to, shown_from, shown_to;
	bool is_reply;
};

enum {
	ORDER_WANT_DATE = 1,
	ORDER_WANT_SUBJECT = 2,
	ORDER_WANT_ADDRESSES = 4,
	ORDER_WANT_SHOWN = 8
};

/* Stands for a text in this process: equal for equal ones, and for no others
 * that anybody could make; 0 for none. */
uint64_t order_id(struct slice text);
unsigned order_wants(const struct order_by *by, size_t n);
/* headers: the message's header block, or the fields kept of it. */
void order_fill(struct arena *a, unsigned wants, const struct msg_meta *m,
    struct slice headers, struct order_msg *out);
void order_sort(
    struct order_msg *v, size_t n, const struct order_by *by, size_t nby);

#endif

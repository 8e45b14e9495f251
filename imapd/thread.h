/*
 * thread.h - messages into conversations: THREAD=ORDEREDSUBJECT and
 * THREAD=REFERENCES, RFC 5256 3.
 *
 * Pure.  Time is n log n whatever the messages refer to; trees may be as deep
 * as there are messages, and nothing here recurses.
 */
#ifndef IMAPD_THREAD_H
#define IMAPD_THREAD_H

#include "imapd/order.h"
#include "lib/base/buf.h"
#include "lib/base/map.h"

/* Nodes by index; 0 is the root, and none. */
struct thread_node {
	uint32_t parent, child, last, next, prev;
	uint32_t seq; /* 0: a dummy */
	int64_t date;
	struct slice subject; /* base, folded */
	bool is_reply;
};

struct thread {
	struct thread_node *v;
	size_t n, cap;
	size_t added;   /* messages */
	struct map ids; /* message id -> index */
};

void thread_init(struct thread *t);
void thread_fini(struct thread *t);

/*
 * Adds a message, in rising order of numbers; headers hold Message-ID,
 * References and In-Reply-To.  The subject must live as long as t.
 */
void thread_add(
    struct thread *t, const struct order_msg *m, struct slice headers);
/* When all are there: the conversations, in order, are children of 0. */
void thread_by_references(struct thread *t);
/* The other way, without thread_add(). */
void thread_by_subject(struct thread *t, struct order_msg *v, size_t n);

/* Appends "(2)" or "(3 6 (4 23)(44 7 96))": the conversation that begins at
 * this node.  number() tells what a message number is to be called. */
void thread_write(const struct thread *t, uint32_t node, struct buf *out,
    uint32_t (*number)(uint32_t seq, void *arg), void *arg);

#endif

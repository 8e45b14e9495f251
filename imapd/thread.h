/*
 * thread.h - messages into conversations: THREAD=ORDEREDSUBJECT and
 * THREAD=REFERENCES, RFC 5256 3, and THREAD=REFS.
 *
 * Pure.  Time is n log n whatever the messages refer to; trees may be as deep
 * as there are messages, and nothing here recurses.
 */
#ifndef IMAPD_THREAD_H
#define IMAPD_THREAD_H

#include "imapd/order.h"
#include "lib/base/buf.h"

/* Nodes by index; 0 is the root, and none. */
struct thread_node {
	uint32_t parent, child, last, next, prev;
	uint32_t seq; /* 0: a dummy */
	int64_t date, arrival;
	uint64_t subject; /* order_id() of the base subject */
	bool is_reply;
};

/* Open addressing; an index of 0 is an empty slot. */
struct id_map {
	struct id_slot {
		uint64_t id;
		uint32_t i;
	} * v;
	size_t n, cap; /* a power of two, or 0 */
};

struct thread {
	struct thread_node *v;
	size_t n, cap;
	size_t added; /* messages */
	struct id_map ids;
};

enum { THREAD_REFS_MAX = 100 }; /* of one message */

/* Message ids that a header has, as order_id(). */
struct thread_ids {
	uint64_t own; /* 0: none */
	/* References, or else the first of In-Reply-To */
	size_t n;
	const uint64_t *refs;
};
struct thread_ids thread_ids(
    struct slice headers, uint64_t refs[THREAD_REFS_MAX]);

void thread_init(struct thread *t);
void thread_fini(struct thread *t);
/* Room for so many, in one go; before the first. */
void thread_expect(struct thread *t, size_t messages);

/* Adds a message, in rising order of numbers. */
void thread_add(
    struct thread *t, const struct order_msg *m, const struct thread_ids *ids);
/* When all are there: the conversations, in order, are children of 0. */
void thread_by_references(struct thread *t);
/* The same by ids alone; what has the latest arrival comes last. */
void thread_by_refs(struct thread *t);
/* The other way, without thread_add(). */
void thread_by_subject(struct thread *t, struct order_msg *v, size_t n);

/* Appends "(2)" or "(3 6 (4 23)(44 7 96))": the conversation that begins at
 * this node.  number() tells what a message number is to be called. */
void thread_write(const struct thread *t, uint32_t node, struct buf *out,
    uint32_t (*number)(uint32_t seq, void *arg), void *arg);

#endif

/*
 * loop.h - one thread, one libuv loop, and what its connections share.
 *
 * Everything a client owns lives on one loop.  Only loop_post() may be called
 * from another thread.
 */
#ifndef LIB_NET_LOOP_H
#define LIB_NET_LOOP_H

#include <uv.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct loop;

/* A message to a loop; embedded in what it is about. */
struct loop_msg {
	struct loop_msg *next;
	void (*fn)(struct loop_msg *m); /* runs on the loop's thread */
};

/* Makes the loop; loop_run() is what its thread does until loop_stop(). */
PH_MUSTUSE int loop_new(struct loop **loop_out);
void loop_run(struct loop *l);
/* From any thread.  Handles still open are the owner's to close first. */
void loop_stop(struct loop *l);
void loop_free(struct loop **l);

uv_loop_t *loop_uv(struct loop *l);
bool loop_is_mine(const struct loop *l); /* is this the loop's thread? */

/* From any thread: runs m->fn on the loop, in order of posting.  m is the
 * caller's and must live until then.  Bursts wake the loop once. */
void loop_post(struct loop *l, struct loop_msg *m);
/* The same of one of many: the caller calls loop_wake() behind the last, soon,
 * and until then others may wait for it too. */
void loop_post_quiet(struct loop *l, struct loop_msg *m);
void loop_wake(struct loop *l);

/* Milliseconds of the loop's cached steady clock. */
uint64_t loop_now_ms(const struct loop *l);

/* Two scratch blocks of 64 KiB shared by all connections of the loop, for
 * reading and for TLS records; contents last until the callback returns. */
char *loop_read_block(struct loop *l, size_t *cap_out);
char *loop_tls_block(struct loop *l, size_t *cap_out);
/* Whose records wait in the TLS block, or NULL; theirs to set. */
struct conn_tls;
struct conn_tls **loop_tls_holder(struct loop *l);
/* Where its connections leave sockets that are to linger. */
struct farewell;
struct farewell *loop_farewell(struct loop *l);

#endif

/*
 * conn_priv.h - what the conn*.c files share.  Nobody else.
 */
#ifndef LIB_NET_CONN_PRIV_H
#define LIB_NET_CONN_PRIV_H

#include "lib/net/conn.h"

struct conn_tls;
struct conn_zip;
struct conn_flight;

/* Later states are nearer to the end: `state >= CONN_FLUSHING` is "closing". */
enum conn_state {
	CONN_CONNECTING = 1,
	CONN_SECURING, /* a handshake runs */
	CONN_OPEN,
	CONN_FLUSHING,  /* conn_close(): the queue goes out */
	CONN_LINGERING, /* FIN is sent, the peer's is awaited */
	CONN_CLOSED     /* handles are closing */
};

enum conn_flag {
	CONN_F_BUSY = 1 << 0,     /* conn_turn() is on the stack */
	CONN_F_LATER = 1 << 1,    /* conn_turn() is posted to the loop */
	CONN_F_READING = 1 << 2,  /* libuv reads */
	CONN_F_PAUSED = 1 << 3,   /* by the owner */
	CONN_F_NEWS = 1 << 4,     /* the owner is to look at c->in */
	CONN_F_CONSUMED = 1 << 5, /* he took something in this call */
	CONN_F_EOF = 1 << 6,      /* no more input for the owner */
	CONN_F_EOF_TOLD = 1 << 7,
	CONN_F_BROKEN = 1 << 8, /* writes go nowhere */
	CONN_F_ENDED = 1 << 9,  /* connect or handshake ended, to be told */
	CONN_F_ENDED_TOLD = 1 << 10,
	CONN_F_FIN = 1 << 11,    /* the socket has ended */
	CONN_F_CORKED = 1 << 12, /* TLS records gather */
	CONN_F_LAST = 1 << 13    /* conn_last() */
};

struct conn_priv {
	struct conn *conn;
	struct loop_msg later; /* posts conn_turn() */
	struct buf out;        /* behind the write in flight */
	struct conn_flight *flight;
	struct conn_tls *tls;  /* NULL in clear */
	struct conn_zip *zip;  /* NULL when not compressed */
	struct err *ended;     /* why connect or handshake failed, or NULL */
	uint64_t deadline_ms;  /* of connect, handshake or close; 0: none */
	uint64_t armed_ms;     /* when the timer fires; 0: not set */
	uint64_t flush_end_ms; /* of CONN_FLUSHING, whatever happens */
	size_t flush_left;     /* queued when last looked at */
	unsigned handles;      /* open */
	bool full_seen;        /* conn_full() said so */
	uv_connect_t connect;
	char reason[80];
};

static inline bool
conn_live(const struct conn *c)
{
	return c->state < CONN_FLUSHING;
}

/* conn.c */

/* Tells the owner what there is to tell; never nested. */
void conn_turn(struct conn *c);
/* conn_turn() soon, from the loop. */
void conn_later(struct conn *c);
/* Output is impossible from now on; input is still handed over. */
void conn_break(struct conn *c, const char *reason);
/* Remembers the first reason only. */
void conn_because(struct conn *c, const char *fmt, ...) PH_PRINTF(2, 3);
/* Sets the deadline of a phase; 0: none. */
void conn_deadline(struct conn *c, uint64_t in_ms);
/* The timer may have to fire earlier than it is set to. */
void conn_arm(struct conn *c);
/* Connect or handshake ended; rc and text are told by conn_turn(). */
void conn_ended(struct conn *c, int rc, const char *fmt, ...) PH_PRINTF(3, 4);
/* The queue is empty or broken: goes on with closing. */
void conn_flushed(struct conn *c);
/* Room in c->in. */
size_t conn_room(const struct conn *c);
/* Starts or stops reading as c->in and the state want it. */
void conn_read_adjust(struct conn *c);

/* conn_out.c: raw bytes to the socket, in order */
void conn_out_send(struct conn *c, struct slice bytes);
void conn_out_send_buf(struct conn *c, struct buf *b);
bool conn_out_empty(const struct conn *c);
void conn_out_drop(struct conn *c);

/* conn_tls.c */

/* Ciphertext from the socket. */
void conn_tls_feed(struct conn *c, struct slice bytes);
/* Goes on with ciphertext kept back while c->in was full. */
void conn_tls_more(struct conn *c);
/* Is there any, or a record half read? */
bool conn_tls_waiting(const struct conn *c);
void conn_tls_write(struct conn *c, struct slice bytes);
/* Sends what has gathered; how much that is. */
void conn_tls_flush(struct conn *c);
size_t conn_tls_held(const struct conn *c);
/* close_notify, if that still makes sense. */
void conn_tls_bye(struct conn *c);
void conn_tls_idle(struct conn *c);
void conn_tls_fini(struct conn *c);
bool conn_tls_compressed(const struct conn *c);

/* conn_zip.c: between the owner and TLS or the socket */

/* Compressed bytes from below. */
void conn_zip_feed(struct conn *c, struct slice bytes);
/* Goes on with what was kept back while c->in was full. */
void conn_zip_more(struct conn *c);
bool conn_zip_waiting(const struct conn *c);
void conn_zip_write(struct conn *c, struct slice bytes);
/* After a while without use: gives memory back.  Was there any use? */
void conn_zip_rest(struct conn *c);
bool conn_zip_used(const struct conn *c);
void conn_zip_fini(struct conn *c);

#endif

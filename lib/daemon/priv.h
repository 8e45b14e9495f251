/*
 * priv.h - what only lib/daemon sees of a server.
 */
#ifndef LIB_DAEMON_PRIV_H
#define LIB_DAEMON_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/inherit.h"
#include "lib/base/map.h"
#include "lib/daemon/server.h"

/* A listening socket on a loop. */
struct server_entry {
	struct server_entry *next;
	struct server_loop *sl;
	const struct server_door *door;
	struct listener *listener;
};

/* A loop's thread and its listeners. */
struct server_thread {
	pthread_t thread;
	struct server_loop *sl;
	struct server_entry *entries;
	struct loop_msg begin, end, ping;
	atomic_bool pinged;           /* a ping is under way */
	_Atomic uint64_t answered_ms; /* steady time of the last pong */
	_Atomic uint64_t pinged_us;   /* and of the ping before */
	_Atomic uint64_t lag_us;      /* what lay between them, the most since
				       * the last heartbeat */
	bool ending;                  /* loop's thread only */
};

struct server_priv {
	struct inherit fds;
	int control, notify_fd;
	struct server_thread *threads;
	uint64_t epoch; /* for client ids */
	_Atomic uint32_t next_id;
	_Atomic uint32_t clients, sessions;
	_Atomic uint64_t total_clients;
	uint64_t cpu_us;         /* told so far; main thread */
	pthread_mutex_t lock;    /* of the two maps */
	struct map by_ip;        /* address -> count, as a pointer */
	struct map by_seat;      /* account and address -> count */
	struct board *board;     /* NULL: none */
	struct conf **old_confs; /* kept: threads may still read them */
	size_t nold, old_cap;
};

/* admit.c */
void admit_init(struct server_priv *p);
void admit_fini(struct server_priv *p);
/* One more of this key in one of the maps; false when that is over max. */
bool admit_count_in(
    struct server_priv *p, struct map *m, struct slice key, uint64_t max);
void admit_count_out(struct server_priv *p, struct map *m, struct slice key);

/* seat.c: the board in RUN/sessions. */
void seats_open(struct server *srv);
void seats_close(struct server *srv);

/* loops.c: starts every loop's thread. */
PH_MUSTUSE int loops_start(struct server *srv, struct err *e);
void loops_notify(struct server *srv);
uint64_t loops_oldest_ms(struct server *srv);
/* How long the slowest loop took to answer since the last call, us. */
uint64_t loops_lag_us(struct server *srv);
/* Says goodbye and joins them; false when clients were left after the grace
 * time. */
bool loops_end(struct server *srv);
/* The last client of a loop that ends has gone. */
void loops_maybe_end(struct server_loop *sl);

/* control.c: talks to the supervisor until it says stop. */
void control_serve(struct server *srv);

#endif

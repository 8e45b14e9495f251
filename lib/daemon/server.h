/*
 * server.h - what imapd, pop3d and submitd have in common: a process under
 * the supervisor, with loops, workers, store, auth and TLS.
 *
 * server_main() takes the inherited descriptors, reads the configuration,
 * opens everything, starts the loops, beats, reloads, and ends cleanly when
 * told.  A daemon supplies its doors and what a client is.
 */
#ifndef LIB_DAEMON_SERVER_H
#define LIB_DAEMON_SERVER_H

#include "auth/auth.h"
#include "lib/base/board.h"
#include "lib/base/conf.h"
#include "lib/base/figures.h"
#include "lib/net/conn.h"
#include "lib/net/loop.h"
#include "lib/net/work.h"
#include "storage/notify.h"
#include "storage/store.h"

struct server;
struct server_priv;

/* One event loop and what a daemon hangs on it. */
struct server_loop {
	struct server *srv;
	struct loop *loop;
	size_t index;
	void *app;   /* the daemon's own, per loop */
	size_t held; /* by connections and work, see server_hold() */
};

struct server {
	const struct server_ops *ops;
	const struct conf *_Atomic conf; /* replaced by a reload */
	char hostname[256];
	struct store *store;
	struct auth *auth;
	struct tls_server *tls;
	struct work *store_work, *auth_work;
	struct server_loop *loops;
	size_t nloops;
	void *app;               /* the daemon's own, per process */
	struct figures *figures; /* what it counts; never NULL */
	struct server_priv *priv;
};

/* A kind of listening socket, by its name among the descriptors. */
struct server_door {
	const char *name;
	bool tls; /* TLS from the first byte */
	/* A connection waits on `from`: make a client and conn_accept() it.
	 * On the loop's thread. */
	void (*accept)(struct server_loop *sl, const struct server_door *door,
	    struct listener *from);
};

struct server_ops {
	const char *name;         /* "imapd" */
	const char *sasl_service; /* "imap" */
	const struct server_door *doors;
	size_t ndoors;
	unsigned notify_kinds; /* sum of notify_kind; 0: none */
	/* Each may be NULL. */
	int (*start)(struct server *srv, struct err *e); /* main thread,
					 * all open, no loop runs yet */
	int (*loop_start)(struct server_loop *sl);       /* on the loop */
	/* On every loop, for every batch of events. */
	void (*notify)(
	    struct server_loop *sl, const struct notify_event *ev, size_t n);
	/* Say goodbye to every client of this loop and close them.  The loop
	 * ends when nothing holds it, or after 5 s. */
	void (*loop_stop)(struct server_loop *sl);
	void (*stop)(struct server *srv); /* main thread, loops ended */
};

int server_main(const struct server_ops *ops, int argc, char **argv);

/* Counts a client in, within connections-max and -per-address; false: say
 * why (text for the peer) and close.  Loop thread. */
bool server_admit(
    struct server_loop *sl, const char *peer_ip, const char **why_out);
/* A client that turns out to come from another address: its count alone. */
bool server_admit_ip(
    struct server_loop *sl, const char *peer_ip, const char **why_out);
void server_leave_ip(struct server_loop *sl, const char *peer_ip);
/* Counts it out; in ops->closed. */
void server_leave(struct server_loop *sl, const char *peer_ip);
/* A loop that ends waits for what holds it: each connection, admitted or not
 * (the refused may linger), and work that belongs to none.  Loop thread. */
void server_hold(struct server_loop *sl);
void server_release(struct server_loop *sl);

/* A logged-in client's place: in the counts, and on the board. */
struct server_seat {
	bool taken;
	int32_t board;
	uint64_t account, number;
	char ip[46];
};
/* A client has logged in.  False: the account has sessions-per-account from
 * there already; say why (text for the peer).  Any thread, like the others. */
bool server_sit(struct server *srv, struct server_seat *seat,
    const struct auth_who *who, struct conn *conn, const char *id,
    const char *door, const char **why_out);
/* It goes; nothing happens when it had no seat. */
void server_rise(struct server *srv, struct server_seat *seat);
/* What its program calls itself. */
void server_name_client(
    struct server *srv, const struct server_seat *seat, struct slice name);
/* Is it this seat that NOTIFY_KICK means? */
bool server_kicks(
    const struct server_seat *seat, const struct notify_event *ev);

/* "i1-3fa2": a new id for a client's log lines, unique on the host for long.
 * letter: the daemon's. */
void server_client_id(struct server *srv, char letter, char out[24]);

/*
 * A job on the store's workers that may change things.  work() runs on a
 * worker; when it set `durable`, done() is called only after everything is on
 * disk, and rc tells if that failed (then answer "temporary").  Embedded in
 * the client; one at a time.
 */
struct sjob {
	void (*work)(struct sjob *j);
	void (*done)(struct sjob *j);
	bool durable;
	/* Set by work() when it did not come to an end: called behind it, to
	 * hand the job to others, who call sjob_end(). */
	void (*then)(struct sjob *j);
	/* Set before it is submitted, each time: a moment's work, with a `then`
	 * that joins deliveries (deliver_join.h); or it has come to nothing. */
	bool brief;
	int rc; /* of the sync; 0 when nothing was to sync */
	/* private */
	struct server *srv;
	struct job job;
	struct store_wait wait;
};
void sjob_submit(struct server_loop *sl, struct sjob *j);
/* Of a job with `then`, once, on any thread: as if work() had ended now. */
void sjob_end(struct sjob *j);
/* The same on the auth workers (nothing durable).  Addresses take turns there,
 * and those that guess passwords come last (CLIENTS S19): ip is whose it is, ""
 * for our own. */
void sjob_submit_auth(struct server_loop *sl, struct sjob *j, const char *ip);

#endif

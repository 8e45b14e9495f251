/*
 * client.h - one POP3 connection, from its greeting to its end.
 *
 * It is in one place at a time: on its loop, or (working) inside one job.  A job
 * runs a batch of pipelined commands against the store and writes replies to
 * `out`; the loop sends them.  A reply that passes the high-water mark pauses:
 * `more` is its continuation.
 */
#ifndef POP3D_CLIENT_H
#define POP3D_CLIENT_H

#include <sys/queue.h>

#include "lib/base/arena.h"
#include "lib/daemon/server.h"
#include "lib/mail/dotted.h"
#include "storage/msg.h"
#include "storage/view.h"

/* RFC 1939 3; a set of them says where a command may run. */
enum pop3_state {
	ST_AUTH = 1,	/* AUTHORIZATION */
	ST_TRANS = 2,	/* TRANSACTION */
	ST_SASL = 4	/* between AUTH and its end: lines are answers */
};

struct client;

/* Writes more of a long reply to c->out; true when it is complete. */
typedef bool client_more(struct client *c);

/* RETR and TOP under way. */
struct reading {
	struct arena arena;	/* the meta's slices */
	struct msg_meta meta;
	struct dotted_enc dots;
	uint64_t at;		/* bytes of the message already read */
	int64_t lines_left;	/* of the body; -1: all */
	bool begun;		/* +OK has been said */
};

/* LIST and UIDL under way. */
struct listing {
	struct msg_iter *it;
	bool uidl;
};

/* USER, PASS and AUTH under way; wiped when answered. */
struct login {
	char *user, *pass;	/* as typed, NUL-terminated */
	struct buf in;		/* SASL bytes from the client */
	struct slice mech;	/* in `user` for the first step */
	struct auth_binding binding;
	struct auth_sasl *sasl;
	struct buf challenge;
	bool final_sent;	/* SCRAM's last message went as a challenge */
	struct auth_who who;
	struct err err;
	int rc;
};

struct client {
	struct conn conn;
	struct server_loop *sl;
	TAILQ_ENTRY(client) link;	/* of the loop's clients */
	char id[24];
	enum pop3_state state;
	bool admitted, greeted, session;
	bool working;	/* inside a job: the loop keeps its hands off */
	bool handshake;	/* TLS is being set up */
	bool delayed;	/* a failed login waits to be answered */
	bool eof;	/* the peer sends no more */
	bool dead;	/* the connection is closed: free after the job */
	bool quitting;	/* no command after this one */
	unsigned bad_commands, auth_failures;

	char *user;			/* from USER, until PASS */
	struct login login;
	struct auth_who who;
	struct view *view;		/* the maildrop; set in ST_TRANS */
	uint64_t total_bytes;		/* of view, at login */
	uint8_t *gone;			/* a bit for each deleted message */
	uint32_t ngone;
	uint32_t retrieved;		/* for the log */
	int update_rc;			/* of QUIT's deletions */

	struct sjob job;
	struct buf batch;		/* command lines for the job */
	struct buf out;			/* replies not yet given to conn */
	client_more *more;
	struct reading reading;
	struct listing listing;
};

/* The door's accept. */
void client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from);
/* Ends it; reason: a word for the log.  Once; later calls do nothing. */
void client_close(struct client *c, const char *reason);
/* First thing in every job's done: false when the connection has ended
 * meanwhile, and c may be gone. */
bool client_back(struct client *c);
/* Answers the commands that have come. */
void client_run(struct client *c);
/* Gives c->out to the connection. */
void client_flush(struct client *c);
/* The same line for each client of a loop when the host stops. */
void client_close_all(struct server_loop *sl);

TAILQ_HEAD(client_list, client);

#endif

/*
 * client.h - one IMAP connection: its states, its command, its end.
 *
 * A client is in one place at a time: on its loop, or (working) inside one
 * job.  Commands run one after the other, in the order they came; what they
 * say gathers in `out` and leaves from the loop.
 */
#ifndef IMAPD_CLIENT_H
#define IMAPD_CLIENT_H

#include <sys/queue.h>

#include "imapd/frame.h"
#include "imapd/resp.h"
#include "lib/base/arena.h"
#include "lib/daemon/login.h"
#include "lib/daemon/server.h"

struct cmd_row;
struct client;
struct selected;
struct append_in;
struct watch;
struct watch_inbox;
struct rawlog;

enum { CAPS_WORDS = 2 }; /* of 64 bits */

/* RFC 9051 3; a sum of them says where a command may run. */
enum imap_state {
	IS_NOAUTH = 1,
	IS_AUTH = 2,
	IS_SELECTED = 4,
	IS_LOGIN = 6 /* the last two */
};

/* What the next line is. */
enum client_mode {
	MODE_COMMAND,
	MODE_SASL, /* an answer to a challenge */
	MODE_IDLE  /* DONE */
};

/* RFC 5161 */
enum client_enabled {
	EN_CONDSTORE = 1,
	EN_QRESYNC = 2,
	EN_UTF8 = 4,
	EN_REV2 = 8,
	EN_UIDONLY = 16, /* RFC 9586 */
	EN_METADATA = 32 /* RFC 5464 4.1 */
};

enum step {
	STEP_DONE,   /* the command has its result */
	STEP_AGAIN,  /* enough said: call again when output has drained */
	STEP_PENDING /* on the loop only: ends later, by cmd_finish() */
};

/* The command being run. */
struct command {
	struct slice tag; /* empty: "*" */
	const struct cmd_row *row;
	bool uid;
	void *args;
	/* the handler's own state; end() frees what is not in the arena, and
	 * is called however the command ends, on the loop */
	void *run;
	void (*end)(struct client *c);
	/* its result */
	enum resp_kind kind;
	const char *code, *text;
	bool tells_modseq; /* OK [HIGHESTMODSEQ n], with QRESYNC */
	bool ran;          /* only news and the tagged line are left to say */
	size_t tag_at;     /* where in out its tagged line begins */
	/* RFC 9585: while it works without a word, in the midst of none: how
	 * far it is; goal 0: it says nothing of it */
	uint64_t at, goal;
	uint64_t told_ms;
};

struct client {
	struct conn conn;
	struct server_loop *sl;
	TAILQ_ENTRY(client) link;
	char id[24];
	const struct server_door *door;
	struct server_seat seat; /* in IS_LOGIN */
	enum imap_state state;
	enum client_mode mode;
	unsigned enabled;              /* sum of client_enabled */
	uint64_t withheld[CAPS_WORDS]; /* by bit, see capability.c */
	struct frame frame;
	struct arena arena; /* the command's */
	struct command cmd;
	struct buf out;
	struct sjob job;
	enum step step; /* of the job */
	struct login *login;
	char *program;    /* by ID; NULL: not said */
	char tls[48];     /* conn_tls_name(), of the ID's job */
	char *login_name; /* of AUTHENTICATE LOGIN, until the password comes */
	bool sasl_login;  /* that is the mechanism */
	struct auth_who who; /* in IS_LOGIN */
	struct selected *sel;
	struct append_in *append; /* messages coming in */
	struct watch *watch;      /* of NOTIFY, see watch.h; or NULL */
	struct watch_inbox *inbox;
	struct rawlog *raw; /* of imap-raw-log, mostly NULL */
	char *held_tag;     /* of AUTHENTICATE and IDLE */
	void (*later)(struct client *c);
	const char *refuse_code, *refuse_text; /* of a literal */
	const char *bye_code, *bye_text; /* set in a job: then say goodbye */
	uint64_t since_ms;               /* of the connect */
	uint64_t said, changed;          /* messages, for the log */
	unsigned bad_commands, auth_failures;
	bool admitted;
	bool working, waiting, handshake, eof, dead, stopping;
	bool news, recheck, kicked; /* came while working */
};

TAILQ_HEAD(client_list, client);

/* The door's accept. */
void client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from);

/* Works through what has come; call after whatever held the client up. */
void client_run(struct client *c);
void client_flush(struct client *c);

/* The only end: flushes, logs (reason: a word) and closes. */
void client_close(struct client *c, const char *reason);
/* The same with "* BYE [code] text" in front. */
void client_bye(
    struct client *c, const char *reason, const char *code, const char *text);

/* Runs work() on a store (or auth) worker and done() on the loop. */
void client_job(struct client *c, bool auth, void (*work)(struct sjob *j),
    void (*done)(struct sjob *j));
/* First thing in done(): false when the connection has ended; c may be gone
 * then. */
bool client_back(struct client *c);
static inline struct client *
client_of_job(struct sjob *j)
{
	return PH_CONTAINER(j, struct client, job);
}

/* Pauses the peer and calls fn after so long. */
void client_later(struct client *c, uint64_t ms, void (*fn)(struct client *c));
/* The go-ahead of STARTTLS has been said. */
void client_starttls(struct client *c);
bool client_plain_ok(const struct client *c);
/* Is there TLS, or will there be before the client says a word? */
bool client_is_tls(const struct client *c);
/* False: too many sessions of the account from there; say why. */
PH_MUSTUSE bool client_logged_in(struct client *c, const char **why_out);
/* True: that was one too many, the connection ends. */
bool client_bad_command(struct client *c);
/* Sets the idle time that fits state and mode. */
void client_set_timeout(struct client *c);
/* The folder changed that this client looks at. */
void client_news(struct client *c);
/* Its password or rights changed: is the login still good? */
void client_recheck(struct client *c);
/* Its provider ends it (NOTIFY_KICK). */
void client_kick(struct client *c);
/* The server stops. */
void client_stop(struct client *c);

static inline struct store *
client_store(const struct client *c)
{
	return c->sl->srv->store;
}
static inline const struct conf *
client_conf(const struct client *c)
{
	return c->sl->srv->conf;
}
static inline bool
client_utf8(const struct client *c)
{
	return (c->enabled & (EN_UTF8 | EN_REV2)) != 0;
}

#endif

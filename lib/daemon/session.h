/*
 * session.h - a client of a line protocol: what POP3 and SMTP share.
 *
 * It is in one place at a time: on its loop, or (working) inside one job.  A
 * line either runs on the loop, or joins a batch of pipelined lines that one
 * job runs against the store.  Replies gather in `out`; the loop sends them.
 * A reply that passes the high-water mark pauses: `more` is its continuation.
 *
 * Embedded in the daemon's own client.  All functions are for the loop, unless
 * they say otherwise.
 */
#ifndef LIB_DAEMON_SESSION_H
#define LIB_DAEMON_SESSION_H

#include <sys/queue.h>

#include "lib/daemon/server.h"

struct session;

enum session_bad {
	BAD_TOO_LONG, /* over line-max; the session is closed after */
	BAD_BARE,     /* a bare CR or LF */
	BAD_NUL
};

struct session_ops {
	char letter; /* of ids in the log */
	/* Says hello, at accept; on a TLS door that goes along with the
	 * handshake. */
	void (*greet)(struct session *s);
	/* May this line run in a job, together with its neighbours? */
	bool (*joins)(struct session *s, struct slice line);
	/* Runs one line: inside a job when it joins, else on the loop. */
	void (*line)(struct session *s, struct slice line);
	/* Only while s->raw: takes bytes that are not lines (DATA); returns how
	 * many it has used.  0: needs more, or has started a job. */
	size_t (*data)(struct session *s, struct slice in);
	void (*bad_line)(struct session *s, enum session_bad why);
	/* Words before the connection is closed: idle for too long; the host
	 * stops; too many connections (why). */
	void (*timeout)(struct session *s);
	void (*stopping)(struct session *s);
	void (*refused)(struct session *s, const char *why);
	/* Words behind the last bad command (bad-commands-max); may be NULL.
	 * Also called in a job. */
	void (*too_bad)(struct session *s);
	/* A TLS handshake behind STARTTLS has ended well. */
	void (*secured)(struct session *s);
	/* For the log when the session ends: key=value ...; may be NULL. */
	void (*totals)(const struct session *s, char *out, size_t cap);
	/* The last call: frees the client. */
	void (*free)(struct session *s);
};

/* Writes more of a long reply to s->out, in a job; true when complete.  It may
 * not be called again before that, when the peer has gone. */
typedef bool session_more(struct session *s);

struct session {
	struct conn conn;
	struct server_loop *sl;
	const struct session_ops *ops;
	TAILQ_ENTRY(session) link;
	char id[24];
	const struct server_door *door;
	struct server_seat seat; /* once logged in */
	struct buf out;          /* replies not yet given to conn */
	session_more *more;
	bool raw;                   /* input is data, not lines */
	const struct auth_who *who; /* once logged in */
	bool quitting;              /* set in a job: close after the reply */
	/* private */
	bool admitted, working, handshake, eof, dead;
	bool stopping; /* the host stops: goodbye when the job is back */
	bool mute;     /* output goes nowhere: long replies are cut short */
	size_t line_max;
	struct sjob job;
	struct buf batch;
	void (*later)(struct session *s);
	unsigned bad_commands;
};

TAILQ_HEAD(session_list, session);

/* Takes the waiting connection.  False: it is gone, free s yourself. */
bool session_accept(struct session *s, struct server_loop *sl,
    const struct server_door *door, struct listener *from,
    const struct session_ops *ops, size_t in_max);

/* Works through what has come; call after whatever held the session up. */
void session_run(struct session *s);
void session_flush(struct session *s);

/* Ends it; reason: a word for the log, with text ("": ops->totals). */
void session_close(struct session *s, const char *reason, const char *text);

/* Do lines before this one wait for a job? */
static inline bool
session_batched(const struct session *s)
{
	return buf_len(&s->batch) != 0;
}

/* Runs work() on a store (or auth) worker and done() on the loop. */
void session_job(struct session *s, bool auth, void (*work)(struct sjob *j),
    void (*done)(struct sjob *j));
/* First thing in done(): false when the connection has ended meanwhile; s may
 * be gone then. */
bool session_back(struct session *s);

/* Is it inside a job? */
bool session_busy(const struct session *s);

/* Pauses the peer and calls fn after so long (a failed login). */
void session_later(
    struct session *s, uint64_t ms, void (*fn)(struct session *s));

/* The go-ahead of STARTTLS is in out: flush it and shake hands.  Bytes that
 * came behind the command end the session (RFC 3207 6, RFC 2595 4). */
void session_starttls(struct session *s);

/* Is a password allowed here and now? */
bool session_plain_ok(const struct session *s);

/* Another peer speaks through this connection (XCLIENT): it counts for that
 * address now.  False: too many from there (why), close. */
bool session_peer(
    struct session *s, const char *ip, unsigned port, const char **why_out);

/* The account is known now: counts as logged in; idle time changes.  who lives
 * as long as s.  False: it has too many sessions from there; say why. */
PH_MUSTUSE bool session_logged_in(struct session *s, const struct auth_who *who,
    uint64_t idle_ms, const char **why_out);

/* Counts a bad command; true: that was one too many, and it is closed.  Also
 * from a line that runs in a job. */
bool session_bad_command(struct session *s);

/* For a daemon's notify: forgets logins whose secrets changed, and ends the
 * sessions that are to be kicked or whose login is good no more. */
void session_notify(
    struct server_loop *sl, const struct notify_event *ev, size_t n);

/* For a daemon's loop_start, loop_stop and stop. */
PH_MUSTUSE int session_loop_start(struct server_loop *sl);
void session_loop_stop(struct server_loop *sl);
void session_stop(struct server *srv);

#endif

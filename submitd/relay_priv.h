/*
 * relay_priv.h - a relay's state; relay.c has the connection, relay_mail.c the
 * mail transaction.
 */
#ifndef SUBMITD_RELAY_PRIV_H
#define SUBMITD_RELAY_PRIV_H

#include "lib/mail/dotted.h"
#include "submitd/relay.h"
#include "submitd/reply.h"
#include "submitd/route.h"

/* In front of words that are ours and not the other server's: RFC 3464 2.3.6
 * tells them apart. */
#define OWN "~"

enum relay_state {
	RELAY_ROUTE, /* asks the DNS */
	RELAY_CONNECT,
	RELAY_BANNER,
	RELAY_EHLO,
	RELAY_HELO, /* EHLO was refused */
	RELAY_STARTTLS,
	RELAY_HANDSHAKE,
	RELAY_PASSWORD, /* a job looks for one */
	RELAY_AUTH,     /* its last reply */
	RELAY_AUTH_NAME,
	RELAY_AUTH_PASS,
	RELAY_MAIL,    /* replies to MAIL, RCPT and DATA come in */
	RELAY_CONVERT, /* a job makes the mail 7-bit; MAIL comes next */
	RELAY_BODY,    /* bytes go out */
	RELAY_END,     /* the reply behind the final dot */
	RELAY_RSET,
	RELAY_IDLE, /* no errand */
	RELAY_OVER  /* QUIT was said, or it broke */
};

/* What is waited for, each with its own time: RFC 5321 4.5.3.2. */
enum relay_wait {
	WAIT_NONE,
	WAIT_REPLY, /* to the greeting and most commands */
	WAIT_DATA,  /* to DATA */
	WAIT_BLOCK, /* a piece of the body to be taken */
	WAIT_END,   /* behind the final dot */
	WAIT_IDLE   /* for the next errand */
};

enum {
	CAN_PIPELINE = 1,
	CAN_8BIT = 2,
	CAN_UTF8 = 4,
	CAN_DSN = 8,
	CAN_SIZE = 16,
	CAN_TLS = 32,
	CAN_PLAIN = 64, /* AUTH */
	CAN_LOGIN = 128,
	CAN_CHUNK = 256 /* BDAT */
};

struct relay {
	struct conn conn;
	const struct relay_env *env;
	void *arg;
	char domain[256];
	char remote[320]; /* "host [ip]" of the hop being tried */
	enum relay_state state;
	struct route_query *asking;
	struct route_list list;
	size_t hop;
	bool no_tls;   /* TLS failed with this hop: once without */
	bool dead;     /* no connection holds us */
	bool working;  /* a job reads the body; the errand stays till then */
	bool aborting; /* the host stops */
	uint64_t started_ms, deadline_ms; /* the loop's clock; 0: none */
	uint64_t total_ms;   /* of all waits together; moves with each mail */
	bool reused;         /* this connection has carried mail before */
	enum outcome no_way; /* not OUT_NONE: nobody is reached, see last */
	unsigned can;        /* CAN_* of the last EHLO */
	uint64_t size_max;   /* of SIZE, 0: not told */
	char last[QUEUE_REPLY_MAX]; /* why the last hop failed */
	struct reply reply;
	const char *auth_host;
	char login[256], password[256];

	struct errand *errand;
	size_t sent;     /* commands sent: 0 none, 1 MAIL, ... */
	size_t answered; /* of them answered */
	size_t nrcpts;   /* recipients of this transaction */
	size_t *rcpts;   /* their indexes; in the errand's arena */
	size_t accepted; /* RCPTs that were good */
	size_t chunks;   /* BDATs that are not answered */
	bool mail_refused;
	bool converted; /* whole is what to send, not the row's body */
	struct buf whole;
	uint64_t at; /* bytes of the body already read */
	struct dotted_enc dots;
	struct buf chunk;
	int read_rc;
	enum outcome lost; /* with last: what befell while the job ran */
	struct sjob job;
};

/* relay.c */
/* Frees the relay when the connection is closed and no job and no errand
 * holds it. */
void relay_maybe_free(struct relay *r);
/* Connects to r->hop or those behind it, or has an outcome for everybody. */
void relay_connect(struct relay *r);
/* This hop is of no use: the next one, or an outcome for everybody. */
void relay_next_hop(struct relay *r, const char *why);
/* The errand has its outcomes: back to the runner, and on with the next, or
 * the end; r may be gone afterwards. */
void relay_settled(struct relay *r);
/* All that are open, or one, have this outcome, by these words. */
void relay_outcome(struct relay *r, enum outcome out, const char *words);
void relay_outcome_of(
    struct relay *r, size_t rcpt, enum outcome out, const char *words);
/* The time for all of what comes begins. */
void relay_begin_total(struct relay *r);
/* From now on, until the next call. */
void relay_wait(struct relay *r, enum relay_wait what);

/* relay_auth.c */
/* Logs in, if that is wanted, and begins with the first mail. */
void relay_auth(struct relay *r);
void relay_auth_reply(struct relay *r, const char *text);

/* relay_mail.c */
void relay_mail_start(struct relay *r);
void relay_mail_reply(struct relay *r);
void relay_body_more(struct relay *r);
/* The transaction broke off and its connection is being closed; whoever is open
 * gets this outcome, but when a reused connection has gone stale: then it is
 * tried on a new one. */
void relay_mail_broken(struct relay *r, enum outcome out, const char *why);

#endif

/*
 * client.h - one SMTP or LMTP connection, and the mail it is handing over.
 */
#ifndef SUBMITD_CLIENT_H
#define SUBMITD_CLIENT_H

#include "lib/base/arena.h"
#include "lib/daemon/login.h"
#include "lib/daemon/session.h"
#include "lib/mail/dotted.h"
#include "storage/account.h"
#include "storage/queue.h"
#include "storage/spool.h"
#include "submitd/errand.h"
#include "submitd/scan.h"

/* What a door is for; a set of them says where a command may run. */
enum smtp_role {
	ROLE_MX = 1,     /* port 25: mail for us from anybody */
	ROLE_SUBMIT = 2, /* 587, 465: our people, logged in */
	ROLE_LMTP = 4    /* mail for us from a trusted program, RFC 2033 */
};

/* A recipient as accepted at RCPT. */
struct envelope_rcpt {
	struct slice given; /* as the client wrote it */
	struct slice addr;  /* folded */
	struct slice orcpt;
	unsigned notify;
	struct route route; /* accounts here, addresses elsewhere */
	bool back;          /* a return address of ours (forward.h) */
	int rc;             /* not 0: it does not get it, and why */
};

struct envelope {
	struct arena arena;  /* all of it */
	bool open;           /* MAIL was accepted */
	struct slice sender; /* "" for <> */
	struct slice envid;
	uint64_t size;      /* announced by SIZE=, or 0 */
	bool binary;        /* BODY=BINARYMIME: not by DATA */
	struct buf lines;   /* what has become of it (binary.h) */
	int64_t hold_until; /* seconds; 0: no HOLDFOR, no HOLDUNTIL */
	unsigned flags;     /* QUEUE_8BIT, _UTF8, _RET_HDRS, _RET_FULL */
	struct envelope_rcpt *rcpts;
	size_t nrcpts, cap;
	uint64_t rcpt_max;
	struct slice domain; /* of the sender, folded; of submissions */
};

/* A piece of a message, RFC 3030 2. */
struct chunk {
	bool open;          /* s.raw is about it, not about DATA */
	bool last;          /* the message ends with it */
	const char *refuse; /* not NULL: dropped, and this is the reply */
	uint64_t n, left;   /* bytes in all and still to come */
};

/* How the next line is to be read. */
enum expect { EXPECT_COMMAND, EXPECT_SASL, EXPECT_USER, EXPECT_PASS };

struct client {
	struct session s;
	enum smtp_role role;
	bool esmtp;     /* EHLO or LHLO, not HELO */
	char tls[64];   /* conn_tls_name(), as of EHLO */
	char helo[256]; /* "" until it has been said */
	enum expect expect;
	unsigned auth_failures;
	char xclient_ip[46]; /* who is really there, when XCLIENT named another;
			      * else "" */
	char *user;          /* AUTH LOGIN, until the password */
	struct login login;
	struct auth_who who; /* account 0: not logged in */
	struct envelope env;
	/* What the next MAIL or RCPT need not ask the store for: */
	bool knows_sender; /* it may send, to so many: */
	uint64_t known_max;
	bool knows; /* where this RCPT leads: */
	struct route known;
	struct spool *spool; /* while data comes in */
	struct dotted dots;  /* DATA */
	struct chunk chunk;  /* BDAT */
	struct scan scan;
	char chunk_last;     /* newline.h */
	unsigned data_flags; /* DOTTED_*: what the data holds */
	unsigned messages;   /* accepted */
	/* of the message being accepted, for its answer */
	char queue_id[24];
	int accept_rc;
	struct accept *accept;    /* accept.c */
	struct errand_list fresh; /* its rows, for the runner (fresh.h) */
	const char *accept_head;  /* of the reply, in place of accept_rc's */
	struct err accept_err;
	char accept_de[200]; /* accept_err.text in German, or "" */
};

static inline struct client *
client_of(struct session *s)
{
	return PH_CONTAINER(s, struct client, s);
}

/* The client that a job belongs to. */
static inline struct client *
client_of_job(struct sjob *j)
{
	return client_of(PH_CONTAINER(j, struct session, job));
}

void client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from);
void client_close(struct client *c, const char *reason);

/* Forgets the mail transaction (RFC 5321 4.1.1.5). */
void envelope_reset(struct client *c);

#endif

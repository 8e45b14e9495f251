/*
 * client.h - one POP3 connection and its maildrop.
 */
#ifndef POP3D_CLIENT_H
#define POP3D_CLIENT_H

#include "lib/daemon/login.h"
#include "lib/daemon/session.h"
#include "pop3d/ahead.h"
#include "pop3d/drop_list.h"
#include "pop3d/guard.h"
#include "pop3d/places.h"
#include "pop3d/read.h"
#include "pop3d/text.h"

/* RFC 1939 3; a set of them says where a command may run. */
enum pop3_state {
	ST_AUTH = 1,  /* AUTHORIZATION */
	ST_TRANS = 2, /* TRANSACTION */
	ST_SASL = 4   /* between AUTH and its end: lines are answers */
};

/* The process's one. */
struct app {
	struct guard *guard;
	struct places *places;
};

struct client {
	struct session s;
	enum pop3_state state;
	unsigned auth_failures;
	char *user; /* from USER, until PASS */
	enum text_lang lang;
	bool utf8; /* RFC 6856 2.1 */
	struct login login;
	uint64_t wait_sec;   /* LOGIN-DELAY, when it was too soon */
	const char *refusal; /* response code of a login that was good */
	struct auth_who who;
	struct drop *drop;      /* set in ST_TRANS */
	bool locked;            /* guard_enter() */
	struct read read;       /* RETR and TOP under way */
	uint32_t reading;       /* the number of that message */
	bool replying;          /* and its +OK has been said */
	struct ahead ahead;     /* what is read before it is asked for */
	struct drop_list *list; /* LIST and UIDL under way */
	bool uidl;
	uint32_t retrieved;       /* for the log */
	struct drop_marks *marks; /* to be written at QUIT */
	int update_rc;            /* of QUIT's deletions */
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

static inline struct guard *
guard_of(const struct client *c)
{
	return ((const struct app *)c->s.sl->srv->app)->guard;
}

static inline struct places *
places_of(const struct client *c)
{
	return ((const struct app *)c->s.sl->srv->app)->places;
}

/* The account's time between logins, in ms. */
static inline uint64_t
client_login_delay(const struct client *c, const struct auth_who *who)
{
	return who->pop3_delay_sec != 0 ? who->pop3_delay_sec * 1000
					: c->s.sl->srv->conf->pop3_login_delay;
}

/* Gives up the maildrop. */
void client_leave(struct client *c);
/* The door's accept. */
void client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from);
/* Ends it, with the maildrop's totals in the log. */
void client_close(struct client *c, const char *reason);

#endif

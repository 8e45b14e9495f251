/*
 * client.h - one POP3 connection and its maildrop.
 */
#ifndef POP3D_CLIENT_H
#define POP3D_CLIENT_H

#include "lib/base/arena.h"
#include "lib/daemon/login.h"
#include "lib/daemon/session.h"
#include "lib/mail/dotted.h"
#include "storage/msg.h"
#include "storage/view.h"

/* RFC 1939 3; a set of them says where a command may run. */
enum pop3_state {
	ST_AUTH = 1,  /* AUTHORIZATION */
	ST_TRANS = 2, /* TRANSACTION */
	ST_SASL = 4   /* between AUTH and its end: lines are answers */
};

/* RETR and TOP under way. */
struct reading {
	struct arena arena; /* the meta's slices */
	struct msg_meta meta;
	struct dotted_enc dots;
	uint64_t at;        /* bytes of the message already read */
	int64_t lines_left; /* of the body; -1: all */
	bool begun;         /* +OK has been said */
};

/* LIST and UIDL under way. */
struct listing {
	struct msg_iter *it;
	bool uidl;
};

struct client {
	struct session s;
	enum pop3_state state;
	unsigned auth_failures;
	char *user; /* from USER, until PASS */
	struct login login;
	struct auth_who who;
	struct view *view;    /* the maildrop; set in ST_TRANS */
	uint64_t total_bytes; /* of view, at login */
	uint8_t *gone;        /* a bit for each deleted message */
	uint32_t ngone;
	uint32_t retrieved; /* for the log */
	int update_rc;      /* of QUIT's deletions */
	struct reading reading;
	struct listing listing;
};

static inline struct client *
client_of(struct session *s)
{
	return PH_CONTAINER(s, struct client, s);
}

/* The door's accept. */
void client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from);
/* Ends it, with the maildrop's totals in the log. */
void client_close(struct client *c, const char *reason);

#endif

/*
 * setup.h - what a mail program must be told: servers, ports, user name.
 *
 * Made from the configuration and an address alone, never from the store, so
 * that an answer cannot tell whether there is such a mailbox.
 */
#ifndef LIB_SETUP_SETUP_H
#define LIB_SETUP_SETUP_H

#include "lib/base/conf.h"

enum { SETUP_DOORS = 2, SETUP_NAME_MAX = 255 };

enum setup_which { SETUP_IMAP, SETUP_POP3, SETUP_SMTP, SETUP_SERVICES };

struct setup_door {
	unsigned port;
	bool starttls; /* else TLS from the first byte */
};

/* One protocol; the safer door first (RFC 8314 3); closed ones left out. */
struct setup_service {
	const char *key; /* "imap" */
	struct setup_door doors[SETUP_DOORS];
	size_t ndoors;
};

/* All texts are borrowed.  Domains are in A-labels: programs take no others. */
struct setup {
	const char *server;
	const char *login;    /* the user name to type */
	const char *account;  /* "web100p1"; "": not told */
	const char *address;  /* "": there is none */
	const char *lang;     /* "de" or "en" */
	const char *provider; /* who runs the host */
	struct setup_service services[SETUP_SERVICES];
};

/* Everything but who: doors and provider; lang is the host's. */
void setup_init(struct setup *s, const struct conf *conf);

/* The server's name for a domain (option settings-server), in out; false: it
 * does not fit. */
bool setup_server(
    const struct conf *conf, struct slice domain, char out[SETUP_NAME_MAX + 1]);

/* The port of the first address of a door ("imaps"); 0: it is closed, or no
 * such door. */
unsigned setup_port(const struct conf *conf, const char *door);

/* "SSL/TLS" or "STARTTLS", as mail programs call it. */
const char *setup_security(const struct setup_door *door);

/* Adds text with what XML and HTML reserve escaped; what they forbid (control
 * characters, bytes that are no UTF-8) becomes "?". */
void setup_escape(struct buf *out, struct slice text);

#endif

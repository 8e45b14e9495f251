/*
 * supctl.h - RUN/supervisor.sock: status, reload, stop.
 *
 * SOCK_SEQPACKET; a request is one word, an answer one packet of JSON:
 * {"ok": true, ...} or {"ok": false, "error": "..."}.  After "stop" the
 * connection ends when the host has.  Only root and the supervisor's own user
 * are heard.
 */
#ifndef ADMIN_SUPCTL_H
#define ADMIN_SUPCTL_H

#include <poll.h>

#include "admin/supervise.h"

enum { SUPCTL_PACKET_MAX = 32 << 10 };

PH_MUSTUSE int supctl_open(struct supervisor *s, struct err *e);
void supctl_close(struct supervisor *s);

/* Fills pfd (room for 1 + SUP_CLIENTS_MAX); returns how many. */
size_t supctl_poll(const struct supervisor *s, struct pollfd *pfd);
/* Hears who came and what they ask. */
void supctl_serve(struct supervisor *s);
/* A reload is over: tells those who wait. */
void supctl_reloaded(struct supervisor *s, const char *error);

/* The other side: asks and waits; the answer's text is the caller's (NULL
 * when the host does not run: ERR_NOTFOUND).  With wait_end it returns after
 * the host's end. */
PH_MUSTUSE int supctl_ask(const char *run_dir, const char *word, bool wait_end,
    char **answer_out, struct err *e);

#endif

/*
 * control.h - what supervisor and children say to each other.
 *
 * A SOCK_SEQPACKET socket pair, one datagram a message, first byte the kind.
 * Descriptors are named as in systemd's LISTEN_FDNAMES and follow descriptor
 * 3: listening sockets by their door ("imap", "imaps", ...; several of one
 * name are SO_REUSEPORT twins, one per loop), then "conf" (the configuration's
 * text, sealed memory), "tls" (lib/crypt/bundle.h, sealed memory), "control"
 * (this socket), "figures" (lib/base/figures.h, the child's own page), and
 * "profile" (admin/profsign.h, sealed memory; keeper and webd in place of
 * "tls").  Environment: LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID (or
 * unset), POSTHOF_CONF_NAME for messages.
 */
#ifndef LIB_BASE_CONTROL_H
#define LIB_BASE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum control_kind {
	CONTROL_UP = 'U',     /* child: I serve now */
	CONTROL_BEAT = 'B',   /* child, every second: struct control_beat */
	CONTROL_STOP = 'S',   /* supervisor: finish and exit 0 */
	CONTROL_RELOAD = 'R', /* supervisor, with descriptors conf, tls (keeper
				 * and webd: conf, profile) */
	CONTROL_RELOADED = 'r', /* child: one byte more, '0' good, '1' bad */
	CONTROL_DOMAINS = 'D'   /* keeper, and supervisor to webd: with one
				 * descriptor, sealed memory, a domain a line */
};

struct control_beat {
	uint8_t kind;
	uint8_t pad[3];
	uint32_t oldest_ms; /* longest running store call or job */
	uint32_t clients;
	uint32_t sessions;      /* of them logged in */
	uint64_t total_clients; /* since start */
};

enum {
	CONTROL_DEAD_MS = 30000, /* no beat, or one call, for so long: as good
				  * as dead (Protocol K 4) */
	CONTROL_MAX = 64,        /* bytes of a message */
	CONTROL_FDS = 2          /* that come with it, at most */
};

struct control_msg {
	char p[CONTROL_MAX]; /* [0]: enum control_kind */
	size_t n;
	int fds[CONTROL_FDS]; /* -1: none */
};

/* One message, without waiting.  ERR_BUSY: there is none now; ERR_CLOSED: the
 * other side has gone; ERR_IO. */
PH_MUSTUSE int control_read(int from, struct control_msg *out);
/* Closes what came with it and is still there. */
void control_done(struct control_msg *m);
/* Without waiting; false when it was not sent: a beat is not missed, what is
 * has been logged.  The descriptors stay the caller's. */
bool control_say(int to, const void *p, size_t n, const int *fds, size_t nfds);

#endif

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

#include <stdint.h>

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
	CONTROL_DEAD_MS = 30000
}; /* no beat, or one call, for so long:
					 * as good as dead (Protocol K 4) */

#endif

/*
 * listen.h - the listening sockets, bound once for the life of the host.
 *
 * Each address is opened `twins` times with SO_REUSEPORT, one for each event
 * loop; twins of an address stand side by side.
 */
#ifndef ADMIN_LISTEN_H
#define ADMIN_LISTEN_H

#include <stddef.h>

#include "admin/user.h"
#include "lib/base/conf.h"

struct listen_set {
	struct listen_sock {
		const char *door; /* static: "imap", "imaps", ... */
		int fd;
	} * v;
	size_t n, cap;
	char *lmtp_path; /* of the Unix socket, removed at the end */
};

/*
 * Takes what systemd passed (LISTEN_FDS, by door name) and opens the rest as
 * configured.  Says in the log what is wrong with each address; ERR_BUSY,
 * ERR_DENIED, ... when one could not be opened, with a text for the first.
 */
PH_MUSTUSE int listen_open(struct listen_set *set, const struct conf *conf,
    size_t twins, const struct user *user, struct err *e);
void listen_close(struct listen_set *set);

/* Splits "host:port", "[v6]:port" or "*:port" (host "" then); the port as
 * text.  False when it is none. */
PH_MUSTUSE bool listen_split(const char *address, char host[256], char port[8]);

/* Can this address be resolved or bound at all?  Opens nothing. */
PH_MUSTUSE int listen_check(const char *address, struct err *e);

/* Can ::1 be bound here? */
bool listen_has_v6(void);

/* The list of one door, for other eyes: i from 0; NULL behind the last. */
const char *listen_door(
    const struct conf *conf, size_t i, const struct conf_list **list_out);

#endif

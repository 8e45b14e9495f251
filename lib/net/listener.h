/*
 * listener.h - a listening socket on a loop; TCP or Unix.
 *
 * Out of descriptors it rests for 100 ms and leaves the peers in the kernel's
 * queue; it never spins and never dies of it.
 */
#ifndef LIB_NET_LISTENER_H
#define LIB_NET_LISTENER_H

#include <sys/socket.h>

#include "lib/base/err.h"
#include "lib/net/loop.h"
#include "lib/base/prefix.h"

struct listener;

/* Listening sockets come bound and listening from the supervisor.  fd is the
 * listener's from here on success, else still the caller's.  on_accept is
 * called once for each new peer and calls conn_accept(); a peer it does not
 * take is closed. */
PH_MUSTUSE int listener_open(struct loop *loop, int fd,
    void (*on_accept)(struct listener *l, void *arg), void *arg,
    struct listener **listener_out);
/* Connections from these networks begin with a PROXY header (proxy.h), and
 * their peer is who it names.  Once, before the loop runs. */
void listener_trust(struct listener *l, const struct prefix *from, size_t n);
/* The peers speak first (TLS from the start): shown with their first bytes
 * there, which saves a turn of the loop, or silent after a second or two. */
void listener_defer(struct listener *l);
/* Stops accepting; closes the descriptor and frees itself on the loop. */
void listener_close(struct listener **l);
struct loop *listener_loop(const struct listener *l);

/* For conn.c: the new peer's descriptor, now the caller's, and its address;
 * ERR_INVALID outside on_accept and the second time. */
PH_MUSTUSE int listener_take(
    struct listener *l, int *fd_out, struct sockaddr_storage *peer_out);

#endif

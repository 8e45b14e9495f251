/*
 * proxied.h - connections from load balancers: each waits here until its PROXY
 * header is there, which is taken off the socket before anybody reads it; so
 * every door, with TLS from the first byte or not, sees the real client.
 *
 * For listener.c.  All on the loop.
 */
#ifndef LIB_NET_PROXIED_H
#define LIB_NET_PROXIED_H

#include "lib/net/loop.h"
#include "lib/base/prefix.h"

struct proxied;

/* ready() gets the descriptor and the client's address. */
struct proxied *proxied_new(struct loop *loop, const struct prefix *from,
    size_t n,
    void (*ready)(void *arg, int fd, const struct sockaddr_storage *peer),
    void *arg);
/* Does a connection from there begin with a header? */
bool proxied_is(const struct proxied *p, const struct sockaddr_storage *peer);
/* fd is its own now; it is closed when no header comes within 5 s. */
void proxied_wait(
    struct proxied *p, int fd, const struct sockaddr_storage *peer);
/* Closes what waits; gone() is called once all handles are. */
void proxied_close(struct proxied **p, void (*gone)(void *arg), void *arg);

#endif

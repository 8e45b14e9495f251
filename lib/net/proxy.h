/*
 * proxy.h - the PROXY protocol of HAProxy (proxy-protocol.txt), versions 1 and
 * 2: who really is behind a connection from a load balancer.  Pure.
 */
#ifndef LIB_NET_PROXY_H
#define LIB_NET_PROXY_H

#include <stddef.h>
#include <sys/socket.h>

#include "lib/base/slice.h"

enum { PROXY_HEAD_MAX = 2048 }; /* longer ones are refused */

enum proxy_verdict { PROXY_MORE, PROXY_DONE, PROXY_BAD };

/*
 * The header at the front of in.  PROXY_DONE: *used_out bytes are it, and
 * *peer_out is the client; left as it was when the balancer speaks for itself
 * (LOCAL, UNKNOWN) or tells of no Internet address.  PROXY_MORE: it goes on
 * behind what is there.
 */
enum proxy_verdict proxy_parse(
    struct slice in, struct sockaddr_storage *peer_out, size_t *used_out);

#endif

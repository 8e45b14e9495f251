/*
 * prefix.h - networks: "192.0.2.1", "10.0.0.0/8", "2001:db8::/32", and "unix"
 * for every Unix socket.  Pure.
 */
#ifndef LIB_BASE_PREFIX_H
#define LIB_BASE_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/slice.h"

struct prefix {
	sa_family_t family; /* AF_INET, AF_INET6 or AF_UNIX */
	uint8_t addr[16];
	unsigned bits;
};

bool prefix_parse(struct slice s, struct prefix *out);
/* An IPv4 address that comes as IPv6 (::ffff:192.0.2.1) is one of IPv4. */
bool prefix_has(const struct prefix *p, const struct sockaddr_storage *peer);
/* The same of "192.0.2.1"; "" is a Unix socket. */
bool prefix_has_ip(const struct prefix *p, const char *ip);

#endif

#include "lib/base/prefix.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/base/ph.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool
prefix_parse(struct slice s, struct prefix *out)
{
	size_t slash = slice_chr(s, '/');
	char ip[INET6_ADDRSTRLEN];
	uint64_t bits;

	*out = (struct prefix){ 0 };
	if (slice_eq(s, SLICE("unix"))) {
		out->family = AF_UNIX;
		return true;
	}
	if (!slice_copy(slice_sub(s, 0, slash), ip, sizeof(ip)))
		return false;
	if (inet_pton(AF_INET, ip, out->addr) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, ip, out->addr) == 1)
		out->family = AF_INET6;
	else
		return false;
	out->bits = out->family == AF_INET ? 32 : 128;
	if (slash == s.n)
		return true;
	if (!num_parse(slice_from(s, slash + 1), out->bits, &bits))
		return false;
	out->bits = (unsigned)bits;
	return true;
}

static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static bool
has(const struct prefix *p, sa_family_t family, const uint8_t *addr)
{
	if (family == AF_INET6 && memcmp(addr, mapped, sizeof(mapped)) == 0) {
		family = AF_INET;
		addr += sizeof(mapped);
	}
	return p->family == family && same_bits(p->addr, addr, p->bits);
}

bool
prefix_has(const struct prefix *p, const struct sockaddr_storage *peer)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (peer->ss_family) {
	case AF_UNIX: return p->family == AF_UNIX;
	case AF_INET:
		memcpy(&v4, peer, sizeof(v4));
		return has(p, AF_INET, (const uint8_t *)&v4.sin_addr);
	case AF_INET6:
		memcpy(&v6, peer, sizeof(v6));
		return has(p, AF_INET6, (const uint8_t *)&v6.sin6_addr);
	default: return false;
	}
}

bool
prefix_has_ip(const struct prefix *p, const char *ip)
{
	uint8_t addr[16];

	if (ip[0] == '\0')
		return p->family == AF_UNIX;
	if (inet_pton(AF_INET, ip, addr) == 1)
		return has(p, AF_INET, addr);
	return inet_pton(AF_INET6, ip, addr) == 1 && has(p, AF_INET6, addr);
}

#include "lib/net/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/cset.h"
#include "lib/base/num.h"

enum {
	V1_MAX = 107, /* with CRLF, section 2.1 */
	V2_HEAD = 16,
	V2_INET = 12, /* addresses and ports */
	V2_INET6 = 36
};

static const char v2_sign[12] = "\r\n\r\n\0\r\nQUIT\n";

static bool
word(struct slice *rest, struct slice *out)
{
	return slice_split(rest, ' ', out) && out->n != 0;
}

static bool
set_peer(
    int family, const char *ip, uint64_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port) };

	memset(out, 0, sizeof(*out));
	if (family == AF_INET && inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
		memcpy(out, &v4, sizeof(v4));
	else if (family == AF_INET6 &&
		 inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1)
		memcpy(out, &v6, sizeof(v6));
	else
		return false;
	return true;
}

/* "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443" without its CRLF. */
static bool
parse_v1(struct slice line, struct sockaddr_storage *peer)
{
	struct slice tag, family, from, to, from_port, to_port;
	struct sockaddr_storage dest, src;
	char ip[INET6_ADDRSTRLEN];
	uint64_t port;
	int af;

	if (!word(&line, &tag) || !word(&line, &family))
		return false;
	if (slice_eq(family, SLICE("UNKNOWN")))
		return true;
	if (slice_eq(family, SLICE("TCP4")))
		af = AF_INET;
	else if (slice_eq(family, SLICE("TCP6")))
		af = AF_INET6;
	else
		return false;
	if (!word(&line, &from) || !word(&line, &to) ||
	    !word(&line, &from_port) || !word(&line, &to_port) ||
	    line.p != NULL)
		return false;
	if (!slice_copy(to, ip, sizeof(ip)) ||
	    !num_parse(to_port, UINT16_MAX, &port) ||
	    !set_peer(af, ip, port, &dest))
		return false;
	if (!slice_copy(from, ip, sizeof(ip)) ||
	    !num_parse(from_port, UINT16_MAX, &port) ||
	    !set_peer(af, ip, port, &src))
		return false;
	*peer = src;
	return true;
}

static enum proxy_verdict
v1(struct slice in, struct sockaddr_storage *peer, size_t *used_out)
{
	size_t lf = slice_chr(in, '\n');

	if (lf == in.n)
		return in.n >= V1_MAX ? PROXY_BAD : PROXY_MORE;
	if (lf + 1 > V1_MAX || lf == 0 || in.p[lf - 1] != '\r' ||
	    !parse_v1(slice_sub(in, 0, lf - 1), peer))
		return PROXY_BAD;
	*used_out = lf + 1;
	return PROXY_DONE;
}

/* Section 2.2: family and protocol in one byte; TLVs behind the addresses are
 * passed over. */
static bool
parse_v2(uint8_t what, struct slice in, struct sockaddr_storage *peer)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	switch (what) {
	case 0x11: /* TCP over IPv4 */
		if (in.n < V2_INET)
			return false;
		memcpy(&v4.sin_addr, in.p, 4);
		memcpy(&v4.sin_port, in.p + 8, 2);
		memset(peer, 0, sizeof(*peer));
		memcpy(peer, &v4, sizeof(v4));
		return true;
	case 0x21: /* TCP over IPv6 */
		if (in.n < V2_INET6)
			return false;
		memcpy(&v6.sin6_addr, in.p, 16);
		memcpy(&v6.sin6_port, in.p + 32, 2);
		memset(peer, 0, sizeof(*peer));
		memcpy(peer, &v6, sizeof(v6));
		return true;
	default: return true; /* no address of the Internet */
	}
}

static enum proxy_verdict
v2(struct slice in, struct sockaddr_storage *peer, size_t *used_out)
{
	uint8_t version;
	size_t n;

	if (in.n < V2_HEAD)
		return PROXY_MORE;
	version = (uint8_t)in.p[12];
	n = num_get16(in.p + 14);
	if ((version != 0x20 && version != 0x21) ||
	    V2_HEAD + n > PROXY_HEAD_MAX)
		return PROXY_BAD;
	if (in.n < V2_HEAD + n)
		return PROXY_MORE;
	if (version == 0x21 &&
	    !parse_v2((uint8_t)in.p[13], slice_sub(in, V2_HEAD, n), peer))
		return PROXY_BAD;
	*used_out = V2_HEAD + n;
	return PROXY_DONE;
}

static bool
begins(struct slice in, struct slice sign)
{
	size_t n = in.n < sign.n ? in.n : sign.n;

	return slice_eq(slice_sub(in, 0, n), slice_sub(sign, 0, n));
}

enum proxy_verdict
proxy_parse(
    struct slice in, struct sockaddr_storage *peer_out, size_t *used_out)
{
	struct slice sign1 = SLICE("PROXY ");
	struct slice sign2 = slice_of(v2_sign, sizeof(v2_sign));

	*used_out = 0;
	if (in.n == 0)
		return PROXY_MORE;
	if (begins(in, sign1))
		return in.n < sign1.n ? PROXY_MORE : v1(in, peer_out, used_out);
	if (begins(in, sign2))
		return in.n < sign2.n ? PROXY_MORE : v2(in, peer_out, used_out);
	return PROXY_BAD;
}

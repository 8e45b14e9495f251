#include "auth/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/num.h"

enum { BYTES = 16, BITS = 128, V4_BITS = 96, WORD_MAX = 64 };

/* All addresses are 16 bytes; IPv4 behind ::ffff:0:0/96. */
struct network {
	uint8_t addr[BYTES];
	unsigned bits;
	bool denied, v4;
};

static bool
parse_address(const char *text, uint8_t out[BYTES], bool *v4_out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct in_addr four;

	*v4_out = inet_pton(AF_INET, text, &four) == 1;
	if (*v4_out) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + sizeof(mapped), &four, sizeof(four));
		return true;
	}
	return inet_pton(AF_INET6, text, out) == 1;
}

static void
mask(struct network *n)
{
	for (unsigned i = 0; i < BYTES; i++) {
		unsigned left = n->bits > i * 8 ? n->bits - i * 8 : 0;

		if (left < 8)
			n->addr[i] &= (uint8_t)(0xff << (8 - left));
	}
}

/* ["!"] address ["/" bits] */
static bool
parse_network(struct slice word, struct network *n)
{
	char text[WORD_MAX];
	size_t slash;
	uint64_t bits;

	n->denied = word.n != 0 && word.p[0] == '!';
	word = slice_from(word, n->denied);
	slash = slice_chr(word, '/');
	if (!slice_copy(slice_sub(word, 0, slash), text, sizeof(text)) ||
	    !parse_address(text, n->addr, &n->v4))
		return false;
	bits = n->v4 ? BITS - V4_BITS : BITS;
	if (slash != word.n &&
	    !num_parse(slice_from(word, slash + 1), bits, &bits))
		return false;
	n->bits = (unsigned)bits + (n->v4 ? V4_BITS : 0);
	mask(n);
	return true;
}

static bool
next_word(struct slice *rest, struct slice *word_out)
{
	size_t n = 0, skip = 0;

	while (skip < rest->n && (rest->p[skip] == ' ' || rest->p[skip] == ','))
		skip++;
	*rest = slice_from(*rest, skip);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != ',')
		n++;
	*word_out = slice_sub(*rest, 0, n);
	*rest = slice_from(*rest, n);
	return n != 0;
}

static void
print(const struct network *n, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];
	unsigned bits = n->v4 ? n->bits - V4_BITS : n->bits;

	(void)inet_ntop(n->v4 ? AF_INET : AF_INET6,
	    n->addr + (n->v4 ? V4_BITS / 8 : 0), text, sizeof(text));
	if (buf_len(out) != 0)
		buf_add_char(out, ' ');
	buf_printf(out, "%s%s/%u", n->denied ? "!" : "", text, bits);
}

int
network_fold(struct slice list, struct buf *out, struct err *e)
{
	struct network n;
	struct slice word;

	while (next_word(&list, &word)) {
		if (!parse_network(word, &n))
			return err_set(e, ERR_INVALID,
			    "%.*s is no network; 192.0.2.0/24, 2001:db8::/32 "
			    "and !192.0.2.66 are",
			    (int)slice_sub(word, 0, WORD_MAX).n, word.p);
		print(&n, out);
	}
	if (buf_failed(out))
		return err_set(e, ERR_TOOBIG, "too many networks");
	return 0;
}

static bool
holds(const struct network *n, const uint8_t ip[BYTES])
{
	struct network other = { .bits = n->bits };

	memcpy(other.addr, ip, BYTES);
	mask(&other);
	return memcmp(other.addr, n->addr, BYTES) == 0;
}

bool
network_allows(struct slice list, const char *ip)
{
	uint8_t addr[BYTES];
	bool v4, asks = false, found = false;
	struct network n;
	struct slice word;

	if (list.n == 0 || ip == NULL || ip[0] == '\0')
		return true;
	if (!parse_address(ip, addr, &v4))
		return false;
	while (next_word(&list, &word)) {
		if (!parse_network(word, &n))
			return false;
		if (n.denied && holds(&n, addr))
			return false;
		asks = asks || !n.denied;
		found = found || (!n.denied && holds(&n, addr));
	}
	return found || !asks;
}

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/base/prefix.h"
#include "lib/net/proxy.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define CASE(in, verdict, used, ip, port)                   \
	{                                                   \
		in, sizeof(in) - 1, verdict, used, ip, port \
	}

static const struct {
	const char *in;
	size_t n;
	enum proxy_verdict verdict;
	size_t used;
	const char *ip; /* NULL: as it was */
	unsigned port;
} cases[] = {
	CASE("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\nEHLO x\r\n",
	    PROXY_DONE, 44, "192.0.2.1", 56324),
	CASE("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", PROXY_DONE, 40,
	    "2001:db8::1", 1),
	CASE("PROXY UNKNOWN\r\n", PROXY_DONE, 15, NULL, 0),
	CASE("PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n", PROXY_DONE, 43,
	    NULL, 0),
	CASE("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\n", PROXY_BAD, 0, NULL,
	    0),
	CASE("PROXY TCP4 192.0.2.1 198.51.100.1 66324 25\r\n", PROXY_BAD, 0,
	    NULL, 0),
	CASE("PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n", PROXY_BAD, 0, NULL,
	    0),
	CASE("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", PROXY_BAD, 0, NULL,
	    0),
	CASE("PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n", PROXY_BAD, 0, NULL,
	    0),
	CASE(
	    "PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n", PROXY_BAD, 0, NULL, 0),
	CASE("EHLO x\r\n", PROXY_BAD, 0, NULL, 0),
	CASE("PROXY ", PROXY_MORE, 0, NULL, 0),
	CASE("", PROXY_MORE, 0, NULL, 0),
	CASE(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\0\x19"
		"EHLO",
	    PROXY_DONE, 28, "192.0.2.1", 0xdc04),
	/* with a TLV behind the addresses */
	CASE(V2 "\x21\x11\0\x10\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\0\x19"
		"\4\0\1\0",
	    PROXY_DONE, 32, "192.0.2.1", 0xdc04),
	CASE(V2 "\x21\x21\0\x24"
		"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
		"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
		"\0\1\0\2",
	    PROXY_DONE, 52, "2001:db8::1", 1),
	/* LOCAL, and an address family of no use here */
	CASE(V2 "\x20\0\0\0", PROXY_DONE, 16, NULL, 0),
	CASE(V2 "\x21\x31\0\1x", PROXY_DONE, 17, NULL, 0),
	/* too short for what it says; another version; too long */
	CASE(V2 "\x21\x11\0\4abcd", PROXY_BAD, 0, NULL, 0),
	CASE(V2 "\x31\x11\0\x0c", PROXY_BAD, 0, NULL, 0),
	CASE(V2 "\x21\x11\xff\xff", PROXY_BAD, 0, NULL, 0),
	CASE(V2 "\x21\x11\0\x0c"
		"abc",
	    PROXY_MORE, 0, NULL, 0),
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct sockaddr_storage peer = { .ss_family = AF_UNIX };
		struct slice in = unit_exact(cases[i].in, cases[i].n);
		char ip[INET6_ADDRSTRLEN] = "";
		size_t used;
		unsigned port;

		assert_int_equal(
		    proxy_parse(in, &peer, &used), cases[i].verdict);
		assert_int_equal(used, cases[i].used);
		if (cases[i].ip == NULL) {
			assert_int_equal(peer.ss_family, AF_UNIX);
		} else if (peer.ss_family == AF_INET) {
			struct sockaddr_in *v4 = (void *)&peer;

			inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
			port = ntohs(v4->sin_port);
			assert_string_equal(ip, cases[i].ip);
			assert_int_equal(port, cases[i].port);
		} else {
			struct sockaddr_in6 *v6 = (void *)&peer;

			inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
			port = ntohs(v6->sin6_port);
			assert_string_equal(ip, cases[i].ip);
			assert_int_equal(port, cases[i].port);
		}
		unit_free(in);
	}
}

/* Of a good header every beginning asks for more. */
static void
test_beginnings(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		for (size_t n = 0;
		     cases[i].verdict == PROXY_DONE && n < cases[i].used; n++) {
			struct slice in = unit_exact(cases[i].in, n);
			struct sockaddr_storage peer;
			size_t used;

			assert_int_equal(
			    proxy_parse(in, &peer, &used), PROXY_MORE);
			unit_free(in);
		}
	/* A line without end is not waited for. */
	{
		char line[200];
		struct sockaddr_storage peer;
		size_t used;

		memset(line, 'x', sizeof(line));
		memcpy(line, "PROXY ", 6);
		assert_int_equal(
		    proxy_parse(slice_of(line, sizeof(line)), &peer, &used),
		    PROXY_BAD);
	}
}

static const struct {
	const char *prefix, *ip;
	bool in;
} nets[] = {
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "10.0.0.0/8", "10.255.1.2", true },
	{ "10.0.0.0/8", "11.0.0.0", false },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.128/25", "192.0.2.200", true },
	{ "0.0.0.0/0", "8.8.8.8", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "unix", "", true },
	{ "unix", "127.0.0.1", false },
	{ "127.0.0.1", "", false },
};

static void
test_prefixes(void **state)
{
	static const char *const bad[] = { "", "/8", "10.0.0.0/33", "::/129",
		"10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "host", "1.2.3.4/8x" };
	struct prefix p;

	(void)state;
	for (size_t i = 0; i < PH_LEN(nets); i++) {
		assert_true(prefix_parse(slice_str(nets[i].prefix), &p));
		assert_int_equal(prefix_has_ip(&p, nets[i].ip), nets[i].in);
	}
	for (size_t i = 0; i < PH_LEN(bad); i++)
		assert_false(prefix_parse(slice_str(bad[i]), &p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_beginnings),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

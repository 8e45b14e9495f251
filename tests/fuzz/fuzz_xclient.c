/*
 * fuzz_xclient.c - what a filter or balancer tells of a client.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "submitd/parse.h"
#include "submitd/xclient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xclient x;
	uint8_t ip[16];

	if (!xclient_parse(slice_of(data, size), &x))
		return 0;
	ph_assert(x.port <= UINT16_MAX);
	ph_assert(!x.has_ip || inet_pton(AF_INET, x.ip, ip) == 1 ||
		  inet_pton(AF_INET6, x.ip, ip) == 1);
	ph_assert(x.helo[0] == '\0' || smtp_helo_ok(slice_str(x.helo)));
	for (size_t i = 0; x.helo[i] != '\0'; i++)
		ph_assert((unsigned char)x.helo[i] > 0x20);
	return 0;
}

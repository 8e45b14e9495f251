/*
 * fuzz_proxy.c - PROXY headers from a balancer, or from whoever claims to be
 * one.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/base/prefix.h"
#include "lib/net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	struct slice in = slice_of(data, size);
	struct prefix p;
	size_t used, again;
	enum proxy_verdict v = proxy_parse(in, &peer, &used);

	ph_assert(used <= size && (v == PROXY_DONE || used == 0));
	ph_assert(used <= PROXY_HEAD_MAX);
	ph_assert(size < PROXY_HEAD_MAX || v != PROXY_MORE);
	/* What is behind it makes no difference. */
	if (v == PROXY_DONE)
		ph_assert(proxy_parse(slice_sub(in, 0, used), &peer, &again) ==
			      PROXY_DONE &&
			  again == used);
	if (prefix_parse(in, &p))
		(void)prefix_has(&p, &peer);
	return 0;
}

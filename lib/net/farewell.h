/*
 * farewell.h - sockets with FIN sent that stay open a while longer, so that
 * what the peer may still say is not answered by RST (CLIENTS T7).
 *
 * For the orderly end only: nobody reads them, and nobody is woken by them.
 * That saves the connection a turn of the loop, and its memory goes at once.
 */
#ifndef LIB_NET_FAREWELL_H
#define LIB_NET_FAREWELL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
	LINGER_MS = 2000,  /* CLIENTS T7 */
	FAREWELL_MAX = 128 /* sockets a loop; then the oldest goes early */
};

struct farewell {
	uv_timer_t timer; /* the oldest is due */
	size_t first, n;
	struct farewell_socket {
		int fd;
		uint64_t due_ms;
	} v[FAREWELL_MAX]; /* a ring */
};

void farewell_init(struct farewell *l, uv_loop_t *loop);
/* Keeps a duplicate of fd open for LINGER_MS at most and half of it at least,
 * when there is room; false: out of descriptors. */
bool farewell_keep(struct farewell *l, int fd);
/* Closes them all, and the timer when the loop runs next. */
void farewell_fini(struct farewell *l);

#endif

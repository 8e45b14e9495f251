/*
 * serve.h - HTTP, by libmicrohttpd, on the caller's thread.
 *
 * Bounds: 256 connections a socket, 32 KiB for a request's head, 16 KiB for a
 * body where a path takes one, 15 s of silence, 60 s for a request whole.
 */
#ifndef WEBD_SERVE_H
#define WEBD_SERVE_H

#include "webd/web.h"

/* Opens a server on every inherited socket "http" and "metrics". */
PH_MUSTUSE int serve_open(struct web *w, struct err *e);
void serve_close(struct web *w);
/* Descriptors to poll for input, at most max; how many. */
size_t serve_fds(const struct web *w, int *fds, size_t max);
/* How long poll may wait at most, ms. */
int serve_wait_ms(const struct web *w, int at_most);
/* Does what there is to do; ends connections that take too long. */
void serve_step(struct web *w);
/* Connections now. */
uint32_t serve_clients(const struct web *w);

#endif

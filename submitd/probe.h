/*
 * probe.h - who guesses at recipients, by source: an IPv4 address or an IPv6
 * /64.  Counts unknown recipients less good ones over one to two windows of
 * time.  In memory, bounded, thread-safe, never blocks for long.
 */
#ifndef SUBMITD_PROBE_H
#define SUBMITD_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe;

/* sources_max: how many are remembered; beyond, the older half is forgotten. */
struct probe *probe_new(uint64_t window_ms, size_t sources_max);
void probe_free(struct probe **p);

/* An unknown recipient, or (good) one that is there.  ip "": not counted. */
void probe_count(struct probe *p, const char *ip, bool good, uint64_t now_ms);
/* Unknown ones less good ones, at least 0. */
unsigned probe_score(struct probe *p, const char *ip, uint64_t now_ms);

#endif

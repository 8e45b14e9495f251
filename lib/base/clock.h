/*
 * clock.h - the two clocks.  Timeouts use the steady one; stamps the wall.
 *
 * For tests the environment variable POSTHOF_CLOCK_AHEAD puts the wall clock
 * so many seconds ahead.
 */
#ifndef LIB_BASE_CLOCK_H
#define LIB_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t clock_steady_ms(void);
/* Microseconds of CLOCK_MONOTONIC. */
uint64_t clock_steady_us(void);
/* Seconds since 1970, UTC. */
int64_t clock_wall_sec(void);
/* Milliseconds since 1970, UTC. */
int64_t clock_wall_ms(void);

#endif

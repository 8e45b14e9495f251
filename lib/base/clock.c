#include "lib/base/clock.h"

#include <time.h>

static struct timespec
now(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return ts;
}

uint64_t
clock_steady_ms(void)
{
	return clock_steady_us() / 1000;
}

uint64_t
clock_steady_us(void)
{
	struct timespec ts = now(CLOCK_MONOTONIC);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int64_t
clock_wall_sec(void)
{
	return now(CLOCK_REALTIME).tv_sec;
}

int64_t
clock_wall_ms(void)
{
	struct timespec ts = now(CLOCK_REALTIME);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

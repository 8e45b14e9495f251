#include "lib/base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static struct timespec
now(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return ts;
}

/* The environment is asked once: it does not change. */
static int64_t
ahead_sec(void)
{
	static _Atomic int64_t ahead = -1;
	int64_t sec = atomic_load_explicit(&ahead, memory_order_relaxed);
	const char *text;

	if (sec >= 0)
		return sec;
	text = getenv("POSTHOF_CLOCK_AHEAD");
	sec = text != NULL ? strtoll(text, NULL, 10) : 0;
	if (sec < 0)
		sec = 0;
	atomic_store_explicit(&ahead, sec, memory_order_relaxed);
	return sec;
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
	return now(CLOCK_REALTIME).tv_sec + ahead_sec();
}

int64_t
clock_wall_ms(void)
{
	struct timespec ts = now(CLOCK_REALTIME);

	return ((int64_t)ts.tv_sec + ahead_sec()) * 1000 + ts.tv_nsec / 1000000;
}

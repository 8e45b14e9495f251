#include "lib/net/farewell.h"

#include <fcntl.h>
#include <unistd.h>

static void
close_oldest(struct farewell *l)
{
	(void)close(l->v[l->first].fd);
	l->first = (l->first + 1) % FAREWELL_MAX;
	l->n--;
}

/* Those that would be due soon go too: the loop is woken but once a second. */
static void
on_due(uv_timer_t *t)
{
	struct farewell *l = t->data;
	uint64_t now = uv_now(t->loop);

	while (l->n != 0 && l->v[l->first].due_ms <= now + LINGER_MS / 2)
		close_oldest(l);
	if (l->n != 0)
		(void)uv_timer_start(t, on_due, l->v[l->first].due_ms - now, 0);
}

void
farewell_init(struct farewell *l, uv_loop_t *loop)
{
	l->first = l->n = 0;
	(void)uv_timer_init(loop, &l->timer);
	l->timer.data = l;
}

bool
farewell_keep(struct farewell *l, int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0)
		return false;
	if (l->n == FAREWELL_MAX)
		close_oldest(l);
	if (l->n == 0)
		(void)uv_timer_start(&l->timer, on_due, LINGER_MS, 0);
	l->v[(l->first + l->n++) % FAREWELL_MAX] =
	    (struct farewell_socket){ own, uv_now(l->timer.loop) + LINGER_MS };
	return true;
}

void
farewell_fini(struct farewell *l)
{
	while (l->n != 0)
		close_oldest(l);
	uv_close((uv_handle_t *)&l->timer, NULL);
}

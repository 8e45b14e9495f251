#include "lib/net/proxied.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>
#include <uv.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/proxy.h"

enum {
	WAIT_MS = 5000,
	LOOK_MS = 20,     /* at a header of which only a part has come */
	WAITING_MAX = 512 /* on a loop; more are closed */
};

struct waiting {
	LIST_ENTRY(waiting) link;
	struct proxied *of;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles;
	int fd;
	uint64_t until_ms;
	bool good;
	struct sockaddr_storage peer;
};

struct proxied {
	struct loop *loop;
	struct prefix *from;
	size_t nfrom, nwaiting;
	LIST_HEAD(, waiting) waiting;
	void (*ready)(void *arg, int fd, const struct sockaddr_storage *peer);
	void *arg;
	void (*gone)(void *arg);
	void *gone_arg;
};

struct proxied *
proxied_new(struct loop *loop, const struct prefix *from, size_t n,
    void (*ready)(void *arg, int fd, const struct sockaddr_storage *peer),
    void *arg)
{
	struct proxied *p = xcalloc(1, sizeof(*p));

	p->loop = loop;
	p->from = xcalloc(n, sizeof(*from));
	for (size_t i = 0; i < n; i++)
		p->from[i] = from[i];
	p->nfrom = n;
	p->ready = ready;
	p->arg = arg;
	LIST_INIT(&p->waiting);
	return p;
}

bool
proxied_is(const struct proxied *p, const struct sockaddr_storage *peer)
{
	for (size_t i = 0; p != NULL && i < p->nfrom; i++)
		if (prefix_has(&p->from[i], peer))
			return true;
	return false;
}

static void
maybe_gone(struct proxied *p)
{
	if (p->gone == NULL || p->nwaiting != 0)
		return;
	p->gone(p->gone_arg);
	free(p->from);
	free(p);
}

/* Only now nothing of libuv watches the descriptor. */
static void
on_closed(uv_handle_t *h)
{
	struct waiting *w = h->data;
	struct proxied *p = w->of;

	if (--w->handles != 0)
		return;
	if (w->good && p->gone == NULL)
		p->ready(p->arg, w->fd, &w->peer);
	else
		(void)close(w->fd);
	LIST_REMOVE(w, link);
	p->nwaiting--;
	free(w);
	maybe_gone(p);
}

static void
end(struct waiting *w, bool good)
{
	if (uv_is_closing((uv_handle_t *)&w->poll))
		return;
	w->good = good;
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void
on_timer(uv_timer_t *t)
{
	struct waiting *w = t->data;

	if (loop_now_ms(w->of->loop) >= w->until_ms) {
		log_info(NULL, "proxy", "failed=timeout");
		end(w, false);
	} else if (uv_poll_start(&w->poll, UV_READABLE, on_readable) != 0) {
		end(w, false);
	}
}

static void
wait_more(struct waiting *w, uint64_t ms)
{
	if (uv_timer_start(&w->timer, on_timer, ms, 0) != 0)
		end(w, false);
}

static void
look(struct waiting *w)
{
	char head[PROXY_HEAD_MAX];
	ssize_t n = recv(w->fd, head, sizeof(head), MSG_PEEK);
	size_t used;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(w, false);
		return;
	}
	switch (proxy_parse(slice_of(head, (size_t)n), &w->peer, &used)) {
	case PROXY_MORE:
		/* It is readable as long as the part lies there. */
		(void)uv_poll_stop(&w->poll);
		wait_more(w, LOOK_MS);
		return;
	case PROXY_DONE:
		end(w, recv(w->fd, head, used, 0) == (ssize_t)used);
		return;
	case PROXY_BAD:
		log_warn(NULL, "proxy", "failed=\"no PROXY header\"");
		end(w, false);
	}
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
	struct waiting *w = poll->data;

	(void)events;
	if (status < 0)
		end(w, false);
	else
		look(w);
}

void
proxied_wait(struct proxied *p, int fd, const struct sockaddr_storage *peer)
{
	struct waiting *w;

	if (p->nwaiting >= WAITING_MAX) {
		(void)close(fd);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	if (uv_poll_init(loop_uv(p->loop), &w->poll, fd) != 0) {
		(void)close(fd);
		free(w);
		return;
	}
	(void)uv_timer_init(loop_uv(p->loop), &w->timer);
	w->of = p;
	w->poll.data = w->timer.data = w;
	w->handles = 2;
	w->fd = fd;
	w->peer = *peer;
	w->until_ms = loop_now_ms(p->loop) + WAIT_MS;
	LIST_INSERT_HEAD(&p->waiting, w, link);
	p->nwaiting++;
	if (uv_poll_start(&w->poll, UV_READABLE, on_readable) != 0)
		end(w, false);
	else
		wait_more(w, WAIT_MS);
}

void
proxied_close(struct proxied **pp, void (*gone)(void *arg), void *arg)
{
	struct proxied *p = *pp;
	struct waiting *w;

	*pp = NULL;
	p->gone = gone;
	p->gone_arg = arg;
	LIST_FOREACH(w, &p->waiting, link)
		end(w, false);
	maybe_gone(p);
}

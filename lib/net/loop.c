#include "lib/net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/role.h"
#include "lib/net/farewell.h"

enum {
	BLOCK_BYTES = 65536,
	/* Batches of messages run before the sockets get their turn. */
	MAX_ROUNDS = 32,
	/* Passes that loop_free() gives closing handles to end. */
	FREE_PASSES = 16
};

struct loop {
	uv_loop_t uv;
	/* Not uv_async_t: its receiver spins, and yields, until the sender has
	 * come back from waking it. */
	uv_poll_t wake;
	int wake_fd;
	atomic_bool woken;                 /* and has not looked yet */
	_Atomic(struct loop_msg *) posted; /* newest first */
	atomic_bool stop;
	_Atomic(pthread_t) thread;
	bool draining; /* only read and written on the loop's thread */
	char read_block[BLOCK_BYTES];
	char tls_block[BLOCK_BYTES];
	struct conn_tls *tls_holder;
	struct farewell farewell;
};

/* Posting order: the stack of what was posted, turned round. */
static struct loop_msg *
take_posted(struct loop *l)
{
	struct loop_msg *m, *next, *list = NULL;

	m = atomic_exchange_explicit(&l->posted, NULL, memory_order_acquire);
	for (; m != NULL; m = next) {
		next = m->next;
		m->next = list;
		list = m;
	}
	return list;
}

static bool
run_batch(struct loop *l)
{
	struct loop_msg *m = take_posted(l), *next;

	if (m == NULL)
		return false;
	for (; m != NULL; m = next) {
		next = m->next; /* fn may free m or post it again */
		m->fn(m);
	}
	return true;
}

static void
wake(struct loop *l)
{
	static const uint64_t one = 1;
	ssize_t n;

	if (atomic_exchange(&l->woken, true))
		return;
	do
		n = write(l->wake_fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
	ph_assert(n == sizeof(one));
}

static void
on_wake(uv_poll_t *p, int status, int events)
{
	struct loop *l = p->data;
	unsigned rounds = 0;
	uint64_t count;

	(void)status;
	(void)events;
	if (read(l->wake_fd, &count, sizeof(count)) < 0)
		ph_assert(errno == EAGAIN || errno == EINTR);
	/* From here on a wake-up is new; what was posted before is seen. */
	(void)atomic_exchange(&l->woken, false);
	l->draining = true;
	while (rounds < MAX_ROUNDS && run_batch(l))
		rounds++;
	l->draining = false;
	/* Whoever posted meanwhile saw a list in use and sent no wake-up. */
	if (rounds == MAX_ROUNDS)
		wake(l);
	if (atomic_load(&l->stop))
		uv_stop(&l->uv);
}

static int
watch_wake(struct loop *l)
{
	if ((l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		return ERR_IO;
	if (uv_poll_init(&l->uv, &l->wake, l->wake_fd) != 0) {
		close(l->wake_fd);
		return ERR_IO;
	}
	l->wake.data = l;
	(void)uv_poll_start(&l->wake, UV_READABLE, on_wake);
	return 0;
}

int
loop_new(struct loop **loop_out)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	*loop_out = NULL;
	if (uv_loop_init(&l->uv) != 0) {
		free(l);
		return ERR_IO;
	}
	if (watch_wake(l) != 0) {
		(void)uv_loop_close(&l->uv);
		free(l);
		return ERR_IO;
	}
	farewell_init(&l->farewell, &l->uv);
	atomic_store(&l->thread, pthread_self());
	*loop_out = l;
	return 0;
}

void
loop_run(struct loop *l)
{
	atomic_store(&l->thread, pthread_self());
	role_set_loop(true);
	if (!atomic_load(&l->stop))
		(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	role_set_loop(false);
}

void
loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	wake(l);
}

void
loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	atomic_store(&l->thread, pthread_self());
	atomic_store(&l->stop, false);
	for (int i = 0; i < FREE_PASSES; i++)
		(void)uv_run(&l->uv, UV_RUN_NOWAIT);
	farewell_fini(&l->farewell);
	uv_close((uv_handle_t *)&l->wake, NULL);
	(void)uv_run(&l->uv, UV_RUN_NOWAIT);
	close(l->wake_fd);
	if (uv_loop_close(&l->uv) != 0) {
		/* Better leaked than freed under a handle that is open. */
		log_error(NULL, "loop-busy", "reason=\"handles left open\"");
		return;
	}
	free(l);
}

uv_loop_t *
loop_uv(struct loop *l)
{
	return &l->uv;
}

bool
loop_is_mine(const struct loop *l)
{
	return pthread_equal(atomic_load(&l->thread), pthread_self());
}

/* True: it is the first of its batch. */
static bool
post(struct loop *l, struct loop_msg *m)
{
	struct loop_msg *head;

	head = atomic_load_explicit(&l->posted, memory_order_relaxed);
	do
		m->next = head;
	while (!atomic_compare_exchange_weak_explicit(
	    &l->posted, &head, m, memory_order_release, memory_order_relaxed));
	return head == NULL;
}

void
loop_post_quiet(struct loop *l, struct loop_msg *m)
{
	(void)post(l, m);
}

void
loop_wake(struct loop *l)
{
	if (atomic_load(&l->posted) != NULL)
		wake(l);
}

void
loop_post(struct loop *l, struct loop_msg *m)
{
	if (!post(l, m))
		return; /* the first of this batch has sent the wake-up */
	if (loop_is_mine(l) && l->draining)
		return; /* on_wake() looks again before it returns */
	wake(l);
}

uint64_t
loop_now_ms(const struct loop *l)
{
	return uv_now(&l->uv);
}

char *
loop_read_block(struct loop *l, size_t *cap_out)
{
	*cap_out = sizeof(l->read_block);
	return l->read_block;
}

char *
loop_tls_block(struct loop *l, size_t *cap_out)
{
	*cap_out = sizeof(l->tls_block);
	return l->tls_block;
}

struct conn_tls **
loop_tls_holder(struct loop *l)
{
	return &l->tls_holder;
}

struct farewell *
loop_farewell(struct loop *l)
{
	return &l->farewell;
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "lib/base/role.h"
#include "lib/net/loop.h"

enum { THREADS = 4, POSTS = 20000 };

struct note {
	struct loop_msg msg;
	struct scene *scene;
	unsigned thread, seq;
};

struct scene {
	struct loop *loop;
	unsigned next[THREADS]; /* sequence wanted from each thread */
	unsigned seen;
	unsigned bad;
	struct note notes[THREADS][POSTS];
};

static struct scene scene;

static void
on_note(struct loop_msg *m)
{
	struct note *n = PH_CONTAINER(m, struct note, msg);
	struct scene *s = n->scene;

	if (!loop_is_mine(s->loop) || !role_is_loop() ||
	    s->next[n->thread]++ != n->seq)
		s->bad++;
	if (++s->seen == THREADS * POSTS)
		loop_stop(s->loop);
}

static void *
poster(void *arg)
{
	struct note *mine = arg;

	for (unsigned i = 0; i < POSTS; i++)
		loop_post(mine[i].scene->loop, &mine[i].msg);
	return NULL;
}

static void
posts_keep_their_order(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	assert_int_equal(loop_new(&scene.loop), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned k = 0; k < POSTS; k++)
			scene.notes[i][k] =
			    (struct note){ { NULL, on_note }, &scene, i, k };
		pthread_create(&t[i], NULL, poster, scene.notes[i]);
	}
	loop_run(scene.loop);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(scene.seen, THREADS * POSTS);
	assert_int_equal(scene.bad, 0);
	loop_free(&scene.loop);
	assert_null(scene.loop);
}

struct again {
	struct loop_msg msg;
	struct loop *loop;
	unsigned left;
};

static void
on_again(struct loop_msg *m)
{
	struct again *a = PH_CONTAINER(m, struct again, msg);

	if (a->left-- == 0)
		loop_stop(a->loop);
	else
		loop_post(a->loop, m);
}

/* Far more rounds than one wake-up grants: none may be lost. */
static void
message_may_post_itself(void **state)
{
	struct again a = { { NULL, on_again }, NULL, 5000 };

	(void)state;
	assert_int_equal(loop_new(&a.loop), 0);
	assert_true(loop_is_mine(a.loop));
	loop_post(a.loop, &a.msg);
	loop_run(a.loop);
	assert_int_equal(a.left, (unsigned)-1);
	loop_free(&a.loop);
}

static void
stop_before_run(void **state)
{
	struct loop *l;
	size_t cap;

	(void)state;
	assert_int_equal(loop_new(&l), 0);
	assert_non_null(loop_read_block(l, &cap));
	assert_int_equal(cap, 65536);
	assert_ptr_not_equal(loop_read_block(l, &cap), loop_tls_block(l, &cap));
	loop_stop(l);
	loop_run(l); /* returns at once */
	loop_free(&l);
	loop_free(&l); /* NULL is fine */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_keep_their_order),
		cmocka_unit_test(message_may_post_itself),
		cmocka_unit_test(stop_before_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

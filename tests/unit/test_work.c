#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/net/work.h"

enum { JOBS = 20000 };

struct task {
	struct job job;
	struct scene *scene;
	unsigned seq;
	unsigned done;
};

struct scene {
	size_t threads;
	struct loop *loop;
	struct work *work;
	unsigned left;
	unsigned bad;
	unsigned last;
	atomic_uint ran;
	struct task tasks[JOBS];
};

static struct scene sc;

static void
on_done(struct job *j)
{
	struct task *t = PH_CONTAINER(j, struct task, job);

	if (!loop_is_mine(t->scene->loop) || t->done++ != 0)
		t->scene->bad++;
	if (--t->scene->left == 0)
		loop_stop(t->scene->loop);
}

static enum job_verdict
run_plain(struct job *j)
{
	struct task *t = PH_CONTAINER(j, struct task, job);

	atomic_fetch_add(&t->scene->ran, 1);
	return JOB_DONE;
}

/* Finished before run() returns: done() must still come exactly once. */
static enum job_verdict
run_early(struct job *j)
{
	job_finish(j);
	return JOB_PARKED;
}

static void
scene_open(size_t threads, size_t jobs, enum job_verdict (*run)(struct job *))
{
	memset(&sc, 0, sizeof(sc));
	sc.left = (unsigned)jobs;
	sc.threads = threads;
	assert_int_equal(loop_new(&sc.loop), 0);
	assert_int_equal(work_new("test", threads, &sc.work), 0);
	for (size_t i = 0; i < jobs; i++) {
		sc.tasks[i].scene = &sc;
		sc.tasks[i].seq = (unsigned)i;
		sc.tasks[i].job.run = run;
		sc.tasks[i].job.done = on_done;
	}
}

static void
scene_run(size_t jobs)
{
	for (size_t i = 0; i < jobs; i++)
		work_submit(sc.work, sc.loop, &sc.tasks[i].job);
	loop_run(sc.loop);
	assert_int_equal(sc.bad, 0);
	assert_int_equal(sc.left, 0);
	assert_int_equal(work_waiting(sc.work), 0);
	work_free(&sc.work);
	loop_free(&sc.loop);
}

static void
every_job_once(void **state)
{
	(void)state;
	scene_open(4, JOBS, run_plain);
	scene_run(JOBS);
	assert_int_equal(sc.ran, JOBS);
}

static void
finished_before_parked(void **state)
{
	(void)state;
	scene_open(4, JOBS, run_early);
	scene_run(JOBS);
}

static enum job_verdict
run_in_order(struct job *j)
{
	struct task *t = PH_CONTAINER(j, struct task, job);

	if (t->seq != t->scene->last++)
		t->scene->bad++;
	return JOB_DONE;
}

static void
one_thread_is_fifo(void **state)
{
	(void)state;
	scene_open(1, 1000, run_in_order);
	scene_run(1000);
}

/* Only if another could take what comes: with one thread there is none.  The
 * other may still be on its way to bed. */
static enum job_verdict
run_spare(struct job *j)
{
	struct task *t = PH_CONTAINER(j, struct task, job);
	bool alone = t->scene->threads == 1, spare = work_spare();

	while (!alone && !spare) {
		usleep(100);
		spare = work_spare();
	}
	usleep(2000);
	if (spare == alone || (work_oldest_ms(t->scene->work) == 0) == alone)
		t->scene->bad++;
	return JOB_DONE;
}

static void
spare_threads(void **state)
{
	(void)state;
	scene_open(1, 1, run_spare);
	scene_run(1);
	scene_open(2, 1, run_spare);
	scene_run(1);
}

/* The first waits until all are in line. */
static enum job_verdict
run_before_brief(struct job *j)
{
	struct task *t = PH_CONTAINER(j, struct task, job);
	struct task *next = t + 1;

	while (t->seq == 0 && work_waiting(t->scene->work) < 3)
		usleep(100);
	if (work_brief_next() != (next->scene != NULL && next->job.brief))
		t->scene->bad++;
	return JOB_DONE;
}

static void
brief_is_next(void **state)
{
	(void)state;
	scene_open(1, 4, run_before_brief);
	sc.tasks[1].job.brief = sc.tasks[3].job.brief = true;
	scene_run(4);
	assert_false(work_brief_next()); /* no worker */
}

static enum job_verdict
run_look(struct job *j)
{
	struct task *t = PH_CONTAINER(j, struct task, job);
	sigset_t mask;
	char name[16];

	pthread_getname_np(pthread_self(), name, sizeof(name));
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (strcmp(name, "test-0") != 0 || !sigismember(&mask, SIGTERM) ||
	    loop_is_mine(j->loop))
		t->scene->bad++;
	usleep(30000);
	if (work_oldest_ms(t->scene->work) < 20)
		t->scene->bad++;
	return JOB_DONE;
}

static void
threads_are_named_and_masked(void **state)
{
	sigset_t mask;

	(void)state;
	scene_open(1, 1, run_look);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGTERM));
	assert_int_equal(work_oldest_ms(sc.work), 0);
	scene_run(1);
}

static enum job_verdict
run_slow(struct job *j)
{
	usleep(1000);
	return run_plain(j);
}

/* work_free() runs what is queued to its end; done() comes afterwards. */
static void
free_runs_the_queue(void **state)
{
	(void)state;
	scene_open(2, 50, run_slow);
	for (size_t i = 0; i < 50; i++)
		work_submit(sc.work, sc.loop, &sc.tasks[i].job);
	assert_true(work_waiting(sc.work) > 0);
	work_free(&sc.work);
	assert_int_equal(sc.ran, 50);
	loop_run(sc.loop);
	assert_int_equal(sc.left, 0);
	loop_free(&sc.loop);
}

/* Flows take turns: who comes with one job does not wait for all of one who
 * came with many. */
struct turns {
	struct job jobs[102];
	atomic_uint ran;
	unsigned alone_at; /* when the last job ran, counted */
	atomic_bool go;
	unsigned left;
	struct loop *loop;
};

static struct turns turns;

static enum job_verdict
run_turn(struct job *j)
{
	while (!turns.go)
		(void)usleep(1000);
	if (j == &turns.jobs[101])
		turns.alone_at = turns.ran;
	turns.ran++;
	return JOB_DONE;
}

static void
turn_done(struct job *j)
{
	(void)j;
	if (--turns.left == 0)
		loop_stop(turns.loop);
}

static void
take_turns(bool late)
{
	struct work *w;

	turns.ran = 0;
	turns.go = false;
	turns.left = PH_LEN(turns.jobs);
	assert_int_equal(loop_new(&turns.loop), 0);
	assert_int_equal(work_new("test", 1, &w), 0);
	for (size_t i = 0; i < PH_LEN(turns.jobs); i++) {
		turns.jobs[i].run = run_turn;
		turns.jobs[i].done = turn_done;
		turns.jobs[i].flow = i == 101 || late ? 7 : 5;
		turns.jobs[i].late = late && i != 101;
		work_submit(w, turns.loop, &turns.jobs[i]);
	}
	turns.go = true;
	loop_run(turns.loop);
	assert_int_equal(turns.ran, 102);
	/* One may have been running, and two of theirs had their turn. */
	assert_in_range(turns.alone_at, 0, 3);
	work_free(&w);
	loop_free(&turns.loop);
}

static void
test_flows(void **state)
{
	(void)state;
	take_turns(false);
	/* And late jobs let others by, of their own flow too. */
	take_turns(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_once),
		cmocka_unit_test(finished_before_parked),
		cmocka_unit_test(one_thread_is_fifo),
		cmocka_unit_test(spare_threads),
		cmocka_unit_test(brief_is_next),
		cmocka_unit_test(threads_are_named_and_masked),
		cmocka_unit_test(free_runs_the_queue),
		cmocka_unit_test(test_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

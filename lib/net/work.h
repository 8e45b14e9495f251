/*
 * work.h - threads for what may wait: store calls, SASL steps, file reads.
 *
 * A job belongs to whoever embeds it.  run() is called on a worker and must
 * not touch a connection; done() is called later on the job's loop.  The
 * owner is in one place at a time: from work_submit() until done() begins it
 * belongs to the pool.
 */
#ifndef LIB_NET_WORK_H
#define LIB_NET_WORK_H

#include "lib/base/err.h"
#include "lib/net/loop.h"

struct work;
struct job;

enum job_verdict {
	JOB_DONE,  /* done() may follow at once */
	JOB_PARKED /* somebody calls job_finish() later, from any thread,
			 * perhaps already before run() returned */
};

struct job {
	enum job_verdict (*run)(struct job *j);
	void (*done)(struct job *j);
	uint32_t flow;     /* whose it is, a hash: flows take turns, so that one
			* with many jobs does not keep the others waiting */
	bool late;         /* gets one turn in four while others wait */
	bool brief;        /* see work_brief_next() */
	struct loop *loop; /* set by work_submit */
	struct loop_msg msg; /* private */
	struct job *next;    /* private */
};

/* name: for thread names ("store"); static string. */
PH_MUSTUSE int work_new(
    const char *name, size_t threads, struct work **work_out);
/* Runs what is queued to its end, then joins. */
void work_free(struct work **w);

/* j->run and j->done are set by the caller. */
void work_submit(struct work *w, struct loop *loop, struct job *j);
void job_finish(struct job *j);
/* The same of one of many: the caller calls loop_wake() behind the last. */
void job_finish_quiet(struct job *j);

/* Asked at the end of run(): is there nothing to do for this thread, and
 * another to take what comes?  Then it may go on for the good of all, and its
 * time counts no more (work_oldest_ms).  False: it is no worker. */
bool work_spare(void);
/* From here on this thread, if a worker, works for other jobs, too. */
void work_for_all(void);

/* On a worker: is a brief job the next of its pool?  Then this thread, or the
 * one that is faster, is soon behind it, and may do there for both what costs
 * as much for one. */
bool work_brief_next(void);

/* Jobs waiting, for status and back-pressure. */
size_t work_waiting(struct work *w);
/* Longest time a running job has run, ms; for the heartbeat. */
uint64_t work_oldest_ms(struct work *w);

#endif

/*
 * figures.h - counts that one process keeps and others look at.
 *
 * Each process has a page of shared memory, made by the supervisor, which
 * outlives it: so counters go on after a restart, and looking costs the
 * process nothing.  All calls are free of locks, for any thread.
 */
#ifndef LIB_BASE_FIGURES_H
#define LIB_BASE_FIGURES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/ph.h"

enum figure {
#define FIG(id, name, labels, type, scale, who, help) FIG_##id,
#include "lib/base/figures.def"
#undef FIG
	FIG_COUNT
};

struct figures {
	_Atomic uint64_t v[FIG_COUNT];
};

/* What a row of figures.def says. */
struct figure_row {
	const char *name, *labels, *who, *help;
	bool is_counter;
	uint64_t scale;
};
extern const struct figure_row figure_rows[FIG_COUNT];

/* A new page of zeros and its descriptor, close on exec; NULL when there is
 * no memory. */
struct figures *figures_new(int *fd_out) PH_MUSTUSE;
/* Another descriptor for the page, by which it can only be read; negative on
 * error. */
PH_MUSTUSE int figures_reader(int fd);
/* The page behind a descriptor.  What cannot be mapped (or fd -1) becomes a
 * page of our own that nobody sees: counting never fails. */
struct figures *figures_map(int fd) PH_MUSTUSE;
/* The same, to look only. */
const struct figures *figures_look(int fd) PH_MUSTUSE;
void figures_unmap(const struct figures *f);

static inline void
figures_add(struct figures *f, enum figure i, uint64_t n)
{
	(void)atomic_fetch_add_explicit(&f->v[i], n, memory_order_relaxed);
}

static inline void
figures_set(struct figures *f, enum figure i, uint64_t n)
{
	atomic_store_explicit(&f->v[i], n, memory_order_relaxed);
}

static inline uint64_t
figures_get(const struct figures *f, enum figure i)
{
	return atomic_load_explicit(&f->v[i], memory_order_relaxed);
}

/* All gauges become 0: the process is gone. */
void figures_gone(struct figures *f);
/* For the process itself, now and then: time used since the last call (kept
 * in *cpu_us_io, 0 at first) and memory. */
void figures_self(struct figures *f, uint64_t *cpu_us_io);

#endif

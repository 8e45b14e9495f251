/*
 * store_tmp.h - a scratch store with nothing in it, for tests of the store's
 * own parts.
 */
#ifndef TESTS_UNIT_STORE_TMP_H
#define TESTS_UNIT_STORE_TMP_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "storage/store.h"

struct store_tmp {
	char dir[64], state[80], run[80];
	struct store_conf conf;
};

static inline int
store_tmp_rm(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* A directory of its own; made ready, not opened. */
static inline void
store_tmp_init(struct store_tmp *t)
{
	struct err e;

	log_init("test", getenv("TEST_LOG") != NULL ? LOG_DEBUG : LOG_ERROR);
	memset(t, 0, sizeof(*t));
	(void)snprintf(t->dir, sizeof(t->dir), "/tmp/posthof-unit.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	(void)snprintf(t->state, sizeof(t->state), "%s/state", t->dir);
	(void)snprintf(t->run, sizeof(t->run), "%s/run", t->dir);
	assert_int_equal(store_create(t->state, &e), 0);
	t->conf.state_dir = t->state;
	t->conf.run_dir = t->run;
	t->conf.name = "test";
	t->conf.cache_bytes = 4 << 20;
	t->conf.segment_bytes = 1 << 20;
}

static inline struct store *
store_tmp_open(struct store_tmp *t, enum store_role role)
{
	struct store *s = NULL;
	struct err e = { 0 };
	int rc;

	t->conf.role = role;
	rc = store_open(&t->conf, 2000, &s, &e);
	if (rc != 0)
		fprintf(stderr, "store_open: %s (%s)\n", e.text, e.detail);
	assert_int_equal(rc, 0);
	return s;
}

static inline void
store_tmp_recover(struct store_tmp *t)
{
	struct store *s = store_tmp_open(t, STORE_RECOVER);

	store_close(&s);
}

/* Recovered, then joined. */
static inline struct store *
store_tmp_start(struct store_tmp *t)
{
	store_tmp_init(t);
	store_tmp_recover(t);
	return store_tmp_open(t, STORE_DAEMON);
}

static inline void
store_tmp_fini(struct store_tmp *t)
{
	(void)nftw(t->dir, store_tmp_rm, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void
store_tmp_stop(struct store_tmp *t, struct store **s)
{
	store_close(s);
	store_tmp_fini(t);
}

#endif

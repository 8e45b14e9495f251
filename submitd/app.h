/*
 * app.h - what submitd has once a process: server.app.
 */
#ifndef SUBMITD_APP_H
#define SUBMITD_APP_H

#include "lib/daemon/server.h"
#include "storage/host_key.h"
#include "submitd/fresh.h"
#include "submitd/probe.h"
#include "submitd/rate.h"
#include "submitd/rights.h"
#include "submitd/runner.h"
#include "submitd/trace.h"
#include "submitd/waiting.h"

struct app {
	struct runner *runner; /* on loop 0 */
	struct fresh *fresh;   /* from accept.c to it */
	struct probe *probe;
	struct rates *rates;
	struct rights_cache *rights;
	struct trace *trace;
	struct waiting *waiting;
	uint8_t srs_key[HOST_KEY_LEN];
};

static inline struct app *
app_of(const struct server *srv)
{
	return srv->app;
}

#endif

/*
 * trace.h - what becomes of each mail, written down for `posthof trace`.
 *
 * The log's tee for lines of mail (lib/base/log.h), gathered in memory and
 * appended by a thread of its own once a second, and at the end, to
 * STATE/trace/submitd-YYYY-MM-DD (UTC), without fsync: a crash may cost the
 * last second.  Nothing waits for it; what it has no room for is counted and
 * left out.  The keeper removes old files (admin/traces.h).
 */
#ifndef SUBMITD_TRACE_H
#define SUBMITD_TRACE_H

#include "lib/daemon/server.h"

struct trace;

/* Main thread, while no other runs.  NULL when there is no thread for it. */
struct trace *trace_new(struct server *srv);
void trace_free(struct trace **t);

#endif

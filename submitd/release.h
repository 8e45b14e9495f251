/*
 * release.h - rows that waited because their sender wanted it (QUEUE_UNSENT):
 * sent now, as if they had just come in.
 */
#ifndef SUBMITD_RELEASE_H
#define SUBMITD_RELEASE_H

#include "submitd/errand.h"

/*
 * In a job.  One transaction: into folders here, rows for other hosts, a
 * report of who cannot have it, and the row is gone.  When that fails, or the
 * account may not send any more, the row waits on.  Rows it made tell of
 * themselves (NOTIFY_QUEUE).
 */
PH_MUSTUSE int release_row(struct server *srv, struct errand *e);

#endif

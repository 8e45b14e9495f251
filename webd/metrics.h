/*
 * metrics.h - figures in Prometheus' text form, version 0.0.4.
 */
#ifndef WEBD_METRICS_H
#define WEBD_METRICS_H

#include "lib/base/buf.h"
#include "lib/base/figures.h"

/* Whose page; letter as in figures.def. */
struct metrics_page {
	const char *program; /* "imapd" */
	char letter;
	const struct figures *figures;
};

/* Samples of a metric stand together, all of them have program="...". */
void metrics_write(const struct metrics_page *pages, size_t n, struct buf *out);

#endif

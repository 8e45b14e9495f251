/*
 * web.h - the process: what it was handed, and its doors.
 */
#ifndef WEBD_WEB_H
#define WEBD_WEB_H

#include "lib/base/inherit.h"
#include "webd/answer.h"
#include "webd/metrics.h"

enum { WEB_PAGES_MAX = 8 };

struct serve_door;

struct web {
	struct inherit fds;
	int control;
	struct conf *conf;
	struct domains domains;
	struct buf profile; /* what a bundle of one entry holds; secret */
	struct answer_host host;
	struct figures *figures; /* our own */
	struct metrics_page pages[WEB_PAGES_MAX];
	size_t npages;
	struct serve_door *doors;
	size_t ndoors;
};

#endif

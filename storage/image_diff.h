/*
 * image_diff.h - two images of one folder compared; for view.c.
 *
 * Costs what differs: leaves and runs that both share are stepped over.
 */
#ifndef STORAGE_IMAGE_DIFF_H
#define STORAGE_IMAGE_DIFF_H

#include <stddef.h>

#include "storage/image.h"

/* What became of one message; seq counts from 1. */
struct image_gone {
	uint32_t seq; /* in the old image */
	uint32_t uid;
};

struct image_changed {
	uint32_t seq; /* in the new image */
	uint32_t uid;
	uint64_t modseq;
};

struct image_diff {
	struct image_gone *gone; /* rising */
	size_t ngone, gone_cap;
	struct image_changed *changed; /* rising: MODSEQ differs */
	size_t nchanged, changed_cap;
	size_t nfresh; /* only in the new one */
};

void image_diff(
    const struct image *old, const struct image *now, struct image_diff *d);
void image_diff_fini(struct image_diff *d);

/* A new image: `now`, with the messages that only `old` has kept in their
 * place.  The caller's reference. */
struct image *image_keep(const struct image *old, const struct image *now);

#endif
